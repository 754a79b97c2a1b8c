"""The clocks of notices, for the calendar. Drills are no duties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import QuerySet
from django.urls import reverse

from assessments.duties.types import Duty, Side
from assessments.notices.breaches import list_steps
from assessments.notices.kinds import Kind
from assessments.notices.kinds import Side as Part
from assessments.notices.models import Acknowledgement, Notice, Occurrence, OutsideNotice
from assessments.notices.reading import SHOWN
from assessments.partnerships.models import Partnership


def duties(since: datetime, until: datetime) -> Iterable[Duty]:
    """Those due in [since, until): acknowledgements to get and to give, and what a breach asks for."""
    yield from _to_get(since, until)
    yield from _to_give(since, until)
    for occurrence in Occurrence.objects.filter(side=Part.COVERED_ENTITY, kind=Kind.BREACH, drill=False):
        yield from _steps(occurrence, since, until)


def _steps(occurrence: Occurrence, since: datetime, until: datetime) -> Iterator[Duty]:
    url = reverse("notice-detail", args=[occurrence.pk])
    for step in list_steps(occurrence):
        if since <= step.due_at < until:
            yield Duty(
                step.due_at, f"{step.title}: {occurrence.title}", step.why, url, step.done_on is not None,
                key=f"breach:{occurrence.pk}:{step.slug}", brief=step.title,
            )  # fmt: skip


def owed_to(partnership: Partnership) -> Iterable[Duty]:
    """The notices of the open tenant that a covered entity has not acknowledged."""
    rows = Notice.objects.filter(drill=False, partnership_id=partnership.pk).order_by("-sent_at")
    return [duty for duty in _to_partners(rows[:SHOWN]) if not duty.done]


def _to_get(since: datetime, until: datetime) -> Iterator[Duty]:
    shown = Notice.objects.filter(drill=False, withdrawn_at=None)
    yield from _to_partners(shown.filter(due_at__gte=since, due_at__lt=until))
    outside = OutsideNotice.objects.filter(occurrence__drill=False, due_at__gte=since, due_at__lt=until)
    for told in outside:
        yield _sent(told, told.recipient_name, done=told.acknowledged_at is not None)


def _to_partners(found: QuerySet[Notice]) -> Iterator[Duty]:
    rows = list(found)
    answers = Acknowledgement.received.filter(notice_id__in=[row.pk for row in rows])
    answered = set(answers.values_list("notice_id", flat=True))
    for row in rows:
        yield _sent(row, row.recipient_name, done=row.pk in answered)


def _sent(row: Notice | OutsideNotice, recipient: str, *, done: bool) -> Duty:
    url = reverse("notice-detail", args=[row.occurrence_id])
    return Duty(
        row.due_at, f"Notice to {recipient} acknowledged", row.rule, url, done, key=f"notice:{row.pk}",
        side=Side.DOWNSTREAM,
    )  # fmt: skip


def _to_give(since: datetime, until: datetime) -> Iterator[Duty]:
    rows = list(Notice.received.filter(drill=False, due_at__gte=since, due_at__lt=until))
    answers = Acknowledgement.objects.filter(notice_id__in=[row.pk for row in rows])
    mine = set(answers.values_list("notice_id", flat=True))
    for row in rows:
        url = reverse("notice-received", args=[row.pk])
        yield Duty(
            row.due_at, f"Acknowledge the notice of {row.sender_name}", row.rule, url, row.pk in mine,
            key=f"received-notice:{row.pk}", side=Side.UPSTREAM, shown_by=row.tenant_id,
        )  # fmt: skip
