"""Auditors see what other tools' documents say within their engagement's scope, and the documents themselves."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.clients.scopes import Scope
from accounts.clients.services import Audited
from accounts.errors import NotFound
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.engagements.models import Side
from assessments.engagements.services.requests import RequestAct, say
from assessments.models import Engagement, EvidenceRequest, Finding, RequestEvidence
from assessments.packages.gather import work_of
from assessments.submitted.models import SubmittedCheck
from evidence.models import Submission
from tests.accounts.factories import make_ready_person, sign_in
from tests.api.kit import make_machine
from tests.engagements.factories import make_auditor, make_engagement
from tests.factories import make_connection
from tests.submissions.conftest import Pusher, ocsf, pusher

__all__ = ["pusher"]

OURS, THEIRS = "111122223333", "444455556666"
TRAINING = "164.308(a)(5)(i)"


def _days_ago(days: int) -> int:
    return int((timezone.now() - timedelta(days=days)).timestamp())


def _reader(pusher: Pusher, engagement: Engagement):
    """The auditors' machine."""
    audited = Audited(engagement.pk, engagement.closes_at)
    return make_machine(Scope.ENGAGEMENT_AUDIT, tenant=pusher.machine.tenant, audited=audited)


def _shown(pusher: Pusher, **terms):
    """What an engagement of these terms shows: resources of findings, and documents, by the interface."""
    engagement = make_engagement(pusher.machine.tenant, **terms)
    reader = _reader(pusher, engagement)
    findings = reader.ask("GET", "engagement/findings").json()["data"]
    documents = reader.ask("GET", "engagement/submissions").json()["data"]
    return {each["resource"] for each in findings}, {each["id"] for each in documents}


def test_the_scope_holds_for_findings_and_documents_of_other_tools(pusher):
    """Safeguards, accounts and period; what names no connected account is beyond a scope that names accounts."""
    tenant, at = pusher.machine.tenant, _days_ago(3)
    mine, other = (make_connection(tenant, aws_account_id=each) for each in (OURS, THEIRS))
    one = pusher.push([ocsf("a", "arn:one", at=at, account=OURS)], stream="one")
    both = pusher.push(
        [
            ocsf("b", "arn:two", at=at, account=OURS, citations=("164.312(d)",)),
            ocsf("b", "arn:far", at=at, account=THEIRS, citations=("164.312(d)",)),
        ],
        stream="both",
    )
    nowhere = pusher.push([ocsf("a", "arn:nowhere", at=at, account="999900001111")], stream="nowhere")
    old = pusher.push(
        [ocsf("a", "arn:old", "PASS", at=_days_ago(60), account=OURS)], stream="old", complete="true"
    )
    with open_tenant(tenant.pk):
        Finding.objects.filter(resource_arn="arn:old").update(gone_at=timezone.now() - timedelta(days=50))
        for row in Finding.objects.filter(resource_arn="arn:old"):
            row.periods.update(valid_to=timezone.now() - timedelta(days=50))
    everything = {"arn:one", "arn:two", "arn:far", "arn:nowhere"}
    ids = [str(each.pk) for each in (one, both, nowhere)]
    assert _shown(pusher) == (everything, set(ids))
    assert _shown(pusher, citations=["164.312(d)"]) == ({"arn:two", "arn:far"}, {str(both.pk)})
    assert _shown(pusher, connection_ids=[mine.pk]) == ({"arn:one", "arn:two"}, {str(one.pk)})
    assert _shown(pusher, connection_ids=[mine.pk, other.pk])[1] == {str(one.pk), str(both.pk)}
    assert _shown(pusher, connection_ids=[]) == (set(), set())
    ancient = {"period_from": (timezone.now() - timedelta(days=70)).date(),
               "period_to": (timezone.now() - timedelta(days=55)).date()}  # fmt: skip
    assert _shown(pusher, **ancient) == ({"arn:old"}, {str(old.pk)})


def test_what_is_held_back_refused_or_deleted_never_goes_out(pusher):
    good = pusher.push([ocsf("a", "arn:one", at=_days_ago(1))], citations="164.312(b)")
    held = pusher.push(
        b"patient,SSN 536-22-8726\n", format="document", name="note.txt", citations="164.312(b)"
    )
    refused = pusher.push(b"{", format="ocsf", citations="164.312(b)")
    assert (held.state, refused.state) == ("quarantined", "refused")
    engagement = make_engagement(pusher.machine.tenant)
    reader = _reader(pusher, engagement)
    listed = [each["id"] for each in reader.ask("GET", "engagement/submissions").json()["data"]]
    assert listed == [str(good.pk)]
    content = reader.ask("GET", f"engagement/submissions/{good.pk}/content")
    assert hashlib.sha256(b"".join(content.streaming_content)).hexdigest() == good.digest
    for each in (held, refused):
        for rest in ("", "/content"):
            assert reader.ask("GET", f"engagement/submissions/{each.pk}{rest}").status_code == 404
    with open_tenant(pusher.tenant_id):
        Submission.objects.filter(pk=held.pk).update(
            state="deleted", name="", deletion_reason="A letter to Zebulon.", processed_at=datetime.now(UTC)
        )
    auditor = make_auditor(pusher.machine.tenant)
    theirs = make_engagement(pusher.machine.tenant, auditor)
    page = sign_in(auditor).get(f"/auditor/{theirs.pk}/documents/").content.decode()
    assert "Document 2" in page
    assert held.digest not in page
    assert "Zebulon" not in page
    assert sign_in(auditor).get(f"/auditor/{theirs.pk}/documents/{held.pk}/").status_code == 404


