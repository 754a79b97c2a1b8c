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
    return None if then is None else (seen.at - then).days
