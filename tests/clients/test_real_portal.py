"""The client against the portal itself, over HTTP, with real tokens."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from botocore.session import Session
from django.utils import timezone
from surety import AwsIdentity, Client, OidcToken, Problem, TokenRefused, VariableToken
from surety.command import main

from accounts.audit.log import acting
from accounts.clients.keyless.trusts import trust_aws
from accounts.clients.scopes import Scope
from accounts.clients.services import revoke_client
from accounts.models import Membership
from accounts.tenancy.scope import open_tenant
from assessments.submitted.processing import process_submission
from tasks.base import WORKER
from tests.accounts.sso.puppet import KEY, Puppet
from tests.api.kit import make_machine
from tests.api.sts import SignatureDesk
from tests.api.test_keyless_ci import job, trust
from tests.factories import make_connection, make_run
from tests.submissions.conftest import ocsf

pytestmark = pytest.mark.django_db(transaction=True)


def test_lists_are_read_and_refusals_are_said_as_the_portal_words_them(live_server, retry):
    machine = make_machine(Scope.RUNS_READ)
    aws = make_connection(machine.tenant)
    runs = [
        make_run(machine.tenant, aws, state="finished", verdict="complete", finished_at=timezone.now())
        for _ in range(3)
    ]
    made = machine.made
    with Client(
        live_server.url, client_id=str(made.client.pk), client_secret=made.text, retry=retry
    ) as client:
        pages = list(client.pages("runs", limit=2, fields=["id", "state"]))
        assert [len(page.items) for page in pages] == [2, 1]
        found = [item for page in pages for item in page.items]
        assert found == [{"id": str(run.pk), "state": "finished"} for run in reversed(runs)]
        assert client.get(f"runs/{runs[0].pk}")["verdict"] == "complete"
        for path, query, slug in (
            ("runs", {"colour": "red"}, "unfit-parameter"), ("findings", {}, "scope-missing"), ("nowhere", {}, "not-found"),
        ):  # fmt: skip
            with pytest.raises(Problem) as raised:
                client.get(path, **query)
            assert (raised.value.slug, bool(raised.value.instance)) == (slug, True)
        with open_tenant(machine.tenant.pk):
            revoke_client(client_id=made.client.pk)
        with pytest.raises(TokenRefused, match="invalid_client"):
            client.get("runs")


def test_a_jobs_token_lets_the_client_in_once(live_server, settings, monkeypatch, kept, retry):
    settings.SITE_URL = live_server.url
    issuer = Puppet()
    issuer.discovery = dict.fromkeys(("authorization_endpoint", "token_endpoint", "userinfo_endpoint"))
    issuer.keys = [KEY.as_dict(private=False)]
    try:
        machine = make_machine(Scope.RUNS_READ)
        trust(machine, issuer)
        monkeypatch.setenv("SURETY_ID_TOKEN", job(issuer))
        tokens = OidcToken(live_server.url, str(machine.made.client.pk), VariableToken(), retry=retry)
        with Client(live_server.url, token_source=tokens, retry=retry) as client:
            assert list(client.items("runs")) == []
        assert tokens.scopes == ("runs:read",)
        again = kept(OidcToken(live_server.url, str(machine.made.client.pk), VariableToken(), retry=retry))
        with pytest.raises(TokenRefused, match="used before"):
            again.token()
    finally:
        issuer.shutdown()
        issuer.server_close()


IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:sts::222222222222:assumed-role/push-records/job-1</Arn><UserId>A:job-1</UserId>
<Account>222222222222</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""


def test_an_aws_role_lets_the_client_in(live_server, settings, monkeypatch, retry):
    desk = SignatureDesk("")
    try:
        settings.SITE_URL, settings.STS_ENDPOINT_URL = live_server.url, desk.url
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", desk.url)
        desk.says = (200, IDENTITY)
        machine = make_machine(Scope.RUNS_READ)
        with open_tenant(machine.tenant.pk):
            trust_aws(
                client_id=machine.made.client.pk, arn="arn:aws:iam::222222222222:role/push-*", by=Membership.objects.get()
            )  # fmt: skip
        role = Session()
        role.set_credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "session")
        tokens = AwsIdentity(
            live_server.url, str(machine.made.client.pk), region="us-east-1", session=role, retry=retry
        )
        with Client(live_server.url, token_source=tokens, retry=retry) as client:
            assert list(client.items("runs")) == []
        assert desk.asked == 1
    finally:
        desk.shutdown()
        desk.server_close()


def test_a_pushed_document_is_receipted_judged_and_found_by_the_command(live_server, tmp_path, capsys, retry):
    machine = make_machine(Scope.SUBMISSIONS_PUSH, Scope.SUBMISSIONS_READ)
    settings = {
        "SURETY_URL": live_server.url,
        "SURETY_CLIENT_ID": str(machine.made.client.pk),
        "SURETY_CLIENT_SECRET": machine.made.text,
    }
    document = tmp_path / "prowler.ocsf.json"
    document.write_text(
        json.dumps([ocsf("cloudtrail_off", "arn:x"), ocsf("cloudtrail_off", "arn:y", "PASS")])
    )
    arguments = [
        "push",
        str(document),
        "--for",
        "164.312(b)",
        "--for",
        "164.312(a)(1)",
        "--stream",
        "nightly",
    ]
    assert main([*arguments, "--json", "--no-wait"], settings, retry) == 0
    receipt = json.loads(capsys.readouterr().out)
    with acting(WORKER):
        process_submission(tenant_id=machine.tenant.pk, submission_id=UUID(receipt["id"]))
    assert main(arguments, settings, retry) == 0
    said = capsys.readouterr().out.splitlines()
    assert said.pop(5).startswith("  statuses changed: ")
    assert said == [
        f"Received as {receipt['id']}, which the portal had before (--again makes another).",
        f"  {document.stat().st_size:,} bytes, SHA-256 {receipt['digest']}, receipt number 1",
        "Accepted: ocsf from Prowler.",
        "  2 outcomes: 1 passed, 1 failed",
        "  findings: 2 opened, 1 failing anew",
        f"  {live_server.url}/safeguards/164.312(a)(1)/",
        f"  {live_server.url}/safeguards/164.312(b)/",
        f"  {live_server.url}/submissions/{receipt['id']}/",
    ]
    assert main(["receipt", receipt["id"], "--verify", "--file", str(document)], settings, retry) == 0
    assert main(["push", str(document), "--for", "164.999"], settings, retry) == 2
    assert "for: 164.999 is no standard" in capsys.readouterr().err
    refused = tmp_path / "findings.json"
    refused.write_text('[{"class_uid": 2003}]')
    assert main(["push", str(refused), "--format", "ocsf", "--no-wait"], settings, retry) == 0
    refused_id = capsys.readouterr().out.split()[2].rstrip(".")
    with acting(WORKER):
        process_submission(tenant_id=machine.tenant.pk, submission_id=UUID(refused_id))
    assert main(["status", refused_id], settings, retry) == 1
    assert capsys.readouterr().out.startswith("Refused: ")
    held = tmp_path / "people.csv"
    held.write_text("name,ssn\nAda Lovelace,536-22-8745\nGrace Hopper,219-09-9999\n")
    assert main(["push", str(held), "--format", "document", "--no-wait"], settings, retry) == 0
    held_id = capsys.readouterr().out.split()[2].rstrip(".")
    with acting(WORKER):
        process_submission(tenant_id=machine.tenant.pk, submission_id=UUID(held_id))
    assert main(["status", held_id], settings, retry) == 1
    said = capsys.readouterr().out
    assert said.startswith("Held back: ") and "536-22-8745" not in said and "Lovelace" not in said
