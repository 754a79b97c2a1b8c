"""What pages show of notices: lists, clocks, and all events of one in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.utils import timezone

from assessments.notices.clocks import left_words
from assessments.notices.models import (
    Acknowledgement,
    BreachAssessment,
    BreachStep,
    Notice,
    NoticeEvent,
    NoticeTold,
    Occurrence,
    OutsideNotice,
    owner_of,
)
from evidence.keyset import Page, page_by_time

SHOWN = 200
EVENT_WORDS = {
    "started": "Activated by", "sent": "Sent to", "mailed": "Mailed to",
    "webhook": "Taken by the webhook of", "reminded": "Half time, not acknowledged by",
    "overdue": "Deadline passed, not acknowledged by", "updated": "Update by", "closed": "Closed by",
    "acknowledged": "Acknowledged by", "assessed": "Four factors assessed by", "step": "Duty noted as done by",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clock:
    """A recipient with its clock. `look` is the status word's look."""

    recipient: str
    outside: bool
    due_at: datetime
    rule: str
    acknowledged_at: datetime | None
    acknowledged_by: str
    note: str
    look: str
    word: str
    mailed_at: datetime | None = None
    webhook_at: datetime | None = None
    recipient_id: UUID | None = None
    """The recipient's tenant, if it is one."""
    notice_id: UUID | None = None


class Event(NamedTuple):
    """A line of the timeline."""

    at: datetime
    what: str
    who: str
    text: str


class Row(NamedTuple):
    """An occurrence in the list, with how many recipients there are and how many acknowledged."""

    occurrence: Occurrence
    total: int
    acknowledged: int
    next_due_at: datetime | None


class ReceivedRow(NamedTuple):
    """A received notice in the list."""

    notice: Notice
    look: str
    word: str


def state_of(due_at: datetime, acknowledged_at: datetime | None, now: datetime) -> tuple[str, str]:
    """The look and the words of a clock: in time, late, or running."""
    if acknowledged_at is not None:
        return ("done", "acknowledged in time" if acknowledged_at <= due_at else "acknowledged late")
    return ("overdue" if now >= due_at else "waiting", left_words(due_at, now))


def list_clocks(occurrence: Occurrence) -> list[Clock]:
    """Each recipient's clock, by deadline."""
    now = timezone.now()
    notices = list(Notice.objects.filter(occurrence=occurrence))
    answers = {
        each.notice_id: each
        for each in Acknowledgement.received.filter(notice_id__in=[each.pk for each in notices])
    }
    told = {
        row.notice_id: row for row in NoticeTold.received.filter(notice_id__in=[each.pk for each in notices])
    }
    clocks = [_clock(notice, answers.get(notice.pk), told.get(notice.pk), now) for notice in notices]
    clocks += [_outside(row, now) for row in OutsideNotice.objects.filter(occurrence=occurrence)]
    return sorted(clocks, key=lambda clock: (clock.due_at, clock.recipient))


def _clock(notice: Notice, answer: Acknowledgement | None, told: NoticeTold | None, now: datetime) -> Clock:
    at = answer.at if answer else None
    look, word = state_of(notice.due_at, at, now)
    by, note = (answer.by_name, answer.note) if answer else ("", "")
    return Clock(
        notice.recipient_name, False, notice.due_at, notice.rule, at, by, note, look, word,
        told.mailed_at if told else None, told.webhook_at if told else None, notice.viewer_id,
        notice.pk,
    )  # fmt: skip


def _outside(row: OutsideNotice, now: datetime) -> Clock:
    at = row.acknowledged_at
    look, word = state_of(row.due_at, at, now)
    return Clock(row.recipient_name, True, row.due_at, row.rule, at, row.acknowledged_by, "", look, word)


class SentPage(NamedTuple):
    """Some occurrences; `answering` are the tenants whose acknowledgements were counted."""

    rows: list[Row]
    next: str
    first: bool
    answering: set[UUID]