def test_an_auditors_pages_show_other_tools_checks_beside_our_own(pusher):
    tenant = pusher.machine.tenant
    make_connection(tenant, aws_account_id=OURS, name="Clinic")
    document = pusher.push(
        [ocsf("a", "arn:one", at=_days_ago(2)), ocsf("a", "arn:two", "PASS", at=_days_ago(2))]
    )
    auditor = make_auditor(tenant)
    engagement = make_engagement(tenant, auditor, citations=["164.312(b)"])
    browser, base = sign_in(auditor), f"/auditor/{engagement.pk}/"
    page = browser.get(f"{base}safeguards/164.312(b)/").content.decode()
    assert "About a" in page
    assert str(document.pk) in page
    shown = _reader(pusher, engagement).ask("GET", "engagement/safeguards/164.312(b)").json()
    assert shown["status"] == pusher.status("164.312(b)") == "not_satisfied"
    with open_tenant(tenant.pk):
        check, finding = SubmittedCheck.objects.get(), Finding.objects.get(resource_arn="arn:one")
    page = browser.get(f"{base}tools/{check.pk}/?outcome=FAIL").content.decode()
    assert "arn:one" in page
    assert "arn:two" not in page
    page = browser.get(f"{base}findings/{finding.pk}/").content.decode()
    assert f"documents/{document.pk}/" in page
    page = browser.get(f"{base}documents/{document.pk}/").content.decode()
    assert document.receipt in page
    assert "Changed statuses" not in page
    sent = b"".join(browser.get(f"{base}documents/{document.pk}/download/").streaming_content)
    assert json.loads(sent)[0]["resources"][0]["uid"] == "arn:one"
    frozen = {
        "citation": "164.312(b)", "title": "All that failed", "extent": "few", "source": "resources",
        "subject": "prowler:a",
    }  # fmt: skip
    sample = browser.post(f"{base}samples/new/", frozen)
    assert sample.status_code == 302
    elsewhere = make_engagement(tenant, auditor, citations=["164.312(d)"])
    for path in (f"tools/{check.pk}/", f"findings/{finding.pk}/", f"documents/{document.pk}/"):
        assert browser.get(f"/auditor/{elsewhere.pk}/{path}").status_code == 404


def test_a_document_answers_an_auditors_request(pusher):
    """What is in scope alone can be attached; the auditor reads it from the answer, as long as it is in scope."""
    tenant = pusher.machine.tenant
    roster = pusher.push(b"Twelve people were trained.\n", name="roster.txt", citations=TRAINING)
    other = pusher.push(b"A door was mended.\n", name="door.txt", citations="164.310(a)(1)")
    auditor = make_auditor(tenant)
    engagement = make_engagement(tenant, auditor, citations=[TRAINING])
    theirs, ours = sign_in(auditor), sign_in(make_ready_person(Role.SECURITY_OFFICIAL, tenant))
    due = timezone.now().date() + timedelta(days=3)
    wanted = {"citation": TRAINING, "title": "Roster", "text": "Who was trained?", "due_on": due}
    where = theirs.post(f"/auditor/{engagement.pk}/requests/new/", wanted).url
    request_id = where.rstrip("/").rpartition("/")[2]
    page = f"/engagements/{engagement.pk}/requests/{request_id}/"
    offered = ours.get(page).content.decode()
    assert "roster.txt from " in offered
    assert "door.txt" not in offered
    answer = {"act": "answer", "text": "All of them."}
    assert ours.post(f"{page}say/", {**answer, "documents": [str(other.pk)]}).status_code == 422
    assert ours.post(f"{page}say/", {**answer, "documents": [str(roster.pk)]}).status_code == 302
    assert f"/submissions/{roster.pk}/" in ours.get(page).content.decode()
    link = f"/auditor/{engagement.pk}/documents/{roster.pk}/"
    assert link in theirs.get(where).content.decode()
    assert theirs.get(link).status_code == 200
    with open_tenant(tenant.pk):
        [kept] = RequestEvidence.objects.all()
        assert (kept.submission_id, kept.digest) == (roster.pk, roster.digest)
        [_asked, answered] = work_of(engagement).requests[0]["messages"]
        assert (answered["evidence"], answered["documents"]) == ([], [str(roster.pk)])
        Engagement.objects.filter(pk=engagement.pk).update(citations=["164.312(d)"])
        request = EvidenceRequest.objects.get(pk=request_id)
    assert link not in theirs.get(where).content.decode()
    with open_tenant(tenant.pk), pytest.raises(NotFound, match="scope"):
        say(
            request=request, act=RequestAct.ANSWER, side=Side.TENANT, by=auditor.pk, text="x",
            submission_ids=[roster.pk],
        )  # fmt: skip


pytestmark = pytest.mark.django_db(transaction=True)
