"""Pages of connections, runs and evidence."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html import unescape
from uuid import uuid4

import pytest

from accounts.models import AuditEntry
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from evidence.models import AwsConnection, CollectionUnit, ConnectionState
from tests.accounts.factories import make_ready_person
from tests.collected import collect
from tests.factories import make_connection, make_run, make_tenant

ACCOUNT = {
    "name": "Clinical",
    "aws_account_id": "222222222222",
    "partition": "aws",
    "role_name": "SuretyReader",
    "regions": ["us-east-1"],
    "holds_phi": "on",
}


@pytest.fixture
def client(owner, client_for):
    return client_for(owner)


@pytest.fixture
def collected(tenant):
    return collect(tenant)


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    """The doorbell is the queue's test; here the rows count."""
    monkeypatch.setattr("evidence.services.connections.ring_after_commit", lambda *_: None)
    monkeypatch.setattr("evidence.services.collection.ring_after_commit", lambda *_: None)


def _text(answer, status: int = 200) -> str:
    assert answer.status_code == status
    main = answer.content.decode().split("<main")[1]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


def _connection(tenant, **fields) -> AwsConnection:
    return make_connection(tenant, **fields)


def test_connecting_leads_from_the_account_to_the_role_with_the_external_id(client, tenant):
    answer = client.post("/connections/new/", ACCOUNT)
    with open_tenant(tenant.pk):
        made = AwsConnection.objects.get()
    assert answer["Location"] == f"/connections/{made.pk}/grant/"
    text = _text(client.get(answer["Location"]))
    assert str(made.external_id) in text
    assert "arn:aws:iam::222222222222:role/SuretyReader" in text


def test_an_external_id_is_never_taken_from_the_request(client, tenant):
    chosen = uuid4()
    client.post("/connections/new/", {**ACCOUNT, "external_id": str(chosen)})
    with open_tenant(tenant.pk):
        assert AwsConnection.objects.get().external_id != chosen


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("aws_account_id", "2222-2222-2222", "Give the account's 12 digits"),
        ("regions", ["cn-north-1"], "no such region"),
        ("regions", [], "This field is required"),
        ("role_name", "two words", "Enter a valid value"),
    ],
)
def test_what_cannot_be_used_is_said_at_its_field(client, tenant, field, value, words):
    answer = client.post("/connections/new/", {**ACCOUNT, field: value})
    assert words in _text(answer, 400)
    with open_tenant(tenant.pk):
        assert not AwsConnection.objects.exists()


def test_an_account_is_connected_once(client):
    client.post("/connections/new/", ACCOUNT)
    assert "This account is connected already." in _text(client.post("/connections/new/", ACCOUNT), 400)


@pytest.mark.parametrize("way", ["cloudformation", "terraform", "manual"])
def test_each_way_to_make_the_role_demands_the_external_id(client, tenant, way):
    made = _connection(tenant)
    page = client.get(f"/connections/{made.pk}/grant/?way={way}").content.decode()
    assert str(made.external_id) in page
    assert "s3:GetObject*" in page  # among what is denied


def test_the_template_to_download_holds_the_external_id_and_the_role(client, tenant):
    made = _connection(tenant)
    answer = client.get(f"/connections/{made.pk}/grant/role.json/")
    if answer.status_code == 404:
        answer = client.get(f"/connections/{made.pk}/grant/role.json")
    parameters = json.loads(answer.content)["Parameters"]
    assert parameters["ExternalId"]["Default"] == str(made.external_id)
    assert parameters["RoleName"]["Default"] == made.role_name
    assert "attachment" in answer["Content-Disposition"]


def test_permissions_say_which_safeguards_they_serve(client, tenant):
    page = client.get(f"/connections/{_connection(tenant).pk}/?tab=permissions").content.decode()
    row = page.split("<code>s3:GetBucketVersioning</code>")[1].split("</tr>")[0]
    assert re.search(r'<a [^>]*href="/safeguards/164\.3[^"]+"', row)


def test_asking_for_a_verification_shows_that_it_is_under_way(client, tenant):
    made = _connection(tenant, state=ConnectionState.PENDING)
    answer = client.post(f"/connections/{made.pk}/verify/", follow=True)
    assert "Verification is under way." in _text(answer)
    assert client.get(f"/connections/{made.pk}/verify/progress/").status_code == 204


def test_a_finished_verification_loads_the_page_anew_and_shows_its_steps(client, tenant):
    step = {
        "name": "trust",
        "label": "The role can be assumed",
        "outcome": "failed",
        "ok": False,
        "happened": "AccessDenied: no",
        "advice": "Paste this.",
        "paste": '{"Version": "2012-10-17"}',
    }
    made = _connection(tenant, state=ConnectionState.BROKEN, probe=[step], probed_at=datetime.now(UTC))
    assert client.get(f"/connections/{made.pk}/verify/progress/")["HX-Refresh"] == "true"
    text = _text(client.get(f"/connections/{made.pk}/"))
    for words in ("The role can be assumed", "AccessDenied: no", "Paste this.", '{"Version": "2012-10-17"}'):
        assert words in text


def test_collecting_starts_a_run_whose_progress_shows(client, tenant):
    made = _connection(tenant)
    text = _text(client.post(f"/connections/{made.pk}/collect/", follow=True))
    assert re.search(r"0 of \d+ units done", text)


def test_collecting_twice_at_a_time_says_that_it_runs_already(client, tenant):
    made = _connection(tenant)
    client.post(f"/connections/{made.pk}/collect/")
    assert (
        "being collected already"
        in client.post(f"/connections/{made.pk}/collect/", follow=True).content.decode()
    )


