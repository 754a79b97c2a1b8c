"""The list of business associates as a security official of a covered entity works with it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.audit.models import AuditEntry
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.agreements.models import VersionKind
from assessments.models import ChainNode, Exit, Partnership, SharedPosture
from assessments.notices.sending import send_notices
from assessments.portfolio.reasons import Reason
from assessments.sharing.levels import Level
from assessments.sharing.services import revoke_grant
from tests.accounts.factories import make_ready_person, sign_in
from tests.agreements.factories import in_days, make_agreement
from tests.factories import make_member, make_tenant
from tests.notices.factories import a_draft
from tests.partnerships.factories import make_associate, make_partnership
from tests.sharing.factories import grant
from tests.verifications.factories import make_relation

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/business-associates/"


@pytest.fixture
def official(tenant):
    return sign_in(make_ready_person(Role.SECURITY_OFFICIAL, tenant))


def _show(relation: Partnership, make: Callable[..., Any], **fields: Any) -> Any:
    """A row of the downstream party's, shown to the upstream one of a partnership."""
    with open_tenant(relation.viewer_id):
        return make(viewer_id=relation.tenant_id, **{"partnership_id": relation.pk, **fields})


def show_node(relation: Partnership, **fields: Any) -> ChainNode:
    name = secrets.token_hex(4)
    given = {
        "pseudonym": name,
        "path": [name],
        "service": "hosting",
        "agreement_state": "in_force",
        "broken": [],
    }
    return _show(relation, ChainNode.objects.create, **{**given, "depth": 1, "subject": b"", **fields})


def _reasons(client) -> dict[str, tuple[Reason, ...]]:
    return {row.name: row.standing.reasons for row in client.get(LIST).context["rows"]}


def _told(tenant) -> list[AuditEntry]:
    with open_tenant(tenant.pk):
        return list(AuditEntry.objects.filter(actor_kind="partner"))


def test_a_broken_link_puts_its_business_associate_before_the_others(official, tenant):
    make_agreement(tenant, associate=make_associate(tenant, name="A quiet one", volume="more"))
    relation = make_partnership(tenant, make_tenant("Zinc Hosting", kind="business_associate"))
    make_agreement(tenant, associate=relation.associate)
    show_node(relation)
    show_node(relation, broken=["agreement"])
    answer = official.get(LIST)
    first = answer.context["rows"][0]
    assert (first.name, first.standing.reasons[0]) == ("Zinc Hosting", Reason.CHAIN_BROKEN)
    assert (first.facts["subcontractors"], first.facts["broken_links"]) == (2, 1)
    assert dict(answer.context["tiles"])[Reason.CHAIN_BROKEN] == 1
    assert [row.name for row in official.get(LIST, {"why": "chain_broken"}).context["rows"]] == [
        "Zinc Hosting"
    ]


def test_agreements_come_first_none_before_one_that_ends_soon(official, tenant):
    for name, days in (("Ends late", 200), ("Ends soon", 30), ("Has ended", -1)):
        make_agreement(tenant, associate=make_associate(tenant, name=name), ends_on=in_days(days))
    make_agreement(tenant, associate=make_associate(tenant, name="In talks"), kind=VersionKind.DRAFT)
    make_associate(tenant, name="Never had one")
    rows = official.get(LIST).context["rows"]
    assert [row.name for row in rows] == ["Has ended", "In talks", "Never had one", "Ends soon", "Ends late"]
    assert [row.standing.reasons for row in rows[2:]] == [(Reason.NO_AGREEMENT,), (Reason.EXPIRING,), ()]
    narrowed = official.get(LIST, {"why": "no_agreement", "text": "in talks"}).context
    assert ([row.name for row in narrowed["rows"]], narrowed["all"]) == (["In talks"], 5)


def test_a_posture_stands_on_its_row_and_a_revoked_one_is_gone_from_the_next_request(official, tenant):
    relation = make_partnership(tenant, make_tenant("Zinc Hosting", kind="business_associate"))
    granted = grant(relation, Level.COUNTS)
    old = timezone.now() - timedelta(days=31)
    with open_tenant(relation.viewer_id):
        SharedPosture.objects.update(
            evidenced=1, gaps=2, not_evidenced=0, undetermined=0, required_gaps=1, oldest_evidence_at=old
        )
    (row,) = official.get(LIST).context["rows"]
    assert {Reason.REQUIRED_GAP, Reason.STALE} <= set(row.standing.reasons)
    assert (row.posture_words, row.facts["oldest_evidence_at"]) == ("1 evidenced, 2 with a gap, of 3", old)
    page = official.get(f"{LIST}{row.associate.pk}/")
    assert sum(page.context["drawn"].chart.rows[-1][1]) == len(granted.citations)
    with open_tenant(relation.viewer_id):
        revoke_grant(grant_id=granted.pk)
    (row,) = official.get(LIST).context["rows"]
    assert row.facts["grant_id"] is None
    assert not {Reason.REQUIRED_GAP, Reason.STALE} & set(row.standing.reasons)
    assert official.get(f"{LIST}{row.associate.pk}/").context["drawn"] is None


