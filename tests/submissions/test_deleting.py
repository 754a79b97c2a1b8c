"""A client deletes what it sent itself and what is held back, and decides nothing else."""

from __future__ import annotations

from uuid import uuid4

import pytest

from accounts.audit.models import AuditEntry
from accounts.clients.scopes import Reach, Scope
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from evidence.models import ReleaseDecision, Submission
from evidence.vault import NotIntact
from evidence.vault.stores import store
from tests.accounts.factories import make_ready_person, sign_in
from tests.api.kit import make_machine
from tests.submissions.conftest import Pusher, ocsf

SSN = "536-22-8145"
SCOPES = (Scope.SUBMISSIONS_PUSH, Scope.SUBMISSIONS_READ, Scope.SUBMISSIONS_DELETE)


def _push_held(pusher: Pusher) -> Submission:
    row = pusher.push(
        [ocsf("leaks", "arn:aws:s3:::records", message=f"Patient SSN: {SSN}")], name="scan.json"
    )
    assert row.state == "quarantined"
    return row


def _fresh(row: Submission) -> Submission:
    with open_tenant(row.tenant_id):
        return Submission.objects.get(pk=row.pk)


def _acts(row: Submission) -> list[tuple[str, str]]:
    with open_tenant(row.tenant_id):
        mine = AuditEntry.objects.filter(object_id=str(row.pk)).order_by("occurred_at")
        return [(entry.act, entry.outcome) for entry in mine if entry.act != "submission.hold"]


def test_it_deletes_its_own_held_document_for_good_and_once(pusher):
    row = _push_held(pusher)
    listed = pusher.machine.ask("GET", "submissions?state=quarantined").json()["data"]
    assert [(each["id"], each["name"]) for each in listed] == [(str(row.pk), "")]
    assert SSN not in str(listed)
    for _again in range(2):
        answer = pusher.machine.ask("DELETE", f"submissions/{row.pk}")
        assert (answer.status_code, answer.json()["state"]) == (200, "deleted")
        assert answer.json()["receipt"] == row.receipt
    left = _fresh(row)
    assert (bytes(left.wrapped_key), left.name, left.digest) == (b"", "", row.digest)
    assert pusher.machine.made.client.name in left.deletion_reason
    with pytest.raises(NotIntact, match="missing"):
        store().read(row.address)
    done = [outcome for act, outcome in _acts(row) if act == "submission.delete"]
    assert done == ["done"]
    official = make_ready_person(Role.SECURITY_OFFICIAL, pusher.machine.tenant)
    assert "took back what it had sent" in sign_in(official).get(f"/submissions/{row.pk}/").content.decode()


def test_it_deletes_nothing_that_another_sent_or_that_is_evidence(pusher):
    held, evidence = _push_held(pusher), pusher.push([ocsf("a", "arn:one")])
    tenant = pusher.machine.tenant
    other, narrowed = make_machine(*SCOPES, tenant=tenant), make_machine(
        *SCOPES, tenant=tenant, reach=Reach(safeguards=frozenset({"164.312(b)"}))
    )  # fmt: skip
    asked = [
        (other, held.pk, 403, "forbidden"), (narrowed, held.pk, 404, "not-found"),
        (pusher.machine, evidence.pk, 409, "conflict"), (pusher.machine, uuid4(), 404, "not-found"),
        (make_machine(*SCOPES), held.pk, 404, "not-found"),
        (make_machine(Scope.SUBMISSIONS_PUSH, tenant=tenant), held.pk, 403, "scope-missing"),
    ]  # fmt: skip
    for machine, wanted, status, slug in asked:
        answer = machine.ask("DELETE", f"submissions/{wanted}")
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (status, slug)
    assert (_fresh(held).state, _fresh(evidence).state) == ("quarantined", "accepted")
    assert ("submission.delete", "refused") in _acts(evidence)
    owner = sign_in(make_ready_person(Role.OWNER, tenant))
    assert owner.delete(f"/api/v1/submissions/{held.pk}").status_code == 403
    assert owner.delete(f"/api/v1/submissions/{uuid4()}").status_code in {403, 404}


def test_no_client_releases_anything(pusher):
    """Two people do: there is no address for it, and no client has a session for the page."""
    held = _push_held(pusher)
    for method in ("POST", "PUT", "PATCH"):
        assert pusher.machine.ask(method, f"submissions/{held.pk}").status_code in {403, 405}
        assert pusher.machine.ask(method, f"submissions/{held.pk}/release").status_code == 404
    description = pusher.machine.ask("GET", "schema").json()
    assert not any("release" in path for path in description["paths"])
    assert set(description["paths"]["/api/v1/submissions/{submission_id}"]) == {"get", "delete"}
    with open_tenant(pusher.tenant_id):
        assert not ReleaseDecision.objects.exists()
    assert _fresh(held).state == "quarantined"


pytestmark = pytest.mark.django_db(transaction=True)
