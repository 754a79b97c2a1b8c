"""Moments in answers: RFC 3339 text, or one of the credential report's words for "none"."""

from __future__ import annotations

from datetime import UTC, datetime

from evidence.types import Seen


def moment(text: str | None) -> datetime | None:
    """The aware time that a text gives; None for none, "N/A", "no_information" and what is no time."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def days_since(text: str | None, seen: Seen) -> int | None:
    """Whole days from a moment to the evaluation (negative if it is to come); None where no moment is given."""
    then = moment(text)
    return None if then is None else days_from(then, seen)


def days_from(then: datetime, seen: Seen) -> int:
    """Whole days from a moment to the evaluation (negative if it is to come)."""
    return (seen.at - then).days


def day(then: str | datetime | None) -> str:
    """A moment's date in UTC, "2026-01-15". What is observed tells dates, never ages, which change by themselves."""
    known = then if isinstance(then, datetime) else moment(then)
    return str(known.astimezone(UTC).date()) if known else "an unknown date"
