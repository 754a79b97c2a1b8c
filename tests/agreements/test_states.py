"""An agreement's state follows from its dates by one rule, the same for both parties."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.agreements.models import VersionKind
from assessments.agreements.needs import NeedKind, count_needs, needs, needs_of
from assessments.agreements.services import NewVersion, add_version, set_stage, terminate_agreement
from assessments.agreements.states import Stage, State
from assessments.agreements.terms import term_end
from assessments.models import Agreement, AgreementTerms
from tests.accounts.factories import make_ready_person, sign_in
from tests.agreements.factories import in_days, make_agreement, terms
from tests.factories import make_person
from tests.partnerships.factories import make_associate, make_partnership

pytestmark = pytest.mark.django_db(transaction=True)
BEGINS, ENDS = date(2030, 1, 1), date(2031, 12, 31)
SIGNED = {"signed_on": date(2020, 1, 1), "effective_from": BEGINS}


def _state(agreement, on: date) -> str:
    with open_tenant(agreement.tenant_id):
        return Agreement.objects.with_state(on).get(pk=agreement.pk).state


@pytest.mark.parametrize(
    ("on", "state"),
    [
        (BEGINS - timedelta(days=1), State.SIGNED), (BEGINS, State.IN_FORCE), (ENDS - timedelta(days=91), State.IN_FORCE),
        (ENDS - timedelta(days=90), State.EXPIRING), (ENDS, State.EXPIRING), (ENDS + timedelta(days=1), State.EXPIRED),
    ],
)  # fmt: skip
def test_a_signed_agreement_is_in_force_from_its_first_day_through_its_last(tenant, on, state):
    assert _state(make_agreement(tenant, ends_on=ENDS, **SIGNED), on) == state


def test_what_renews_itself_or_has_no_end_never_expires(tenant):
    renews = make_agreement(tenant, ends_on=ENDS, renews=True, renewal_months=12, **SIGNED)
    evergreen = make_agreement(tenant, **SIGNED)
    assert {_state(each, date(2099, 1, 1)) for each in (renews, evergreen)} == {State.IN_FORCE}


def test_a_termination_ahead_lets_it_run_out_and_is_one_from_its_day_on(tenant):
    agreement = make_agreement(tenant, ends_on=in_days(900))
    with open_tenant(tenant.pk):
        terminate_agreement(agreement_id=agreement.pk, terminated_on=in_days(200), reason="Moved")
    days = {100: State.IN_FORCE, 199: State.EXPIRING, 200: State.TERMINATED}
    assert {day: _state(agreement, in_days(day)) for day in days} == days


def test_a_draft_stays_one_whatever_its_dates_say(tenant):
    agreement = make_agreement(tenant, kind=VersionKind.DRAFT, effective_from=BEGINS, ends_on=ENDS)
    assert _state(agreement, ENDS + timedelta(days=9)) == State.DRAFT
    with open_tenant(tenant.pk):
        set_stage(agreement_id=agreement.pk, stage=Stage.NEGOTIATION)
    assert _state(agreement, BEGINS) == State.NEGOTIATION


def test_the_business_associate_is_told_the_same_state_by_the_same_rule(tenant):
    partnership = make_partnership(tenant)
    agreement = make_agreement(tenant, associate=partnership.associate, ends_on=ENDS, **SIGNED)
    for on in (BEGINS - timedelta(days=1), BEGINS, ENDS, ENDS + timedelta(days=1)):
        with open_tenant(partnership.viewer_id):
            shown = AgreementTerms.received.with_state(on).get(partnership_id=partnership.pk).state
        assert shown == _state(agreement, on)


@pytest.mark.parametrize(
    ("end", "months", "on", "running"),
    [
        (date(2025, 12, 31), 12, date(2025, 12, 31), date(2025, 12, 31)), (date(2025, 12, 31), 12, date(2026, 1, 1), date(2026, 12, 31)),
        (date(2024, 2, 29), 12, date(2027, 3, 1), date(2028, 2, 29)), (date(2025, 8, 31), 6, date(2025, 9, 1), date(2026, 2, 28)),
        (date(2020, 6, 15), 1, date(2026, 6, 16), date(2026, 7, 15)), (date(2020, 6, 15), 36, date(2026, 6, 15), date(2026, 6, 15)),
    ],
)  # fmt: skip
def test_a_renewed_term_ends_whole_terms_later(end, months, on, running):
    said = type("Row", (), {"ends_on": end, "renews": True, "renewal_months": months})()
    assert term_end(said, on) == running


def test_an_expiry_is_an_alert_on_the_entry_and_on_the_overview(tenant):
    agreement = make_agreement(tenant, ends_on=in_days(-1))
    viewer = sign_in(make_ready_person(Role.VIEWER, tenant))
    assert b"1 business associate agreement expired" in viewer.get("/").content
    tab = viewer.get(f"/business-associates/{agreement.associate_id}/agreement/")
    assert b"Agreement expired" in tab.content
    assert b"This agreement has expired" in viewer.get(f"/agreements/{agreement.pk}/").content
    with open_tenant(tenant.pk):
        renewed = terms(signed_on=in_days(0), effective_from=in_days(0), ends_on=in_days(300))
        add_version(agreement_id=agreement.pk, new=NewVersion(VersionKind.RENEWAL, renewed), by=make_person())
    assert b"agreement expired" not in viewer.get("/").content


def test_each_active_business_associate_without_an_agreement_in_force_needs_one(tenant):
    for name, fields in {
        "Expired": {"ends_on": in_days(-1)}, "Expiring": {"ends_on": in_days(89)}, "Fine": {"ends_on": in_days(91)},
        "Ahead": {"effective_from": in_days(5)}, "Draft": {"kind": VersionKind.DRAFT},
    }.items():  # fmt: skip
        make_agreement(tenant, associate=make_associate(tenant, name=name), **fields)
    bare = make_associate(tenant, name="None")
    with open_tenant(tenant.pk):
        found = [(need.kind, need.associate) for need in needs()]
        assert found[0] == (NeedKind.EXPIRED, "Expired")
        assert {name for kind, name in found if kind is NeedKind.NO_AGREEMENT} == {"Ahead", "Draft", "None"}
        assert found[-1] == (NeedKind.EXPIRING, "Expiring")
        assert {kind: number for kind, number in count_needs().items() if number} == {
            NeedKind.EXPIRED: 1, NeedKind.NO_AGREEMENT: 3, NeedKind.EXPIRING: 1,
        }  # fmt: skip
        assert [need.kind for need in needs_of(bare)] == [NeedKind.NO_AGREEMENT]
        # By the day alone: no job has run.
        assert count_needs(in_days(92))[NeedKind.EXPIRED] == 3