def test_a_verification_that_never_came_is_overdue_after_a_year(official, tenant):
    for name, days in (("Zinc Hosting", 400), ("Lead Hosting", 300)):
        make_relation(tenant, make_tenant(name, kind="business_associate"), age_days=days)
    reasons = _reasons(official)
    assert Reason.VERIFICATION_OVERDUE in reasons["Zinc Hosting"]
    assert Reason.VERIFICATION_OVERDUE not in reasons["Lead Hosting"]
    words = {row.name: row.verification_word for row in official.get(LIST).context["rows"]}
    assert words == {"Zinc Hosting": "overdue", "Lead Hosting": "first one to come"}


def test_phi_that_is_not_back_in_time_needs_doing_until_the_exit_is_closed(official, tenant):
    for name, days in (("Zinc Hosting", -1), ("Lead Hosting", 1)):
        make_agreement(tenant, associate=(associate := make_associate(tenant, name=name)))
        with open_tenant(tenant.pk):
            Exit.objects.create(
                associate=associate, viewer_id=tenant.pk, items=[], runs_from=in_days(-60), return_days=60,
                due_at=timezone.now() + timedelta(days=days),
            )  # fmt: skip
    assert _reasons(official) == {"Zinc Hosting": (Reason.EXIT_OVERDUE,), "Lead Hosting": ()}
    with open_tenant(tenant.pk):
        Exit.objects.update(closed_at=timezone.now())
    assert _reasons(official)["Zinc Hosting"] == ()


def test_a_drill_is_no_open_notice(official, tenant):
    relation = make_partnership(tenant, make_tenant("Zinc Hosting", kind="business_associate"))
    with open_tenant(relation.viewer_id):
        by = make_member(relation.viewer)
        send_notices(draft=a_draft(drill=True), to={relation.pk}, by=by)
    assert Reason.NOTICE_OPEN not in _reasons(official)["Zinc Hosting"]
    with open_tenant(relation.viewer_id):
        send_notices(draft=a_draft(), to={relation.pk}, by=by)
    assert Reason.NOTICE_OPEN in _reasons(official)["Zinc Hosting"]


@pytest.mark.parametrize("field", ["withdrawn_at", "shown_until"])
def test_nothing_is_known_through_a_partnership_that_has_ended(official, tenant, field):
    relation = make_partnership(tenant, make_tenant("Zinc Hosting", kind="business_associate"))
    show_node(relation)
    with open_tenant(tenant.pk):
        Partnership.objects.update(**{field: timezone.now() - timedelta(seconds=1)})
    (row,) = official.get(LIST).context["rows"]
    assert set(row.facts.values()) == {None}


def test_nobody_speaks_for_anothers_partnership(official, tenant):
    relation = make_partnership(tenant, make_tenant("Zinc Hosting", kind="business_associate"))
    intruder = make_tenant("Lead Hosting", kind="business_associate")
    make_partnership(tenant, intruder)
    with open_tenant(intruder.pk):
        ChainNode.objects.create(
            viewer=tenant, partnership_id=relation.pk, pseudonym="x", path=["x"], depth=1, subject=b"",
            service="hosting", agreement_state="expired", broken=["agreement"],
        )  # fmt: skip
    assert all(Reason.CHAIN_BROKEN not in reasons for reasons in _reasons(official).values())


def test_each_whose_row_is_shown_is_told_once_who_read_it_and_no_other_is(official, tenant):
    partners = [make_tenant(f"Vendor {number}", kind="business_associate") for number in range(3)]
    for partner in partners[:2]:
        show_node(make_partnership(tenant, partner))
    make_partnership(tenant, partners[2])
    official.get(LIST)
    for partner in partners[:2]:
        (entry,) = _told(partner)
        assert (entry.act, entry.actor_name, entry.actor_id) == ("chain.read", tenant.name, str(tenant.pk))
    assert _told(partners[2]) == []
    official.get(LIST, {"text": "Vendor 0"})
    assert [len(_told(partner)) for partner in partners] == [2, 1, 0]


def test_where_the_others_logs_cannot_be_written_nothing_is_shown(official, tenant, monkeypatch):
    relation = make_partnership(tenant, make_tenant("Zinc Hosting", kind="business_associate"))
    show_node(relation)

    def refuse(_entries: object) -> None:
        raise OperationalError

    monkeypatch.setattr("accounts.audit.log.keep_entries", refuse)
    answer = official.get(LIST)
    assert answer.status_code == 503
    assert b"Zinc Hosting" not in answer.content
