"""Machines of an engagement's auditors: they read what it shows, on the auditors' connection, until it closes."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.audit.events import Act
from accounts.clients.scopes import Reach, Scope
from accounts.clients.services import Audited, create_client
from accounts.errors import InvalidInput
from accounts.models import ApiClient, AuditEntry, Membership
from accounts.permissions import Role
from accounts.tenancy.scope import AUDITOR, open_tenant
from assessments.engagements.models import Side
from assessments.engagements.services.requests import RequestAct, say
from assessments.models import Engagement, EvidenceRequest, Finding
from tests.accounts.factories import make_ready_person, sign_in
from tests.api.kit import ApiMachine, exchange, make_machine
from tests.collected import collect
from tests.engagements.factories import make_auditor, make_engagement
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)
PATHS = ("", "/safeguards", "/findings", "/evidence", "/requests")


@pytest.fixture
def tenant(transactional_db):
    return make_tenant()


@pytest.fixture
def seen(tenant):
    return collect(tenant)


@pytest.fixture
def engagement(tenant, seen):
    return make_engagement(tenant, connection_ids=[seen.connection.pk], citations=["164.312(c)(1)"])


def machine_of(engagement: Engagement, tenant) -> ApiMachine:
    audited = Audited(engagement.pk, engagement.closes_at)
    return make_machine(Scope.ENGAGEMENT_AUDIT, tenant=tenant, audited=audited, days=300)


@pytest.fixture
def machine(engagement, tenant):
    return machine_of(engagement, tenant)


def test_it_reads_what_the_engagement_shows_and_nothing_beyond(machine, tenant, engagement, seen):
    hidden = collect(tenant)
    with open_tenant(tenant.pk):
        asked = EvidenceRequest.objects.create(
            engagement=engagement, citation="164.312(c)(1)", title="Leavers", due_on=timezone.now().date(), asked_by=engagement.created_by
        )  # fmt: skip
        asked.messages.create(
            number=1, side="auditor", author=engagement.created_by, act="ask", state="asked", text="Who left?"
        )
    shown = {path: machine.ask("GET", f"engagement{path}").json() for path in PATHS}
    assert shown[""]["id"] == str(engagement.pk)
    cited = {each["citation"] for each in shown["/safeguards"]["data"]}
    assert cited == {"164.312(c)(1)", "164.312(c)(2)"}
    assert "164.312(b)" not in cited
    assert {each["connection"] for each in shown["/findings"]["data"]} == {str(seen.connection.pk)}
    assert [each["id"] for each in shown["/evidence"]["data"]] == [str(seen.snapshot.pk)]
    assert [(each["title"], each["state"]) for each in shown["/requests"]["data"]] == [("Leavers", "asked")]
    finding = shown["/findings"]["data"][0]
    history = machine.ask("GET", f"engagement/findings/{finding['id']}").json()
    assert history["periods"][0]["outcome"] == finding["outcome"]
    content = machine.ask("GET", f"engagement/evidence/{seen.snapshot.pk}/content")
    assert content["Content-Disposition"].startswith("attachment")
    assert machine.ask("GET", "engagement/safeguards/164.312(c)(1)").json()["citation"] == "164.312(c)(1)"
    assert (
        machine.ask("GET", "engagement/findings?outcome=FAIL&limit=1").json()["data"][0]["outcome"] == "FAIL"
    )
    with open_tenant(tenant.pk):
        theirs = Finding.objects.filter(connection=hidden.connection, check_id=finding["check"])[0]
    for beyond in (
        "safeguards/164.312(b)", f"evidence/{hidden.snapshot.pk}", f"evidence/{hidden.snapshot.pk}/content",
        f"findings/{theirs.pk}",
    ):  # fmt: skip
        assert machine.ask("GET", f"engagement/{beyond}").status_code == 404, beyond
    for other in (
        "findings",
        "evidence",
        "audit-entries",
        "engagements",
        f"evidence/{seen.snapshot.pk}/content",
    ):
        assert machine.ask("GET", other).status_code == 403, other


def test_both_sides_read_a_requests_thread_and_the_auditors_what_is_in_scope_of_it(
    machine, tenant, engagement, seen
):
    with open_tenant(tenant.pk):
        asked = EvidenceRequest.objects.create(
            engagement=engagement, citation="164.312(c)(1)", title="Trails", due_on=timezone.now().date(), asked_by=engagement.created_by
        )  # fmt: skip
        asked.messages.create(
            number=1, side="auditor", author=engagement.created_by, act="ask", state="asked", text="Which?"
        )
        by = engagement.created_by_id
        say(
            request=asked, act=RequestAct.ANSWER, side=Side.TENANT, by=by, text="This.", snapshot_ids=[seen.snapshot.pk]
        )  # fmt: skip
        elsewhere = make_engagement(tenant)
    ours = make_machine(Scope.ENGAGEMENTS_READ, tenant=tenant)
    lists = f"engagements/{engagement.pk}/requests"
    theirs = machine.ask("GET", f"engagement/requests/{asked.pk}").json()
    assert theirs == ours.ask("GET", f"{lists}/{asked.pk}").json()
    [listed] = ours.ask("GET", lists).json()["data"]
    assert listed == {name: value for name, value in theirs.items() if name != "messages"}
    first, second = theirs["messages"]
    assert (first["number"], first["act"], first["side"], first["text"]) == (1, "ask", "auditor", "Which?")
    attached = {"id": str(seen.snapshot.pk), "digest": seen.snapshot.blob.digest}
    assert (second["state"], second["evidence"], second["submissions"]) == ("answered", [attached], [])
    with open_tenant(tenant.pk):
        Engagement.objects.filter(pk=engagement.pk).update(connection_ids=[])
    assert machine.ask("GET", f"engagement/requests/{asked.pk}").json()["messages"][1]["evidence"] == []
    assert ours.ask("GET", f"{lists}/{asked.pk}").json() == theirs
    assert ours.ask("GET", f"engagements/{elsewhere.pk}/requests/{asked.pk}").status_code == 404
    other = machine_of(elsewhere, tenant)
    assert other.ask("GET", f"engagement/requests/{asked.pk}").status_code == 404
    assert machine.ask("GET", f"{lists}/{asked.pk}").status_code == 403


def test_its_requests_run_on_the_auditors_connection_and_stand_in_the_log(machine, tenant, engagement, seen):
    machine.token = machine.fetch().json()["access_token"]
    with (
        CaptureQueriesContext(connections[AUDITOR]) as theirs,
        CaptureQueriesContext(connections["default"]) as ours,
    ):
        assert machine.ask("GET", f"engagement/evidence/{seen.snapshot.pk}/content").status_code == 200
        assert machine.ask("GET", "engagement/findings").status_code == 200
        assert machine.ask("GET", "engagement/safeguards/164.312(b)").status_code == 404
    for table in ("assessments_engagement", "evidence_snapshot", "assessments_findingperiod"):
        assert any(table in said["sql"] for said in theirs), table
        assert not any(table in said["sql"] for said in ours), table
    with open_tenant(tenant.pk):
        entries = AuditEntry.objects.filter(actor_id=str(machine.made.client.pk)).order_by("occurred_at")
        said = [
            (entry.act, entry.outcome, json.loads(bytes(entry.body))["details"].get("engagement"))
            for entry in entries[1:]
        ]
    its = str(engagement.pk)
    assert said[:2] == [(Act.EVIDENCE_EXPORT, "done", its), (Act.POSTURE_READ, "done", its)]
    assert [outcome for _, outcome, _ in said[2:]] == ["refused"]
    page = (
        sign_in(make_ready_person(Role.OWNER, tenant)).get(f"/engagements/{its}/?tab=access").content.decode()
    )
    assert "API client: Scanner" in page


def test_it_ends_with_the_engagement(machine, tenant, engagement):
    assert machine.made.client.expires_at == engagement.closes_at
    assert machine.ask("GET", "engagement").status_code == 200
    for change in (
        {"ended_at": timezone.now()}, {"opens_at": timezone.now() + timedelta(days=1)},
        {"opens_at": timezone.now() - timedelta(days=3), "closes_at": timezone.now()},
    ):  # fmt: skip
        with open_tenant(tenant.pk):
            Engagement.objects.filter(pk=engagement.pk).update(**change)
        assert [machine.ask("GET", f"engagement{path}").status_code for path in PATHS] == [404] * 5
        with open_tenant(tenant.pk):
            Engagement.objects.filter(pk=engagement.pk).update(
                ended_at=None, opens_at=engagement.opens_at, closes_at=engagement.closes_at
            )


def test_a_client_is_the_auditors_or_the_tenants_own(machine, tenant, engagement):
    audited = Audited(engagement.pk, engagement.closes_at)
    over = Audited(engagement.pk, timezone.now())
    with open_tenant(tenant.pk):
        owner = Membership.objects.filter(role=Role.OWNER).first()
        for scopes, given in (
            ({Scope.ENGAGEMENT_AUDIT}, None), ({Scope.FINDINGS_READ}, audited), ({Scope.ENGAGEMENT_AUDIT, Scope.FINDINGS_READ}, audited),
            ({Scope.ENGAGEMENT_AUDIT}, over),
        ):  # fmt: skip
            with pytest.raises(InvalidInput):
                create_client(
                    name="x",
                    scopes=frozenset(scopes),
                    reach=Reach(),
                    networks=(),
                    days=9,
                    by=owner,
                    audited=given,
                )
    own = make_machine(tenant=tenant)
    assert own.ask("GET", "engagement").status_code == 403
    browser = sign_in(make_ready_person(Role.OWNER, tenant))
    form = {
        "name": "Auditors' script",
        "scopes": ["engagement:audit"],
        "days": 90,
        "networks": "",
        "engagement": str(engagement.pk),
    }
    assert browser.post("/api-clients/new/", {**form, "scopes": ["findings:read"]}).status_code == 422
    elsewhere = make_engagement(make_tenant())
    assert browser.post("/api-clients/new/", {**form, "engagement": str(elsewhere.pk)}).status_code == 422
    assert browser.post("/api-clients/new/", form).status_code == 200
    with open_tenant(tenant.pk):
        made = ApiClient.objects.get(name="Auditors' script")
    assert (made.engagement, made.expires_at) == (engagement.pk, engagement.closes_at)
    assert "Examination 2026" in browser.get(f"/api-clients/{made.pk}/").content.decode()


def test_an_auditor_reads_the_same_in_the_browser_and_others_do_not(tenant, engagement):
    auditor = make_auditor(tenant)
    one = make_engagement(tenant, auditor)
    browser = sign_in(auditor)
    assert browser.get("/api/v1/engagement").json()["id"] == str(one.pk)
    make_engagement(tenant, auditor)
    assert browser.get("/api/v1/engagement").status_code == 400
    assert sign_in(make_auditor(tenant)).get("/api/v1/engagement").status_code == 404
    assert sign_in(make_ready_person(Role.OWNER, tenant)).get("/api/v1/engagement").status_code == 403
    assert exchange(engagement.pk, "urn:ietf:params:oauth:token-type:jwt", "x").status_code == 400
