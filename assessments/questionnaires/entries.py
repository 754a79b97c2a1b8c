"""One answer with what stands behind it: where it was taken from, what it was last year, which evidence is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from assessments.questionnaires.content import NEEDS_REASON, AnswerKind, Question

LONGEST_TEXT = 4000
LARGEST_NUMBER = 10**12


@dataclass(frozen=True, slots=True)
class Source:
    """What live evidence says: the answer it proposes, in which words, and as of when (RFC 3339)."""

    value: str
    reason: str
    what: str
    at: str


@dataclass(frozen=True, slots=True)
class Carried:
    """What was answered by the last questionnaire, and whether the question asks something else now."""

    year: int
    value: str
    reason: str
    question_changed: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What would be shown: its name and the SHA-256 of its bytes in hex. The bytes stay where they are."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer. `value`: "yes", "partly", "no", a choice's words, text, an ISO date, digits; "" is not answered.

    `confirmed`: a person looked at it. One that isn't is a proposal, and no answer.
    """

    value: str = ""
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()
    source: Source | None = None
    carried: Carried | None = None
    confirmed: bool = False
    asked: str = ""

    @property
    def answered(self) -> bool:
        """Whether a person gave an answer."""
        return self.confirmed and self.value != ""

    @property
    def differs_from_evidence(self) -> bool:
        """Whether the person answers otherwise than the evidence proposed."""
        return self.answered and self.source is not None and self.value != self.source.value

    @property
    def differs_from_last(self) -> bool:
        """Whether it isn't what was answered last time."""
        return (
            self.answered
            and self.carried is not None
            and (self.value, self.reason) != (self.carried.value, self.carried.reason)
        )

    @property
    def proposed(self) -> bool:
        """Whether its value comes from evidence or last time, and waits for a person."""
        return not self.confirmed and self.value != ""

    @property
    def source_at(self) -> datetime | None:
        """When the evidence said so."""
        return datetime.fromisoformat(self.source.at) if self.source else None

    def as_json(self) -> dict[str, Any]:
        """As it is kept; `parse_entry` reads it."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None, (), [], False)}


def parse_entry(said: Mapping[str, Any]) -> Entry:
    """An entry from its JSON."""
    source, carried = said.get("source"), said.get("carried")
    return Entry(
        value=said.get("value", ""),
        reason=said.get("reason", ""),
        evidence=tuple(Evidence(**each) for each in said.get("evidence", ())),
        source=Source(**source) if source else None,
        carried=Carried(**carried) if carried else None,
        confirmed=said.get("confirmed", False),
        asked=said.get("asked", ""),
    )


def parse_entries(said: Mapping[str, Any]) -> dict[str, Entry]:
    """Entries by question from their JSON."""
    return {key: parse_entry(each) for key, each in said.items()}


def give_answer(entry: Entry, question: Question, *, value: str, reason: str) -> Entry:
    """The entry with a person's answer to the question as it is asked now."""
    return replace(entry, value=value, reason=reason, confirmed=True, asked=question.fingerprint)


def find_fault(question: Question, value: str, reason: str) -> str:
    """What is wrong with an answer, as a sentence; "" where nothing is."""
    if not value:
        return "Give an answer, or empty the reason." if reason else ""
    labels = [each.label for each in question.offered]
    faults = (
        (
            len(value) > LONGEST_TEXT or len(reason) > LONGEST_TEXT,
            f"Shorten it: {LONGEST_TEXT:,} letters at most.",
        ),
        (bool(labels) and value not in labels, f"Answer with one of: {', '.join(labels)}."),
        (
            question.kind is AnswerKind.YES_NO and value in NEEDS_REASON and not reason.strip(),
            f"“{value.capitalize()}” needs a reason: what is missing, and what is done about it.",
        ),
        (
            question.kind is AnswerKind.DATE and parse_date(value) is None,
            "Write the date as year-month-day, such as 2026-03-31.",
        ),
        (question.kind is AnswerKind.NUMBER and parse_number(value) is None, "Write a whole number."),
    )
    return next((sentence for wrong, sentence in faults if wrong), "")


def parse_date(value: str) -> date | None:
    """A date as answers hold it; also with a time of midnight, as spreadsheets give dates."""
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC).date()
    except ValueError:
        return None


def parse_number(value: str) -> int | None:
    """A whole number of up to 12 digits."""
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > len(str(LARGEST_NUMBER)):
        return None
    return int(value)
