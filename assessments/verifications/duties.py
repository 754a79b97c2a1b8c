"""The yearly verifications of the calendar, of both sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time

from django.urls import reverse

from assessments.duties.types import Duty, Side
from assessments.partnerships.models import Partnership
from assessments.partnerships.reading import working_partnerships
from assessments.verifications.dates import Standing
from assessments.verifications.models import owner_of
from assessments.verifications.reading import Line, lines_for_recipient, lines_for_sender

WHY = "Once every 12 months: practice under 164.308(b); proposed, not in force, by the 2025 rulemaking"


def duties(since: datetime, until: datetime) -> Iterable[Duty]:
    """When the next verification is due: those that the tenant delivers, and those that it waits for."""
    yield from _within(lines_for_sender(working_partnerships()), since, until, sending=True)
    yield from _within(lines_for_recipient(), since, until, sending=False)


def owed_to(partnership: Partnership) -> Iterable[Duty]:
    """When a covered entity is to get the open tenant's next verification."""
    return [_duty(line, sending=True) for line in lines_for_sender([partnership])]


def _within(lines: Iterable[Line], since: datetime, until: datetime, *, sending: bool) -> Iterator[Duty]:
    found = (_duty(line, sending=sending) for line in lines)
    return (duty for duty in found if since <= duty.at < until)


def _duty(line: Line, *, sending: bool) -> Duty:
    relation = line.partnership
    row = relation if sending else line.delivery
    return Duty(
        datetime.combine(line.due_on, time.max, UTC), _title(line, sending=sending), WHY, _url(line, sending=sending),
        done=False, key=f"verification:{relation.pk}:{line.due_on.year}",
        side=Side.DOWNSTREAM if sending else Side.UPSTREAM, whole_day=True, shown_by=owner_of(row) if row else None,
    )  # fmt: skip


def _title(line: Line, *, sending: bool) -> str:
    relation = line.partnership
    said = "Verification was refused" if line.standing is Standing.REFUSED else "Yearly verification"
    return f"{said}: for {relation.upstream_name}" if sending else f"{said}: of {relation.downstream_name}"


def _url(line: Line, *, sending: bool) -> str:
    if sending:
        return reverse("verification-list")
    return reverse("business-associate-detail", args=[line.partnership.associate_id])
