"""When a verification is due, and how it stands. Days are of UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from assessments.verifications.models import Answer, Stage

MONTHS = 12
"""Once every 12 months: the practice of today, and what the 2025 rulemaking proposes (164.308(b), not in force)."""
SOON = timedelta(days=30)
HOUR = time(8, 0, tzinfo=UTC)
"""When on its day a reminder is sent."""


class Standing(StrEnum):
    """How the yearly verification of one business associate stands for one covered entity."""

    RECEIVED = "received"
    DUE = "due"
    OVERDUE = "overdue"
    REFUSED = "refused"

    @property
    def label(self) -> str:
        """The words shown to people, where many are spoken of at once."""
        return {"due": "to come"}.get(self.value, self.value)

    def word(self, *, delivered: bool) -> str:
        """The same of one of them: the first is a year off at first, the next is told of when it is near."""
        if self is Standing.DUE:
            return "due soon" if delivered else "first one to come"
        return self.value


def due_after(last: datetime) -> date:
    """The day by which the next one is due: 12 months after the last, or after the relation began.

    29 February has its anniversary on the 28th.
    """
    day = last.astimezone(UTC).date()
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def standing_of(*, due_on: date, delivered: bool, answer: str | None, today: date) -> Standing:
    """`delivered`: whether there is a delivery at all; `answer`: the covered entity's own, to the newest one."""
    if delivered and answer == Answer.REFUSED:
        return Standing.REFUSED
    if today > due_on:
        return Standing.OVERDUE
    return Standing.RECEIVED if delivered and today < due_on - SOON else Standing.DUE


def stages(due_on: date) -> Iterator[tuple[Stage, datetime]]:
    """When reminders are sent, in order."""
    for stage, day in ((Stage.BEFORE, due_on - SOON), (Stage.DUE, due_on), (Stage.AFTER, due_on + SOON)):
        yield stage, datetime.combine(day, HOUR)