def test_progress_counts_units_calls_and_gaps_until_the_run_is_finished(client, tenant):
    made = _connection(tenant)
    run = make_run(tenant, made, units_total=2)
    with open_tenant(tenant.pk):
        CollectionUnit.objects.create(
            run=run,
            collector="s3",
            region="global",
            state="done",
            api_calls={"s3:ListBuckets": 3},
            gaps=[{"operation": "X", "reason": "denied"}],
        )
        CollectionUnit.objects.create(run=run, collector="ec2", region="us-east-1")
    url = f"/connections/{made.pk}/runs/{run.pk}/progress/"
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get(url).content.decode()))
    assert "1 of 2 units done" in text and "3 calls, 1 gap" in text
    with open_tenant(tenant.pk):
        type(run).objects.update(state="finished", finished_at=datetime.now(UTC))
    assert client.get(url)["HX-Refresh"] == "true"


def test_coverage_names_what_was_not_seen_why_and_the_action_that_is_missing(client, collected):
    text = _text(client.get(f"/connections/{collected.connection.pk}/?tab=coverage"))
    assert "AWS denied 1 permission." in text
    for words in (
        "GetBucketPolicy",
        "scans",
        "access denied",
        "not authorized to perform",
        "s3:GetBucketPolicy",
    ):
        assert words in text


def test_runs_show_their_verdict_and_gaps(client, collected):
    assert "With gaps" in _text(client.get(f"/connections/{collected.connection.pk}/?tab=runs"))


def test_removing_asks_first_and_keeps_the_evidence(client, tenant, collected):
    url = f"/connections/{collected.connection.pk}/remove/"
    assert "Remove the connection?" in _text(client.get(url))
    assert client.post(url).status_code == 302
    assert client.get(f"/connections/{collected.connection.pk}/").status_code == 404
    assert client.get(f"/evidence/{collected.snapshot.pk}/").status_code == 200


def test_evidence_is_listed_and_filtered(client, collected):
    assert str(collected.snapshot.pk) in client.get("/evidence/").content.decode()
    assert str(collected.snapshot.pk) in client.get("/evidence/?collector=s3&region=global").content.decode()
    assert "No snapshot fits the filter" in _text(client.get("/evidence/?collector=rds"))


def test_a_snapshot_shows_the_answer_its_provenance_and_who_uses_it(client, collected):
    text = _text(client.get(f"/evidence/{collected.snapshot.pk}/"))
    for words in (
        "GetBucketVersioning",
        "Suspended",
        collected.snapshot.blob.digest,
        collected.connection.role_arn,
        "REQ1",
        "164.312(c)(1)",
    ):
        assert words in text


def test_reading_a_snapshot_is_recorded(client, tenant, collected):
    client.get(f"/evidence/{collected.snapshot.pk}/")
    with open_tenant(tenant.pk):
        assert (
            AuditEntry.objects.filter(act="evidence.read", object_id=str(collected.snapshot.pk)).count() == 1
        )


def test_a_download_gives_the_sealed_bytes_and_is_recorded_as_an_export(client, tenant, collected):
    answer = client.get(f"/evidence/{collected.snapshot.pk}/download/")
    assert json.loads(answer.content)["collector"] == "s3"
    assert answer["Content-Disposition"].startswith("attachment;")
    with open_tenant(tenant.pk):
        assert AuditEntry.objects.filter(act="evidence.export").count() == 1


def test_a_viewer_neither_reads_evidence_nor_takes_it_along(client_for, tenant, collected):
    viewer = client_for(make_ready_person(Role.VIEWER, tenant))
    assert viewer.get(f"/evidence/{collected.snapshot.pk}/").status_code == 403
    assert viewer.get(f"/evidence/{collected.snapshot.pk}/download/").status_code == 403


def test_verifying_reads_the_bytes_back(client, collected):
    answer = client.post(f"/evidence/{collected.snapshot.pk}/verify/", headers={"HX-Request": "true"})
    assert "intact" in answer.content.decode()
    assert "not intact" not in answer.content.decode()


def test_evidence_that_was_changed_is_not_shown_and_the_verification_says_so(
    client, collected, vault_directory
):
    stored = [path for path in vault_directory.rglob("*") if path.is_file()]
    for path in stored:
        path.chmod(0o600)
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    page = client.get(f"/evidence/{collected.snapshot.pk}/")
    assert page.status_code == 500
    assert "This snapshot can't be shown." in page.content.decode()
    assert "Suspended" not in page.content.decode()
    answer = client.post(f"/evidence/{collected.snapshot.pk}/verify/", headers={"HX-Request": "true"})
    assert "not intact" in answer.content.decode()


def test_what_belongs_to_another_tenant_is_not_found(client):
    other = collect(make_tenant())
    pages = [
        "",
        "?tab=coverage",
        "grant/",
        "grant/role.json",
        "remove/",
        f"runs/{other.run.pk}/progress/",
        "verify/progress/",
    ]
    assert {client.get(f"/connections/{other.connection.pk}/{page}").status_code for page in pages} == {404}
    assert {
        client.post(f"/connections/{other.connection.pk}/{act}/").status_code
        for act in ("verify", "collect", "remove")
    } == {404}
    assert client.get(f"/evidence/{other.snapshot.pk}/").status_code == 404
    assert client.get(f"/evidence/{other.snapshot.pk}/download/").status_code == 404
    assert client.post(f"/evidence/{other.snapshot.pk}/verify/").status_code == 404


def test_a_run_of_another_connection_is_not_found(client, tenant, collected):
    assert (
        client.get(f"/connections/{_connection(tenant).pk}/runs/{collected.run.pk}/progress/").status_code
        == 404
    )
