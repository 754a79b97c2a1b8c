"""What may hold PHI is held back, until two people release it or one deletes it."""

from __future__ import annotations

import re
import threading

import pytest
from django.core import mail
from django.db import connection, connections

from accounts.audit.models import AuditEntry
from accounts.errors import Conflict, Forbidden, NotFound
from accounts.models import Membership
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from evidence.models import ReleaseDecision, Submission
from evidence.submissions.quarantine import decide_release, delete_held
from evidence.submissions.services import open_submission
from evidence.vault import NotIntact
from evidence.vault.stores import store
from tests.accounts.factories import make_ready_person, sign_in
from tests.submissions.conftest import Pusher, ocsf

SSN = "536-22-8145"
WHY = "The numbers belong to made-up test patients of the vendor."


class Held:
    """A document that is held back, and the people around it."""

    def __init__(self, pusher: Pusher) -> None:
        self.pusher, tenant = pusher, pusher.machine.tenant
        self.owner = make_ready_person(Role.OWNER, tenant)
        self.official = make_ready_person(Role.SECURITY_OFFICIAL, tenant)
        self.contributor = make_ready_person(Role.CONTRIBUTOR, tenant)
        document = [ocsf("leaks", "arn:aws:s3:::records", message=f"Patient SSN: {SSN}")]
        self.row = pusher.push(document, name="scan.json")
        assert self.row.state == "quarantined"
        self.path = f"/submissions/{self.row.pk}/"

    def fresh(self) -> Submission:
        with open_tenant(self.pusher.tenant_id):
            return Submission.objects.select_related("blob").get(pk=self.row.pk)

    def release(self, person, reason: str = WHY):
        return sign_in(person).post(f"{self.path}release/", {"looked": "on", "reason": reason})


@pytest.fixture
def held(pusher: Pusher) -> Held:
    return Held(pusher)


def _text(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_what_was_found_is_shown_masked_and_those_who_decide_are_told(held):
    told = {address for message in mail.outbox for address in message.to}
    assert {held.owner.email, held.official.email} <= told
    assert held.contributor.email not in told
    assert all(SSN not in message.body and held.path in message.body for message in mail.outbox)
    page = _text(sign_in(held.official).get(held.path))
    assert ("Social Security number" in page, "000-00-0000" in page, SSN in page) == (True, True, False)
    assert "1 document held back" in _text(sign_in(held.contributor).get("/submissions/"))
    overviews = [_text(sign_in(person).get("/")) for person in (held.official, held.contributor)]
    assert ["Decide about 1 document held back" in said for said in overviews] == [True, False]
    assert held.pusher.findings() == {}


def test_only_those_who_decide_can_read_what_is_held_back(held):
    assert sign_in(held.contributor).get(f"{held.path}download/").status_code == 403
    assert SSN.encode() in b"".join(sign_in(held.official).get(f"{held.path}download/").streaming_content)


def test_two_people_release_a_document_and_it_is_read(held):
    assert held.release(held.official).status_code == 302
    assert held.fresh().state == "quarantined"
    again = held.release(held.official)
    assert (again.status_code, "another person" in _text(again)) == (409, True)
    assert held.release(held.contributor).status_code == 403
    assert held.release(held.owner).status_code == 302
    row = held.pusher.work(str(held.row.pk))
    assert (row.state, row.released, len(held.pusher.findings())) == ("accepted", True, 1)
    page = _text(sign_in(held.owner).get(held.path))
    assert page.count(WHY) == 2
    assert held.release(held.owner).status_code == 409
    with open_tenant(held.pusher.tenant_id):
        decided = AuditEntry.objects.filter(act="submission.release", outcome="done", object_id=str(row.pk))
        assert decided.count() == 2


def test_who_sent_a_document_releases_it_with_nobody(held):
    with open_tenant(held.pusher.tenant_id):
        Submission.objects.filter(pk=held.row.pk).update(person=held.official)
    answer = held.release(held.official)
    assert (answer.status_code, "two others" in _text(answer)) == (403, True)
    with open_tenant(held.pusher.tenant_id):
        assert not ReleaseDecision.objects.exists()


def test_whoever_may_no_longer_decide_counts_no_more(held):
    assert held.release(held.official).status_code == 302
    with open_tenant(held.pusher.tenant_id):
        Membership.objects.filter(person=held.official).update(role=Role.VIEWER)
    assert held.release(held.owner).status_code == 302
    assert held.fresh().state == "quarantined"
    assert "1 of 2 decided so far" in _text(sign_in(held.owner).get(held.path))


def test_a_reason_says_something_and_repeats_no_identifier(held):
    short, telling = held.release(held.owner, "ok"), held.release(held.owner, f"The SSN {SSN} is made up")
    assert (short.status_code, telling.status_code) == (400, 400)
    assert "Say it without" in _text(telling)
    with open_tenant(held.pusher.tenant_id):
        assert not ReleaseDecision.objects.exists()


def test_one_person_deletes_a_document_with_a_trace(held):
    with store().read(held.row.address) as file:
        assert file.read(1)
    answer = sign_in(held.official).post(f"{held.path}delete/", {"reason": "The scanner printed a patient."})
    assert answer.status_code == 302
    row = held.fresh()
    assert (row.state, bytes(row.wrapped_key), row.name, row.deleted_by_id) == (
        "deleted",
        b"",
        "",
        held.official.pk,
    )
    page = _text(sign_in(held.owner).get(held.path))
    assert ("The scanner printed a patient." in page, row.receipt in page) == (True, True)
    with open_tenant(held.pusher.tenant_id):
        assert AuditEntry.objects.filter(act="submission.delete", object_id=str(row.pk)).count() == 1
        with pytest.raises(NotFound):
            b"".join(open_submission(row))
    with pytest.raises(NotIntact), store().read(held.row.address):
        pass
    assert held.release(held.owner).status_code == 409


def test_of_two_who_decide_at_once_each_counts_once(held):
    """Whichever comes first: two releases release it once; a deletion beside a second release lets one of them be."""
    started = threading.Barrier(2)
    said: list[str] = []

    def run(act, person):
        try:
            started.wait(timeout=60)
            with open_tenant(held.pusher.tenant_id):
                act(submission_id=held.row.pk, by=person, reason=WHY)
            said.append("done")
        except (Conflict, Forbidden) as error:
            said.append(type(error).__name__)
        finally:
            connections.close_all()

    def together(*acts):
        threads = [threading.Thread(target=run, args=each) for each in acts]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    together((decide_release, held.owner), (decide_release, held.owner))
    assert sorted(said) == ["Conflict", "done"]
    said.clear()
    together((decide_release, held.official), (delete_held, held.owner))
    row = held.fresh()
    assert sorted(said) == ["Conflict", "done"]
    assert (row.state, bool(row.wrapped_key)) in {("received", True), ("deleted", False)}
    assert connection.in_atomic_block is False
