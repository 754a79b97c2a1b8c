"""Reminders before an agreement lapses, and its place in the calendar: once, to whom it concerns, moved with its dates."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from django.urls import reverse

from accounts.audit.models import AuditEntry
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.agreements import reminders
from assessments.agreements.duties import duties
from assessments.agreements.models import VersionKind
from assessments.agreements.services import NewVersion, add_version, terminate_agreement
from assessments.models import AgreementReminder, Timer
from assessments.timers.services import run_timer
from tasks.timers import HANDLERS
from tests.agreements.factories import in_days, make_agreement, terms
from tests.factories import make_member, make_person
from tests.partnerships.factories import make_associate, make_partnership

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(tenant) -> set[str]:
    make_member(tenant, Role.VIEWER)
    return {make_member(tenant, role).email for role in (Role.OWNER, Role.SECURITY_OFFICIAL)}


@pytest.fixture
def associate(tenant):
    return make_associate(tenant, name="Cedar Billing", contact_email="pat@cedar.example")


def _timer(agreement) -> Timer:
    with open_tenant(agreement.tenant_id):
        return Timer.objects.get(kind=reminders.TIMER, row_id=agreement.pk)


def _ring(agreement) -> bool:
    timer = _timer(agreement)
    return run_timer(tenant_id=agreement.tenant_id, timer_id=timer.pk, handlers=HANDLERS)


def _at(day, days: int = 0) -> datetime:
    return datetime.combine(day - timedelta(days=days), time(12), UTC)


def test_it_is_told_90_30_and_7_days_before_and_when_it_has_lapsed(
    tenant, people, associate, mailoutbox, time_machine
):
    agreement = make_agreement(tenant, associate=associate, ends_on=in_days(200))
    end, told = in_days(200), []
    for days, others in ((90, set()), (30, {"pat@cedar.example"}), (7, {"pat@cedar.example"}), (-1, set())):
        assert _timer(agreement).ring_at == _at(end, days)
        time_machine.move_to(_at(end, days) + timedelta(minutes=1), tick=False)
        mailoutbox.clear()
        assert _ring(agreement)
        assert {message.to[0] for message in mailoutbox} == people | others
        told += [message.subject for message in mailoutbox if message.to[0] in people]
    assert _timer(agreement).ring_at is None
    assert sorted(set(told)) == [
        "A business associate agreement ends in 30 days", "A business associate agreement ends in 7 days",
        "A business associate agreement ends in 90 days", "A business associate agreement has lapsed",
    ]  # fmt: skip
    with open_tenant(tenant.pk):
        assert list(AgreementReminder.objects.order_by("sent_at").values_list("days", flat=True)) == [
            90, 30, 7, 0,
        ]  # fmt: skip
        assert AuditEntry.objects.filter(act="agreement.remind", object_id=str(agreement.pk)).count() == 4


def test_a_stop_is_told_once_and_the_latest_of_several_that_a_worker_missed(
    tenant, people, associate, mailoutbox, time_machine
):
    agreement = make_agreement(tenant, associate=associate, ends_on=in_days(200))
    time_machine.move_to(_at(in_days(200), 6), tick=False)
    with open_tenant(tenant.pk):
        again = [HANDLERS[reminders.TIMER](agreement.pk) for _ in range(2)]
    assert again == [_at(agreement.ends_on, -1)] * 2
    assert len(mailoutbox) == 3
    assert all("7 days" in message.subject for message in mailoutbox)


def test_a_renewal_moves_the_clock_and_nothing_is_told_after_it(
    tenant, people, associate, mailoutbox, time_machine
):
    agreement = make_agreement(tenant, associate=associate, ends_on=in_days(100))
    time_machine.move_to(_at(in_days(100), 20), tick=False)
    renewed = {"signed_on": in_days(0), "effective_from": in_days(0), "ends_on": in_days(600)}
    with open_tenant(tenant.pk):
        new = NewVersion(VersionKind.RENEWAL, terms(**renewed))
        add_version(agreement_id=agreement.pk, new=new, by=make_person())
    assert _timer(agreement).ring_at == _at(in_days(600), 90)
    assert not _ring(agreement)
    assert mailoutbox == []


@pytest.mark.parametrize(
    "fields",
    [{}, {"ends_on": in_days(50), "renews": True, "renewal_months": 12}, {"kind": VersionKind.DRAFT, "ends_on": in_days(50)}],
    ids=["no end", "renews itself", "a draft"],
)  # fmt: skip
def test_what_does_not_lapse_has_no_clock(tenant, fields):
    agreement = make_agreement(tenant, **fields)
    with open_tenant(tenant.pk):
        assert not Timer.objects.filter(row_id=agreement.pk, ring_at__isnull=False).exists()


def test_a_termination_stops_the_clock(tenant):
    agreement = make_agreement(tenant, ends_on=in_days(50))
    with open_tenant(tenant.pk):
        terminate_agreement(agreement_id=agreement.pk, terminated_on=in_days(10), reason="Moved")
    assert _timer(agreement).ring_at is None


def test_the_calendar_holds_the_end_and_the_last_day_to_refuse_a_renewal(tenant):
    make_agreement(tenant, associate=make_associate(tenant, name="Ends"), ends_on=in_days(40))
    make_agreement(
        tenant, associate=make_associate(tenant, name="Renews"), ends_on=in_days(-10), renews=True,
        renewal_months=3, notice_days=30,
    )  # fmt: skip
    reverse("agreement-list")  # every address is loaded now, and not in the transaction
    now = datetime.now(UTC)
    with open_tenant(tenant.pk):
        found = {duty.title: duty for duty in duties(now, now + timedelta(days=120))}
    assert set(found) == {
        "Renew or replace the agreement with Ends",
        "Last day to refuse the renewal with Renews",
    }
    assert found["Renew or replace the agreement with Ends"].at.date() == in_days(40)


def test_a_viewers_reminder_is_nobodys_and_a_stranger_is_told_nothing(
    tenant, people, mailoutbox, time_machine
):
    agreement = make_agreement(tenant, ends_on=in_days(100))
    make_partnership(tenant, associate=agreement.associate)
    time_machine.move_to(_at(in_days(100), 30), tick=False)
    assert _ring(agreement)
    assert {message.to[0] for message in mailoutbox} == people
