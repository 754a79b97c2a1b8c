"""The duties of the open tenant, of all parts that the reader may see."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from accounts.audit.events import Act
from accounts.audit.shared import tell_sharer
from accounts.permissions import Permission
from assessments.duties.parts import PARTS, Part
from assessments.duties.types import Duty

May = Callable[[Permission], bool]
LOOKS_BACK = timedelta(days=731)
"""How far back what wasn't done is looked for."""


class Doing(StrEnum):
    """Which duties are wanted, by whether they are done."""

    OPEN = "open"
    DONE = "done"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of duties is narrowed to: a part's slug and a side ("" is any), and whether they are done."""

    part: str = ""
    side: str = ""
    doing: Doing = Doing.OPEN

    def fits(self, duty: Duty) -> bool:
        """Whether a duty is wanted, its part aside."""
        done = self.doing is Doing.ALL or duty.done == (self.doing is Doing.DONE)
        return done and self.side in {"", duty.side}


@dataclass(frozen=True, slots=True)
class Line:
    """A duty in a list, with its part."""

    part: Part
    duty: Duty

    @property
    def day(self) -> date:
        """The UTC day of a duty that is due by the day."""
        return self.duty.at.astimezone(UTC).date()

    def is_overdue(self, now: datetime) -> bool:
        """Whether it should have been done."""
        return not self.duty.done and self.duty.at < now


@dataclass(frozen=True, slots=True)
class Found:
    """What a calendar shows: what should have been done, the oldest first, and the rest of its period."""

    overdue: tuple[Line, ...]
    rest: tuple[Line, ...]


def parts_for(may: May) -> list[Part]:
    """The parts whose clocks the reader may see."""
    return [part for part in PARTS if may(part.needs)]


def list_duties(since: datetime, until: datetime, may: May, wanted: Wanted | None = None) -> list[Line]:
    """Those of [since, until) that are wanted, by time."""
    chosen = wanted or Wanted(doing=Doing.ALL)
    found = [
        Line(part, duty)
        for part in parts_for(may)
        if chosen.part in {"", part.slug}
        for duty in part.duties(since, until)
        if since <= duty.at < until and chosen.fits(duty)
    ]
    return sorted(found, key=lambda line: (line.duty.at, line.duty.title, line.duty.name))


def read_calendar(since: datetime, until: datetime, now: datetime, may: May, wanted: Wanted) -> Found:
    """The duties of [since, until) that are wanted; where that is now, what is overdue for long stands first."""
    present = since <= now < until and wanted.doing is not Doing.DONE
    first = min(since, now - LOOKS_BACK) if present else since
    lines = list_duties(first, until, may, Wanted(wanted.part, wanted.side, Doing.ALL))
    overdue = [line for line in lines if present and line.is_overdue(now)]
    late = {line.duty.name for line in overdue}
    rest = [
        line
        for line in lines
        if line.duty.at >= since and wanted.fits(line.duty) and line.duty.name not in late
    ]
    return Found(tuple(overdue), tuple(rest))


def tell_sharers(lines: Iterable[Line], reader: str) -> None:
    """Says in the logs of those from whose rows the lines were read that they were; once for each."""
    for tenant_id in {line.duty.shown_by for line in lines}:
        if tenant_id is not None:
            tell_sharer(tenant_id, Act.CALENDAR_READ, reader=reader, object_type="page", object_id="calendar")
