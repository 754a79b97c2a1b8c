"""Both sides are reminded 30 days before, on the day and 30 days after; a missed year is seen by both."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.tenancy.scope import open_tenant
from assessments.models import Timer, VerificationDelivery, VerificationReminder
from assessments.partnerships.signals import Relation, Side, partnership_began
from assessments.timers.services import run_timer, set_timer
from assessments.verifications import reminders
from assessments.verifications.dates import Standing, due_after, standing_of
from assessments.verifications.duties import duties
from assessments.verifications.tab import mirror_context, tab_context
from tasks.timers import HANDLERS
from tests.verifications.factories import deliver_new, make_relation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("last", "due"),
    [
        (datetime(2026, 3, 1, 12, tzinfo=UTC), date(2027, 3, 1)),
        (datetime(2028, 2, 29, tzinfo=UTC), date(2029, 2, 28)),
        (datetime.fromisoformat("2026-12-31T20:00:00-08:00"), date(2028, 1, 1)),
    ],
)
def test_the_next_one_is_due_12_months_after_the_last(last, due):
    assert due_after(last) == due


@pytest.mark.parametrize(
    ("days_left", "delivered", "answer", "standing"),
    [
        (200, True, None, Standing.RECEIVED),
        (200, True, "accepted", Standing.RECEIVED),
        (200, True, "refused", Standing.REFUSED),
        (-1, True, "refused", Standing.REFUSED),
        (31, True, None, Standing.RECEIVED),
        (30, True, None, Standing.DUE),
        (0, True, None, Standing.DUE),
        (-1, True, "accepted", Standing.OVERDUE),
        (200, False, None, Standing.DUE),
        (-1, False, None, Standing.OVERDUE),
    ],
)
def test_how_it_stands_follows_from_the_day_and_the_answer(days_left, delivered, answer, standing):
    today = date(2026, 11, 22)
    due_on = today + timedelta(days=days_left)
    assert standing_of(due_on=due_on, delivered=delivered, answer=answer, today=today) is standing


def _run(tenant, relation) -> Timer:
    """Lets the tenant's timer of the relation act now."""
    with open_tenant(tenant.pk):
        timer = set_timer(reminders.REMINDER, relation.pk, timezone.now() - timedelta(seconds=1))
    assert run_timer(tenant_id=tenant.pk, timer_id=timer.pk, handlers=HANDLERS)
    with open_tenant(tenant.pk):
        return Timer.objects.get(pk=timer.pk)


def _told(person) -> list[str]:
    return [str(each.subject) for each in mail.outbox if each.to == [person.email]]


def test_a_missed_year_is_told_to_both_sides_once(parties):
    deliver_new(parties.associate, parties.officer)
    mail.outbox.clear()
    with open_tenant(parties.associate.pk):  # as if C had never been among them
        VerificationDelivery.objects.filter(partnership_id=parties.relations["C"].pk).delete()
    for tenant in (parties.entities["C"], parties.associate):
        _run(tenant, parties.relations["C"])
        _run(tenant, parties.relations["C"])
    assert _told(parties.owners["C"]) == ["A yearly verification is overdue"]
    assert _told(parties.officer) == ["A yearly verification is overdue"]
    assert _told(parties.owners["A"]) == []


@pytest.mark.parametrize(
    ("days_left", "stages"), [(40, []), (30, ["before"]), (0, ["due"]), (-29, ["due"]), (-31, ["after"])]
)
def test_each_stage_is_told_at_its_time(parties, days_left, stages):
    relation = make_relation(parties.entities["A"], _other(parties), age_days=365 - days_left)
    timer = _run(parties.entities["A"], relation)
    with open_tenant(parties.entities["A"].pk):
        told = VerificationReminder.objects.filter(partnership_id=relation.pk)
        # Before eight o'clock (UTC) on the day itself the stage is still to come.
        early = datetime.now(UTC).hour < 8 and days_left in {30, 0}
        assert [row.stage for row in told] == (stages if not early else ["before"] if days_left == 0 else [])
    assert timer.ring_at > timezone.now()


def _other(parties):
    from tests.factories import make_tenant

    return make_tenant("Hosting", kind="business_associate")


def test_what_is_due_on_one_day_is_one_message(parties):
    other = make_relation(parties.entities["A"], _other(parties), age_days=396)
    same = make_relation(parties.entities["A"], _other(parties), age_days=396)
    _run(parties.entities["A"], other)
    _run(parties.entities["A"], same)
    assert len(_told(parties.owners["A"])) == 1
    assert "2 business associates" in mail.outbox[-1].body


def test_a_delivery_moves_the_clock_of_both_sides(parties):
    packet = deliver_new(parties.associate, parties.officer)
    first = due_after(packet.certified_at) - timedelta(days=30)
    for tenant in (parties.associate, parties.entities["C"]):
        with open_tenant(tenant.pk):
            timer = Timer.objects.get(kind=reminders.REMINDER, row_id=parties.relations["C"].pk)
        assert timer.ring_at.date() == first


def test_a_clock_begins_with_its_relation_on_either_side(parties):
    relation = parties.relations["A"]
    for tenant, side in ((parties.entities["A"], Side.UPSTREAM), (parties.associate, Side.DOWNSTREAM)):
        with open_tenant(tenant.pk):
            partnership_began.send(sender=None, relation=Relation(relation.pk, side))
            timer = Timer.objects.get(kind=reminders.REMINDER, row_id=relation.pk)
        assert timer.ring_at.date() == due_after(timezone.now()) - timedelta(days=30)


def test_a_clock_ends_with_its_relation(parties):
    relation = parties.relations["C"]
    with open_tenant(parties.entities["C"].pk):
        type(relation).objects.filter(pk=relation.pk).update(withdrawn_at=timezone.now())
    for tenant in (parties.entities["C"], parties.associate):
        assert _run(tenant, relation).ring_at is None
    assert mail.outbox == []


def test_the_pages_of_both_sides_and_the_calendar_say_the_same(parties):
    deliver_new(parties.associate, parties.officer)
    relation = parties.relations["A"]
    year = (timezone.now() - timedelta(days=1), timezone.now() + timedelta(days=400))
    with open_tenant(parties.entities["A"].pk):
        theirs = tab_context(relation.__class__.objects.get(pk=relation.pk).associate)
        awaited = list(duties(*year))
    with open_tenant(parties.associate.pk):
        ours = mirror_context(relation.__class__.received.get(pk=relation.pk))
        owed = list(duties(*year))
    assert theirs["line"].due_on == ours["line"].due_on
    assert [each.title for each in awaited] == ["Yearly verification: of Cloud Billing"]
    assert [each.title for each in owed] == [f"Yearly verification: for Hospital {name}" for name in "ABC"]
