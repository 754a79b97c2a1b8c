"""The clocks of exits, for the calendar of duties, of both sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.urls import reverse

from assessments.duties.types import Duty, Side
from assessments.exits.models import Exit
from assessments.exits.reading import received_exits
from assessments.partnerships.models import Partnership


def duties(since: datetime, until: datetime) -> Iterable[Duty]:
    """By when PHI has to be returned or destroyed, in [since, until)."""
    due = {"due_at__gte": since, "due_at__lt": until}
    yield from _asked(Exit.objects.filter(**due).order_by("due_at"))
    yield from _owed(received_exits().filter(**due).order_by("due_at"))


def owed_to(partnership: Partnership) -> Iterable[Duty]:
    """What the open tenant still has to return or destroy of a covered entity's."""
    return list(_owed(received_exits().filter(partnership_id=partnership.pk, closed_at=None)))


def _asked(rows: Iterable[Exit]) -> Iterator[Duty]:
    for row in rows:
        yield Duty(
            row.due_at, f"Proof that {row.downstream_name} returned or destroyed PHI", _why(row),
            reverse("exit-detail", args=[row.pk]), done=row.closed_at is not None, key=f"exit:{row.pk}",
            side=Side.UPSTREAM, whole_day=True, brief="Proof of return or destruction of PHI",
        )  # fmt: skip


def _owed(rows: Iterable[Exit]) -> Iterator[Duty]:
    for row in rows:
        yield Duty(
            row.due_at, f"Return or destroy the PHI of {row.upstream_name}", _why(row),
            reverse("exit-received", args=[row.pk]), done=row.closed_at is not None, key=f"exit:{row.pk}",
            side=Side.DOWNSTREAM, whole_day=True, brief="Return or destruction of PHI", shown_by=row.upstream_id,
        )  # fmt: skip


def _why(row: Exit) -> str:
    return f"164.504(e)(2)(ii)(J): {row.return_days} days ({row.days_why})"
