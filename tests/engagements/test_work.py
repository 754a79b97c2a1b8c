"""An engagement from both sides, by HTTP: opened, asked and answered, sampled, concluded, ended."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, Membership, Person
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.engagements import sampling
from assessments.engagements.models import RequestState, Side
from assessments.engagements.services import sample_document
from assessments.engagements.services.requests import MACHINE, RequestAct
from assessments.models import (
    Conclusion,
    Engagement,
    EngagementAuditor,
    EvidenceRequest,
    RequestEvidence,
    RequestMessage,
    Sample,
)
from tests.accounts.factories import PASSWORD, code_for, give_second_factor, make_ready_person, sign_in
from tests.collected import VERSIONING, collect
from tests.engagements.factories import make_auditor, make_engagement, name_in
from tests.factories import make_person

pytestmark = pytest.mark.django_db(transaction=True)

CITATION = "164.312(c)(1)"
"""Supported by the check of versions of buckets."""


@pytest.fixture
def collected(tenant):
    return collect(tenant)


@pytest.fixture
def auditor(tenant):
    return make_auditor(tenant)


@pytest.fixture
def engagement(tenant, auditor, collected):
    return make_engagement(tenant, auditor)


@pytest.fixture
def browser(auditor, engagement) -> Client:
    return sign_in(auditor)


@pytest.fixture
def official(tenant) -> Client:
    return sign_in(make_ready_person(Role.SECURITY_OFFICIAL, tenant))


def terms(**changed: object) -> dict[str, object]:
    today = timezone.now().date()
    return {
        "title": "Examination", "firm": "Haddad", "period_from": today - timedelta(days=30), "period_to": today,
        "opens_on": today, "closes_on": today + timedelta(days=30), **changed,
    }  # fmt: skip


def asked(tenant, engagement, auditor, browser) -> EvidenceRequest:
    due = timezone.now().date() + timedelta(days=3)
    answer = browser.post(
        f"/auditor/{engagement.pk}/requests/new/",
        {"citation": CITATION, "title": "Versions", "text": "Show the versions of buckets.", "due_on": due},
    )
    assert answer.status_code == 302, answer.content
    with open_tenant(tenant.pk):
        return EvidenceRequest.objects.get(pk=answer.url.rstrip("/").rpartition("/")[2])


def state_of(tenant, request) -> str:
    with open_tenant(tenant.pk):
        return RequestMessage.objects.filter(request=request).order_by("-number")[0].state


def test_every_page_of_an_auditor_answers(tenant, browser, engagement, auditor, collected):
    request = asked(tenant, engagement, auditor, browser)
    finding = collected.finding("scans")
    paths = [
        "", "safeguards/", f"safeguards/{CITATION}/", f"checks/{VERSIONING}/", f"findings/{finding.pk}/", "evidence/",
        f"evidence/{collected.snapshot.pk}/", f"evidence/{collected.snapshot.pk}/download/", "requests/",
        "requests/new/", f"requests/{request.pk}/", "samples/", "samples/new/", "packages/",
    ]  # fmt: skip
    for path in paths:
        answer = browser.get(f"/auditor/{engagement.pk}/{path}")
        assert answer.status_code == 200, path
        if "download" not in path:
            assert b"Read-only, until" in answer.content, path
    assert browser.get("/auditor/help/").status_code == 200
    assert browser.get("/").url == "/auditor/"
    assert engagement.title.encode() in browser.get("/auditor/").content


@pytest.mark.parametrize(
    "path",
    [
        "/safeguards/", "/findings/", "/evidence/", "/connections/", "/members/", "/audit/", "/engagements/",
        "/engagements/new/",
    ],
)  # fmt: skip
def test_the_tenants_own_pages_are_not_there_for_an_auditor(browser, path):
    assert browser.get(path).status_code == 404


def test_an_owner_opens_changes_and_ends_an_engagement(tenant, owner):
    client = sign_in(owner)
    made = client.post("/engagements/new/", terms(citations=[CITATION]))
    assert made.status_code == 302, made.content
    with open_tenant(tenant.pk):
        engagement = Engagement.objects.get()
        assert (engagement.citations, engagement.connection_ids) == ([CITATION], None)
        assert engagement.is_open(timezone.now())
    assert client.post(f"{made.url}edit/", terms(title="Renamed")).status_code == 302
    assert b"Renamed" in client.get(made.url).content
    assert client.post(f"{made.url}end/").status_code == 302
    assert client.post(f"{made.url}end/").status_code == 409
    with open_tenant(tenant.pk):
        entries = AuditEntry.objects.filter(act__startswith="engagement.", outcome="done")
        acts = {"engagement.create", "engagement.change", "engagement.end"}
        assert {entry.act for entry in entries} >= acts


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"period_to": "2020-01-01"}, "period_to"),
        ({"closes_on": "2020-01-01"}, "closes_on"),
        ({"citations": ["164.999"]}, "citations"),
        ({"connections": [str(uuid4())]}, "connections"),
    ],
)
def test_terms_that_can_not_be_are_shown_at_their_field(tenant, owner, changed, field):
    answer = sign_in(owner).post("/engagements/new/", terms(**changed))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    with open_tenant(tenant.pk):
        assert not Engagement.objects.exists()


def test_an_auditor_comes_by_the_invitation_and_leaves_with_the_engagement(tenant, owner, engagement):
    client, newcomer = sign_in(owner), make_person(password=PASSWORD)
    give_second_factor(newcomer)
    client.post(f"/engagements/{engagement.pk}/auditors/add/", {"name": "Nadia", "email": newcomer.email})
    link = re.search(r"/invitations/\S+", mail.outbox[-1].body)[0]
    browser = sign_in_outside(newcomer)
    assert browser.post(link).status_code == 302
    assert browser.get(f"/auditor/{engagement.pk}/").status_code == 200
    with open_tenant(tenant.pk):
        membership = Membership.objects.get(person=newcomer)
        assert membership.role == Role.AUDITOR
        assert membership.ends_at == engagement.closes_at
    client.post(f"/engagements/{engagement.pk}/end/")
    assert browser.get(f"/auditor/{engagement.pk}/").status_code in {302, 404}
    assert browser.get("/auditor/").url.startswith("/tenants/")


def sign_in_outside(person: Person) -> Client:
    """Somebody without a tenant yet."""
    client = Client()
    client.post("/sign-in/", {"email": person.email, "password": PASSWORD})
    client.post("/sign-in/code/", {"code": code_for(person)})
    return client


def test_a_second_engagement_needs_no_second_invitation(tenant, owner, auditor, engagement):
    other = make_engagement(tenant, closes_at=timezone.now() + timedelta(days=90))
    sent = len(mail.outbox)
    answer = sign_in(owner).post(
        f"/engagements/{other.pk}/auditors/add/", {"name": "A", "email": auditor.email}
    )
    assert answer.status_code == 302
    assert len(mail.outbox) == sent + 1
    assert "invit" not in mail.outbox[-1].body
    assert sign_in(auditor).get(f"/auditor/{other.pk}/").status_code == 200
    with open_tenant(tenant.pk):
        assert Membership.objects.get(person=auditor).ends_at == other.closes_at


def test_a_member_in_another_role_can_not_audit(tenant, owner, engagement):
    viewer = make_ready_person(Role.VIEWER, tenant)
    answer = sign_in(owner).post(
        f"/engagements/{engagement.pk}/auditors/add/", {"name": "V", "email": viewer.email}
    )
    assert answer.status_code == 422
    with open_tenant(tenant.pk):
        assert not EngagementAuditor.objects.filter(person=viewer).exists()


def test_a_removed_auditor_gets_nothing_at_the_next_request(tenant, owner, auditor, engagement, browser):
    make_engagement(tenant, auditor)  # so that the membership goes on
    assert browser.get(f"/auditor/{engagement.pk}/").status_code == 200
    with open_tenant(tenant.pk):
        mine = EngagementAuditor.objects.get(engagement=engagement, person=auditor)
    sign_in(owner).post(f"/engagements/{engagement.pk}/auditors/{mine.pk}/remove/")
    assert browser.get(f"/auditor/{engagement.pk}/").status_code == 404
    assert browser.get("/auditor/").status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"closes_at": timezone.now() - timedelta(seconds=1)},
        {"opens_at": timezone.now() + timedelta(hours=1)},
        {"ended_at": timezone.now()},
    ],
)
def test_access_follows_the_clock_at_the_next_request(tenant, engagement, browser, change):
    assert browser.get(f"/auditor/{engagement.pk}/evidence/").status_code == 200
    with open_tenant(tenant.pk):
        Engagement.objects.filter(pk=engagement.pk).update(**change)
    for path in ("", "evidence/", "requests/new/"):
        assert browser.get(f"/auditor/{engagement.pk}/{path}").status_code == 404
    assert browser.post(f"/auditor/{engagement.pk}/requests/new/", {}).status_code == 404


def test_a_request_is_asked_answered_with_evidence_sent_back_and_accepted(
    tenant, auditor, engagement, browser, official, collected
):
    request = asked(tenant, engagement, auditor, browser)
    theirs, ours = f"/auditor/{engagement.pk}/requests/{request.pk}/", f"/engagements/{engagement.pk}/requests/{request.pk}/"  # fmt: skip
    assert state_of(tenant, request) == "asked"
    answer = official.post(
        f"{ours}say/", {"act": "answer", "text": "Here it is.", "evidence": [str(collected.snapshot.pk)]}
    )
    assert answer.status_code == 302, answer.content
    page = browser.get(theirs).content.decode()
    assert "Here it is." in page
    assert f"/auditor/{engagement.pk}/evidence/{collected.snapshot.pk}/" in page
    assert browser.post(f"{theirs}say/", {"act": "need_more", "text": "And scans?"}).status_code == 302
    assert state_of(tenant, request) == "need_more"
    official.post(f"{ours}say/", {"act": "answer", "text": "Scans too."})
    assert browser.post(f"{theirs}say/", {"act": "accept", "text": ""}).status_code == 302
    assert state_of(tenant, request) == "accepted"
    assert b"And scans?" in official.get(ours).content
    with open_tenant(tenant.pk):
        assert RequestEvidence.objects.get().digest == collected.snapshot.blob.digest
        assert [m.number for m in RequestMessage.objects.order_by("number")] == [1, 2, 3, 4, 5]


def test_mails_say_that_something_waits_and_nothing_else(tenant, auditor, engagement, browser, official):
    sent = len(mail.outbox)
    request = asked(tenant, engagement, auditor, browser)
    official.post(
        f"/engagements/{engagement.pk}/requests/{request.pk}/say/", {"act": "answer", "text": "Secret words"}
    )
    to_tenant, to_auditor = mail.outbox[sent:]
    assert to_auditor.to == [auditor.email]
    for message in (to_tenant, to_auditor):
        said = message.subject + message.body
        assert not re.search("Versions|164\\.|Secret|buckets", said)
        assert str(request.pk) in message.body


def test_an_overdue_request_says_so_until_it_is_answered(
    tenant, auditor, engagement, browser, official, collected
):
    request = asked(tenant, engagement, auditor, browser)
    with open_tenant(tenant.pk):
        EvidenceRequest.objects.filter(pk=request.pk).update(due_on=timezone.now().date() - timedelta(days=1))
    listing = f"/engagements/{engagement.pk}/"
    assert b"overdue" in official.get(listing).content
    assert b"1 overdue" in official.get("/engagements/").content
    assert b"overdue" in browser.get(f"/auditor/{engagement.pk}/requests/").content
    official.post(f"{listing}requests/{request.pk}/say/", {"act": "answer", "text": "Late."})
    assert b"overdue" not in official.get(listing).content


@pytest.mark.parametrize("act", list(RequestAct))
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("state", list(RequestState))
def test_the_machine_lets_pass_what_its_table_says_and_no_more(
    tenant, auditor, engagement, browser, official, state, side, act
):
    with open_tenant(tenant.pk):
        request = EvidenceRequest.objects.create(
            engagement=engagement,
            citation=CITATION,
            title="t",
            due_on=timezone.now().date(),
            asked_by=auditor,
        )
        RequestMessage.objects.create(
            request=request, number=1, side="auditor", author=auditor, act="ask", state=state, text="t"
        )
    client, base = (browser, "auditor") if side is Side.AUDITOR else (official, "engagements")
    answer = client.post(
        f"/{base}/{engagement.pk}/requests/{request.pk}/say/", {"act": str(act), "text": "words"}
    )
    leads_to = MACHINE.get((side, act), {}).get(state)
    assert (answer.status_code == 302) == (leads_to is not None), (answer.status_code, state, side, act)
    assert state_of(tenant, request) == (leads_to or state)


def test_who_answers_is_assigned_and_gets_the_mail(tenant, auditor, engagement, browser, official):
    request = asked(tenant, engagement, auditor, browser)
    helper, viewer = make_ready_person(Role.CONTRIBUTOR, tenant), make_ready_person(Role.VIEWER, tenant)
    with open_tenant(tenant.pk):
        may, may_not = (Membership.objects.get(person=who).pk for who in (helper, viewer))
    path = f"/engagements/{engagement.pk}/requests/{request.pk}/"
    assert official.post(f"{path}assign/", {"owner": may_not}).status_code == 409
    assert official.post(f"{path}assign/", {"owner": uuid4()}).status_code == 404
    assert official.post(f"{path}assign/", {"owner": "x"}).status_code == 400
    assert official.post(f"{path}assign/", {"owner": may}).status_code == 302
    assert mail.outbox[-1].to == [helper.email]
    assert sign_in(helper).post(f"{path}say/", {"act": "answer", "text": "Yes."}).status_code == 302
    assert sign_in(viewer).get(path).status_code == 200
    assert sign_in(viewer).post(f"{path}say/", {"act": "comment", "text": "x"}).status_code == 403


def test_evidence_beyond_the_scope_can_not_be_attached(
    tenant, auditor, engagement, browser, official, collected
):
    request = asked(tenant, engagement, auditor, browser)
    with open_tenant(tenant.pk):
        Engagement.objects.filter(pk=engagement.pk).update(connection_ids=[])
    path = f"/engagements/{engagement.pk}/requests/{request.pk}/say/"
    given = {"act": "answer", "text": "x", "evidence": [str(collected.snapshot.pk)]}
    assert official.post(path, given).status_code == 422
    with open_tenant(tenant.pk):
        assert not RequestEvidence.objects.exists()


def frozen(tenant, engagement, browser, **changed: str) -> Sample:
    given = {
        "citation": CITATION, "title": "Buckets", "extent": "few", "source": "resources", "subject": VERSIONING,
        **changed,
    }  # fmt: skip
    answer = browser.post(f"/auditor/{engagement.pk}/samples/new/", given)
    assert answer.status_code == 302, answer.context["form"].errors
    with open_tenant(tenant.pk):
        return Sample.objects.get(pk=answer.url.rstrip("/").rpartition("/")[2])


def test_a_sample_is_frozen_seeded_drawn_replaced_and_judged(tenant, engagement, browser, official):
    buckets = {f"bucket-{number}": True for number in range(9)}
    collect(tenant, versioned=buckets)
    sample = frozen(tenant, engagement, browser)
    assert len(sample.population) == 11
    assert sample.population == sorted(sample.population)
    assert sample.population_sha256 == sampling.population_sha256(sample.population)
    path = f"/auditor/{engagement.pk}/samples/{sample.pk}/"
    assert browser.post(f"{path}draw/", {"seed": "dice 4 2 6", "size": 12}).status_code == 422
    assert browser.post(f"{path}draw/", {"seed": "dice 4 2 6", "size": 3}).status_code == 302
    assert browser.post(f"{path}draw/", {"seed": "better dice", "size": 3}).status_code == 422
    order = sampling.ranked(sample.population, "dice 4 2 6")
    with open_tenant(tenant.pk):
        first = sample.items.get(position=0)
        assert [each.item for each in sample.items.order_by("position")] == order[:3]
    assert browser.post(f"{path}items/{first.pk}/replace/", {"reason": ""}).status_code == 422
    assert browser.post(f"{path}items/{first.pk}/replace/", {"reason": "was deleted"}).status_code == 302
    assert browser.post(f"{path}items/{first.pk}/replace/", {"reason": "again"}).status_code == 422
    assert browser.post(f"{path}items/{first.pk}/result/", {"result": "effective"}).status_code == 422
    with open_tenant(tenant.pk):
        fourth = sample.items.get(position=3)
    assert (
        browser.post(f"{path}items/{fourth.pk}/result/", {"result": "not_effective"}).status_code == 422
    )  # without a note
    browser.post(f"{path}items/{fourth.pk}/result/", {"result": "effective", "note": ""})
    browser.post(f"{path}items/{fourth.pk}/result/", {"result": "not_effective", "note": "No versions."})
    assert b"No versions." in browser.get(path).content
    assert b"No versions." in official.get(f"/engagements/{engagement.pk}/samples/{sample.pk}/").content
    with open_tenant(tenant.pk):
        said = sample_document(sample)
    assert said["drawn"] == order[:3]
    assert said["replacements"] == [{"out": order[0], "in": order[3], "reason": "was deleted"}]
    assert said["results"] == [{"item": order[3], "result": "not_effective", "note": "No versions."}]


def test_a_test_of_the_period_looks_at_every_day(tenant, engagement, browser):
    sample = frozen(tenant, engagement, browser, extent="period", source="days", subject="")
    assert len(sample.population) == 31
    page = browser.get(f"/auditor/{engagement.pk}/samples/{sample.pk}/").content.decode()
    assert page.count("nothing collected on the day") == 30
    assert page.count("1 answer collected on the day") == 1


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"source": "failures", "citation": "164.310(a)(1)"}, "source"),
        ({"subject": "iam_root_mfa"}, "subject"),
        ({"source": "days"}, "source"),
        ({"citation": "164.999"}, "citation"),
    ],
)
def test_a_population_that_can_not_be_is_refused(tenant, engagement, browser, changed, field):
    given = {
        "citation": CITATION,
        "title": "t",
        "extent": "few",
        "source": "resources",
        "subject": VERSIONING,
    }
    answer = browser.post(f"/auditor/{engagement.pk}/samples/new/", {**given, **changed})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors


@pytest.mark.parametrize(("source", "number"), [("runs", 1), ("failures", 2), ("members", 0)])
def test_populations_of_other_kinds(tenant, engagement, browser, source, number):
    path = f"/auditor/{engagement.pk}/samples/new/"
    given = {"citation": CITATION, "title": "t", "extent": "one", "source": source, "subject": ""}
    answer = browser.post(path, given)
    assert answer.status_code == (302 if number else 422)
    with open_tenant(tenant.pk):
        assert [len(sample.population) for sample in Sample.objects.all()] == [number] * bool(number)


def test_comments_are_read_by_both_and_conclusions_when_they_are_shared(
    tenant, engagement, browser, official, auditor
):
    theirs = f"/auditor/{engagement.pk}/safeguards/{CITATION}/"
    ours = f"/engagements/{engagement.pk}/safeguards/{CITATION}/"
    browser.post(f"{theirs}comment/", {"comment-text": "Which key?"})
    official.post(f"{ours}comment/", {"text": "Ours."})
    for client, path in ((browser, theirs), (official, ours)):
        page = client.get(path).content.decode()
        assert page.index("Which key?") < page.index("Ours.")
    browser.post(
        f"{theirs}conclude/", {"conclude-judgement": "not_effective", "conclude-reasons": "Draft reasons"}
    )
    assert b"Draft reasons" in browser.get(theirs).content
    assert b"Draft reasons" not in official.get(ours).content
    assert (
        b"No conclusion was shared" in official.get(f"/engagements/{engagement.pk}/?tab=conclusions").content
    )
    given = {"conclude-judgement": "effective", "conclude-reasons": "Final reasons", "conclude-shared": "on"}
    assert browser.post(f"{theirs}conclude/", given).status_code == 302
    assert b"Final reasons" in official.get(ours).content
    assert b"Draft reasons" not in official.get(ours).content
    with open_tenant(tenant.pk):
        assert [row.version for row in Conclusion.objects.order_by("version")] == [1, 2]


def test_the_tenant_sees_which_evidence_the_auditor_opened(
    tenant, engagement, browser, official, collected, auditor
):
    browser.get(f"/auditor/{engagement.pk}/evidence/{collected.snapshot.pk}/")
    browser.get(f"/auditor/{engagement.pk}/evidence/{collected.snapshot.pk}/download/")
    page = official.get(f"/engagements/{engagement.pk}/?tab=access")
    opened = {(each.act, each.object_id, each.who) for each in page.context["opened"]}
    snapshot = str(collected.snapshot.pk)
    assert {
        ("evidence.read", snapshot, auditor.email),
        ("evidence.export", snapshot, auditor.email),
    } <= opened
    other = make_engagement(tenant)
    with open_tenant(tenant.pk):
        name_in(other, auditor)
    assert not official.get(f"/engagements/{other.pk}/?tab=access").context["opened"]


def test_what_both_sides_did_in_an_ended_engagement_stays_readable_for_the_tenant_and_closed(
    tenant, engagement, browser, official, auditor
):
    request = asked(tenant, engagement, auditor, browser)
    official.post(f"/engagements/{engagement.pk}/end/")
    path = f"/engagements/{engagement.pk}/requests/{request.pk}/"
    assert official.get(path).status_code == 200
    assert official.post(f"{path}say/", {"act": "answer", "text": "x"}).status_code == 409