def page_sent(after: str) -> SentPage:
    """A page of the tenant's own occurrences, newest first. Raises InvalidInput for a key that no page gave."""
    page = page_by_time(Occurrence.objects.all(), "sent_at", after)
    rows, answering = _with_counts(page.rows)
    return SentPage(rows, page.next, page.first, answering)


def _with_counts(found: list[Occurrence]) -> tuple[list[Row], set[UUID]]:
    keys = [each.pk for each in found]
    shown = list(Notice.objects.filter(occurrence__in=keys).values_list("pk", "occurrence_id", "due_at"))
    outside = OutsideNotice.objects.filter(occurrence__in=keys)
    answers = list(Acknowledgement.received.filter(notice_id__in=[key for key, *_ in shown]))
    answered = {each.notice_id for each in answers}
    facts = [(of, due_at, key in answered) for key, of, due_at in shown]
    facts += [
        (of, due_at, at is not None)
        for of, due_at, at in outside.values_list("occurrence_id", "due_at", "acknowledged_at")
    ]
    rows = [_row(each, [fact for fact in facts if fact[0] == each.pk]) for each in found]
    return rows, {owner_of(each) for each in answers}


def _row(occurrence: Occurrence, facts: list[tuple[UUID, datetime, bool]]) -> Row:
    counts = Counter(answered for _of, _due_at, answered in facts)
    waiting = [due_at for _of, due_at, answered in facts if not answered]
    return Row(occurrence, len(facts), counts[True], min(waiting) if waiting else None)


def page_received(after: str) -> Page:
    """A page of ReceivedRow: notices that others show to the tenant, newest first. Raises InvalidInput."""
    page = page_by_time(Notice.received.all(), "sent_at", after)
    return page._replace(rows=_with_states(page.rows))


def list_received(partnership_id: UUID) -> list[ReceivedRow]:
    """Notices of one partnership that are shown to the tenant, the newest 200, newest first."""
    found = Notice.received.filter(partnership_id=partnership_id).order_by("-sent_at", "-id")
    return _with_states(list(found[:SHOWN]))


def _with_states(rows: list[Notice]) -> list[ReceivedRow]:
    mine = Acknowledgement.objects.filter(notice_id__in=[row.pk for row in rows])
    answered = dict(mine.values_list("notice_id", "at"))
    now = timezone.now()
    return [ReceivedRow(row, *state_of(row.due_at, answered.get(row.pk), now)) for row in rows]


def list_events(occurrence: Occurrence) -> list[Event]:
    """All that happened, in order: the sender's events, acknowledgements, assessments, duties done."""
    told = NoticeEvent.objects.filter(occurrence=occurrence).order_by("at", "id")
    events = [
        Event(each.at, EVENT_WORDS[each.kind], each.recipient or each.by_name, each.text) for each in told
    ]
    for clock in list_clocks(occurrence):
        events += _clock_events(clock)
    events += _breach_events(occurrence)
    return sorted(events, key=lambda event: event.at)


def _clock_events(clock: Clock) -> Iterable[Event]:
    """What the recipient's side says."""
    if clock.mailed_at:
        yield Event(clock.mailed_at, EVENT_WORDS["mailed"], clock.recipient, "")
    if clock.webhook_at:
        yield Event(clock.webhook_at, EVENT_WORDS["webhook"], clock.recipient, "")
    if clock.acknowledged_at:
        yield Event(clock.acknowledged_at, EVENT_WORDS["acknowledged"], clock.acknowledged_by, _for(clock))


def _for(clock: Clock) -> str:
    return f"For {clock.recipient}{'. ' if clock.note else ''}{clock.note}"


def _breach_events(occurrence: Occurrence) -> Iterable[Event]:
    for each in BreachAssessment.objects.filter(occurrence=occurrence).select_related("by"):
        concluded = "low probability of compromise" if each.low_probability else "a breach"
        yield Event(each.at, EVENT_WORDS["assessed"], each.by.name, f"Version {each.version}: {concluded}")
    for step in BreachStep.objects.filter(occurrence=occurrence).select_related("by"):
        yield Event(step.at, EVENT_WORDS["step"], step.by.name, f"{step.step}, {step.done_on}. {step.note}")
