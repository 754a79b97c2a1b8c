"""Deadlines as exact instants. Hours are elapsed time; days are calendar days of the place of discovery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from assessments.notices.kinds import WORDS, Kind

PROPOSED_HOURS = 24
BREACH_DAYS = 60
LAST_SECOND = time(23, 59, 59)
ZONES: Mapping[str, str] = MappingProxyType(
    {
        "America/New_York": "Eastern", "America/Chicago": "Central", "America/Denver": "Mountain",
        "America/Phoenix": "Arizona", "America/Los_Angeles": "Pacific", "America/Anchorage": "Alaska",
        "Pacific/Honolulu": "Hawaii", "America/Puerto_Rico": "Puerto Rico", "UTC": "UTC",
    }
)  # fmt: skip
"""Time zones to choose from, with their names."""


@dataclass(frozen=True, slots=True)
class Term:
    """How long there is: so many hours, at most to the end of so many calendar days; and the rule that says so."""

    hours: int | None
    days: int | None
    rule: str

    def due_at(self, since: datetime, zone: ZoneInfo) -> datetime:
        """The last instant in time, in UTC. A term that names both ends with the earlier."""
        ends = [
            *([since.astimezone(UTC) + timedelta(hours=self.hours)] if self.hours is not None else []),
            *([end_of_day(since, self.days, zone)] if self.days is not None else []),
        ]
        return min(ends)


def term_of(kind: Kind, hours: int | None) -> Term:
    """The term of a kind where the agreement says `hours`, or nothing (None)."""
    law, agreed = WORDS[kind].law, f"the agreement: {hours} hours"
    if kind is Kind.BREACH:
        outer = f"without unreasonable delay, at most {BREACH_DAYS} days from discovery ({law})"
        return Term(hours, BREACH_DAYS, outer if hours is None else f"{agreed}; {outer}")
    if hours is not None:
        return Term(hours, None, agreed)
    if kind is Kind.INCIDENT:
        why = f"no hours agreed for {law}: report at once; here at most the {BREACH_DAYS} days of 164.410(b)"
        return Term(None, BREACH_DAYS, why)
    return Term(PROPOSED_HOURS, None, f"{PROPOSED_HOURS} hours: {law}")


def end_of_day(since: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The last second of the day that is so many calendar days after the day of `since` there, in UTC."""
    day = since.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, LAST_SECOND, zone).astimezone(UTC)


def end_of_years_report(since: datetime, zone: ZoneInfo) -> datetime:
    """The last second of the 60th day after the end of the calendar year of `since` (164.408(c)), in UTC."""
    last = date(since.astimezone(zone).year, 12, 31) + timedelta(days=BREACH_DAYS)
    return datetime.combine(last, LAST_SECOND, zone).astimezone(UTC)


def half_time(sent_at: datetime, due_at: datetime) -> datetime:
    """Midway between sending and the deadline; the deadline itself where that has passed."""
    return sent_at + (due_at - sent_at) / 2 if due_at > sent_at else due_at


def zone_named(name: str) -> ZoneInfo:
    """One of ZONES; UTC for any other."""
    return ZoneInfo(name if name in ZONES else "UTC")


def left_words(due_at: datetime, now: datetime) -> str:
    """What a clock shows: "21 h 14 min left", "3 days 2 h left", "12 min over"."""
    seconds = (due_at - now).total_seconds()
    minutes = int(abs(seconds)) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    said = (
        f"{days} day{'' if days == 1 else 's'} {hours} h"
        if days
        else f"{hours} h {minutes % 60} min"
        if hours
        else f"{minutes} min"
    )
    return f"{said} {'left' if seconds > 0 else 'over'}"
