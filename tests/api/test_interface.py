"""What every address of the interface does alike: pages, fields, ETags, problems, repeated requests."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection as database
from django.test import Client
from django.utils import timezone

from accounts.audit.events import Act
from accounts.clients.scopes import Reach, Scope
from accounts.models import AuditEntry, KeptAnswer
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import Finding
from evidence.models import CollectionRun
from tests.accounts.factories import make_ready_person, sign_in
from tests.api.kit import make_machine
from tests.collected import collect
from tests.factories import make_connection, make_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def machine(transactional_db):
    return make_machine()


@pytest.fixture
def aws(machine):
    return make_connection(machine.tenant)


@pytest.fixture
def collected(machine):
    return collect(machine.tenant)


def problem_of(answer) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/problem+json", answer.content
    assert answer.json()["status"] == answer.status_code
    return answer.status_code, answer.json()["type"].removeprefix("urn:surety:problem:")


def _finished_runs(machine, aws, count: int) -> list[str]:
    return [
        str(
            make_run(machine.tenant, aws, state="finished", verdict="complete", finished_at=timezone.now()).pk
        )
        for _ in range(count)
    ]


ONE_BY_ONE = (
    "findings", "evidence", "connections", "runs", "partners", "engagements", "packages", "grants", "agreements",
    "verifications", "verification-deliveries", "notices", "questionnaires", "exits", "shared-postures", "webhooks",
    "webhook-deliveries",
)  # fmt: skip
EMPTY = {"agreement-terms", "chain"}
LISTS_ALONE = ("audit-entries", "partnerships", "agreement-terms", "chain", "duties")

# Lists


def test_a_list_is_walked_by_cursors_newest_first_without_doubles(machine, aws):
    made = _finished_runs(machine, aws, 5)
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = machine.ask("GET", f"runs?limit=2{f'&cursor={cursor}' if cursor else ''}").json()
        found += [run["id"] for run in page["data"]]
        cursor = page["next"]
        made_meanwhile = _finished_runs(machine, aws, 1)
        assert made_meanwhile[0] not in found
    assert found == sorted(made, reverse=True)


def test_a_cursor_belongs_to_its_tenant_and_its_query(machine, aws):
    _finished_runs(machine, aws, 3)
    cursor = machine.ask("GET", "runs?limit=1&state=finished").json()["next"]
    assert machine.ask("GET", f"runs?limit=2&state=finished&cursor={cursor}").status_code == 200
    stranger = make_machine()
    body, signature = cursor.rsplit(".", 1)
    for who, query in (
        (machine, f"runs?state=running&cursor={cursor}"),
        (machine, f"runs?cursor={cursor}"),
        (machine, f"connections?cursor={cursor}"),
        (machine, f"runs?state=finished&cursor={cursor[:-1]}"),
        (machine, f"runs?state=finished&cursor={body[:-2]}AA.{signature}"),
        (machine, "runs?state=finished&cursor=x"),
        (stranger, f"runs?state=finished&cursor={cursor}"),
    ):
        assert problem_of(who.ask("GET", query)) == (400, "cursor-unfit"), query


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("runs?colour=red", "colour"), ("runs?state=finished&state=running", "state"), ("runs?state=asleep", "state"),
        ("runs?connection=1", "connection"), ("runs?limit=0", "limit"), ("runs?limit=201", "limit"), ("runs?limit=x", "limit"),
        ("runs?fields=id,secret", "fields"), ("runs?connection__aws_account_id=1", "connection__aws_account_id"),
        ("findings?citation=%00", "citation"), ("safeguards?as_of=yesterday", "as_of"), ("evidence?collected_from=2026", "collected_from"),
        (f"evidence?region={'a' * 32}%20", "region"), ("runs?limit=%201", "limit"), ("runs?limit=1_0", "limit"), ("runs?limit=1.0", "limit"),
    ],
)  # fmt: skip
def test_a_parameter_that_does_not_fit_is_named(machine, query, parameter):
    answer = machine.ask("GET", query)
    assert problem_of(answer) == (400, "unfit-parameter")
    assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


def test_only_the_fields_that_were_asked_for_are_given(machine, aws):
    run = _finished_runs(machine, aws, 1)[0]
    assert machine.ask("GET", "runs?fields=id,state").json()["data"] == [{"id": run, "state": "finished"}]
    assert machine.ask("GET", f"runs/{run}?fields=verdict").json() == {"verdict": "complete"}


def test_what_has_not_changed_is_not_sent_again(machine, aws):
    first = machine.ask("GET", f"connections/{aws.pk}")
    again = machine.ask("GET", f"connections/{aws.pk}", If_None_Match=first["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    aws.name = "Renamed"
    with open_tenant(machine.tenant.pk):
        aws.save()
    changed = machine.ask("GET", f"connections/{aws.pk}", If_None_Match=first["ETag"])
    assert (changed.status_code, changed.json()["name"]) == (200, "Renamed")
    assert changed["Cache-Control"] == "no-store"


def test_methods_and_forms_that_there_are_not_are_problems(machine, aws):
    assert machine.ask("HEAD", "runs").content == b""
    answer = machine.ask("DELETE", f"connections/{aws.pk}")
    assert problem_of(answer) == (405, "method-not-allowed")
    assert answer["Allow"] == "GET, HEAD"
    for method in ("DELETE", "PUT", "PATCH"):  # before what takes a document's body
        assert problem_of(machine.ask(method, "submissions")) == (405, "method-not-allowed")
    assert problem_of(machine.ask("GET", "runs", Accept="text/csv")) == (406, "not-acceptable")
    assert problem_of(machine.ask("GET", "nowhere"))[0] == 404


# Repeated requests


def _start(machine, aws, key: str | None = None, body: str = "{}", **headers):
    given = {"Idempotency_Key": key or str(uuid4()), **headers}
    return machine.ask("POST", f"connections/{aws.pk}/runs", body, **given)


def _runs(machine) -> int:
    with open_tenant(machine.tenant.pk):
        return CollectionRun.objects.count()


def test_a_repeated_request_is_done_once_and_gets_the_first_answers_bytes(machine, aws):
    first, again = _start(machine, aws, "one"), _start(machine, aws, "one")
    assert first.status_code == 201, first.content
    assert (again.status_code, again.content, again["Location"]) == (201, first.content, first["Location"])
    assert (first.headers.get("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (None, "true")
    assert (_runs(machine), first.json()["trigger"]) == (1, "client")
    assert machine.ask("GET", first["Location"].removeprefix("/api/v1/")).json()["id"] == first.json()["id"]
    acts = [act for act, _outcome in machine.entries()]
    assert acts[1:3] == [Act.COLLECTION_START, Act.REQUEST_REPLAY]


def test_a_key_is_for_one_request_of_one_caller(machine, aws):
    other = make_connection(machine.tenant)
    assert _start(machine, aws, "one").status_code == 201
    assert problem_of(_start(machine, other, "one")) == (422, "idempotency-key-reused")
    assert problem_of(_start(machine, aws, "one", "{ }")) == (422, "idempotency-key-reused")
    colleague = make_machine(tenant=machine.tenant)
    assert _start(colleague, other, "one").status_code == 201


def test_what_was_refused_did_nothing_and_its_key_is_free(machine, aws):
    assert _start(machine, aws, "one").status_code == 201
    assert problem_of(_start(machine, aws, "two")) == (409, "conflict")
    with open_tenant(machine.tenant.pk):
        CollectionRun.objects.update(state="finished", verdict="complete", finished_at=timezone.now())
    assert _start(machine, aws, "two").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "t\u00e9st"])
def test_without_a_fit_key_nothing_is_done(machine, aws, key):
    path, headers = f"connections/{aws.pk}/runs", {"Idempotency_Key": key} if key else {}
    assert problem_of(machine.ask("POST", path, "{}", **headers)) == (400, "idempotency-key-missing")
    assert _runs(machine) == 0


def test_a_key_is_forgotten_after_thirty_days(machine, aws):
    _start(machine, aws, "one")
    with open_tenant(machine.tenant.pk):
        KeptAnswer.objects.update(answered_at=timezone.now() - timedelta(days=30, seconds=1))
        CollectionRun.objects.update(state="finished", verdict="complete", finished_at=timezone.now())
    assert "Idempotency-Replayed" not in _start(machine, aws, "one").headers
    with open_tenant(machine.tenant.pk):
        assert KeptAnswer.objects.count() == 1


def test_many_at_once_with_one_key_start_one_run(machine, aws):
    machine.token = machine.fetch().json()["access_token"]
    answers, together = [], threading.Barrier(6)

    def ask() -> None:
        together.wait()
        try:
            answers.append(_start(machine, aws, "one"))
        finally:
            database.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [answer.content for answer in answers if answer.status_code == 201]
    waiting = [answer for answer in answers if answer.status_code != 201]
    assert (len(set(done)), _runs(machine)) == (1, 1)
    assert all(
        problem_of(answer) == (409, "request-in-flight") and answer["Retry-After"] == "1"
        for answer in waiting
    )
    assert _start(machine, aws, "one").content == done[0]


def test_an_answer_that_is_kept_cannot_be_read_in_the_database(machine, aws):
    answer = _start(machine, aws, "one")
    with open_tenant(machine.tenant.pk):
        kept = KeptAnswer.objects.get()
    assert answer.json()["id"].encode() not in bytes(kept.sealed_body)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400), ('{"a": NaN}', 400), ('{"a": 1, "a": 2}', 400), ("[" * 100_000, 400), ('{"a": ' + "9" * 5000 + "}", 400),
        ("x" * (1 << 20) + "xx", 413), (b"\xff\xfe{}", 400), ("[]", 400),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused(machine, aws, body, status):
    answer = _start(machine, aws, body=body)
    assert problem_of(answer)[0] == status
    assert _runs(machine) == 0


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("name", 1.15e68),
        ("reference", 7),
        ("name", ["Acme"]),
        ("creates", "true"),
        ("creates", 1),
        ("volume", 3),
        ("name", "a" * 200 + " "),
    ],
)
def test_a_value_of_another_type_or_length_than_described_is_refused(machine, member, value):
    body = {"reference": "BA-1", "name": "Acme", member: value}
    answer = machine.ask("POST", "partners", json.dumps(body), Idempotency_Key="one")
    assert problem_of(answer) == (400, "invalid-input")
    assert [each["pointer"] for each in answer.json()["errors"]] == [f"#/{member}"]


# People


def test_a_member_acts_by_session_as_the_role_permits_and_protected_against_forgery(machine, aws):
    path, key = f"/api/v1/connections/{aws.pk}/runs", {"Idempotency-Key": "one"}
    viewer = sign_in(make_ready_person(Role.VIEWER, machine.tenant))
    assert viewer.get("/api/v1/connections").status_code == 200
    assert problem_of(viewer.get("/api/v1/evidence")) == (403, "forbidden")
    contributor = sign_in(make_ready_person(Role.CONTRIBUTOR, machine.tenant))
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = contributor.cookies
    assert problem_of(forged.post(path, headers=key)) == (403, "forbidden")
    started = contributor.post(path, content_type="application/json", headers=key)
    assert (started.status_code, started.json()["trigger"]) == (201, "person")


# What a client is narrowed to


def test_a_client_narrowed_to_a_connection_sees_nothing_of_another(machine, collected):
    other = collect(machine.tenant)
    reach = Reach(connections=frozenset({collected.connection.pk}))
    scopes = (
        Scope.FINDINGS_READ,
        Scope.EVIDENCE_READ,
        Scope.EVIDENCE_EXPORT,
        Scope.CONNECTIONS_READ,
        Scope.RUNS_READ,
        Scope.RUNS_START,
    )
    narrow = make_machine(*scopes, tenant=machine.tenant, reach=reach)
    mine = str(collected.connection.pk)
    for path in ("findings", "evidence", "runs"):
        everything, found = (who.ask("GET", f"{path}?limit=200").json()["data"] for who in (machine, narrow))
        assert {row["connection"] for row in everything} == {mine, str(other.connection.pk)}, path
        assert {row["connection"] for row in found} == {mine}, path
    assert [row["id"] for row in narrow.ask("GET", "connections").json()["data"]] == [mine]
    with open_tenant(machine.tenant.pk):
        finding = Finding.objects.filter(connection=other.connection)[0]
    theirs = (
        f"connections/{other.connection.pk}", f"runs/{other.run.pk}", f"evidence/{other.snapshot.pk}",
        f"evidence/{other.snapshot.pk}/content", f"findings/{finding.pk}",
    )  # fmt: skip
    for path in theirs:
        assert machine.ask("GET", path).status_code == 200, path
        assert problem_of(narrow.ask("GET", path)) == (404, "not-found")
    assert problem_of(narrow.ask("GET", f"runs/{collected.run.pk}/document")) == (403, "forbidden")
    assert problem_of(_start(narrow, other.connection)) == (404, "not-found")
    assert narrow.ask("GET", f"runs?connection={other.connection.pk}").json()["data"] == []


def test_a_client_narrowed_to_a_safeguard_sees_nothing_of_another(machine, collected):
    reach = Reach(safeguards=frozenset({"164.312(c)(1)"}))
    narrow = make_machine(Scope.SAFEGUARDS_READ, Scope.FINDINGS_READ, tenant=machine.tenant, reach=reach)
    assert [row["citation"] for row in narrow.ask("GET", "safeguards").json()["data"]] == ["164.312(c)(1)"]
    assert problem_of(narrow.ask("GET", "safeguards/164.312(b)")) == (404, "not-found")
    found = narrow.ask("GET", "findings").json()["data"]
    assert all("164.312(c)(1)" in row["citations"] for row in found)
    assert len(found) < len(machine.ask("GET", "findings").json()["data"])


# Reading


def test_safeguards_are_read_as_they_stand_and_as_they_stood(machine, collected):
    now = machine.ask("GET", "safeguards").json()
    assert (len(now["data"]), now["next"]) == (75, None)
    before = machine.ask("GET", f"safeguards?as_of={timezone.now().date() - timedelta(days=2)}").json()[
        "data"
    ]
    judged = {row["citation"] for row in now["data"] if row["since"]}
    assert judged
    assert all(row["since"] is None and row["status"] == "undetermined" for row in before)
    one = min(judged)
    assert machine.ask("GET", f"safeguards/{one}").json() == next(
        row for row in now["data"] if row["citation"] == one
    )


def test_findings_are_narrowed_by_what_they_say(machine, collected):
    failing = machine.ask("GET", "findings?outcome=FAIL&check=s3_bucket_versioning").json()["data"]
    assert [row["resource_name"] for row in failing] == ["scans"]
    assert machine.ask("GET", f"findings/{failing[0]['id']}").json() == failing[0]
    assert machine.ask("GET", "findings?gone=true").json()["data"] == []


def test_evidence_is_given_as_it_was_sealed(machine, collected):
    import hashlib

    row = machine.ask("GET", "evidence?collector=s3").json()["data"][0]
    content = machine.ask("GET", f"evidence/{row['id']}/content")
    assert hashlib.sha256(content.content).hexdigest() == row["sha256"]
    assert content["Content-Disposition"].startswith("attachment")
    assert (Act.EVIDENCE_EXPORT, "done") in machine.entries()


def test_the_audit_log_is_searched_and_the_search_is_in_it(machine, aws):
    machine.ask("GET", f"connections/{aws.pk}")
    found = machine.ask("GET", f"audit-entries?actor={machine.made.client.pk}").json()["data"]
    assert [entry["act"] for entry in found] == [Act.CONNECTION_READ, Act.API_CLIENT_TOKEN]
    assert found[0]["object"] == {"type": "connection", "id": str(aws.pk)}
    assert {entry["standing"] for entry in found} == {"waiting"}
    older = machine.ask("GET", f"audit-entries?actor={machine.made.client.pk}&limit=1").json()
    again = machine.ask(
        "GET", f"audit-entries?actor={machine.made.client.pk}&limit=1&cursor={older['next']}"
    ).json()
    assert older["data"][0]["id"] > again["data"][0]["id"]
    assert machine.entries()[-1] == (Act.AUDIT_READ, "done")


def test_every_list_says_what_its_own_tenant_has_and_no_other(machine):
    from tests.architecture.everything import make_everything

    its = make_everything()
    own, stranger = make_machine(tenant=its.tenant), machine
    for path in (*ONE_BY_ONE, *LISTS_ALONE):
        mine = own.ask("GET", path)
        assert mine.status_code == 200, (path, mine.content)
        rows = mine.json()["data"]
        assert rows or path in EMPTY, path
        theirs = stranger.ask("GET", path).json()["data"]
        assert all(row not in theirs for row in rows), path
        if path in ONE_BY_ONE:
            detail = own.ask("GET", f"{path}/{rows[0]['id']}")
            assert detail.status_code == 200, (path, detail.content)
            assert rows[0].items() <= detail.json().items(), path
            assert problem_of(stranger.ask("GET", f"{path}/{rows[0]['id']}")) == (404, "not-found")
    with open_tenant(its.tenant.pk):
        assert AuditEntry.objects.filter(actor_id=str(own.made.client.pk), outcome="done").count() > 9
    assert its.mark not in json.dumps(
        [stranger.ask("GET", path).json() for path in ("partners", "connections", "notices", "agreements")]
    )
