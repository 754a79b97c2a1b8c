"""What answers weigh: for each section the weight that its answers earn, and a sentence of why.

What is not answered counts neither way: it is named beside the score, never hidden in it as a zero. A score says how
the answers weigh, not whether they are true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from assessments.questionnaires.content import AnswerKind, Content, Question, Section
from assessments.questionnaires.entries import Entry, parse_date, parse_number

FULL = 100


@dataclass(frozen=True, slots=True)
class Scored:
    """One scored question: `share` of its weight is earned, 0 to 100; None where it is not answered."""

    question: Question
    value: str
    share: int | None

    @property
    def earned(self) -> float:
        """The weight that it earns."""
        return self.question.weight * (self.share or 0) / FULL

    @property
    def words(self) -> str:
        """The question, its answer, and what it earns of its weight."""
        asked = self.question.prompt.rstrip("?.")
        return f"{asked} ({_short(self.value)}: {_points(self.earned)} of {self.question.weight})"


@dataclass(frozen=True, slots=True)
class SectionScore:
    """The scored questions of a section, or of all of them."""

    title: str
    lines: tuple[Scored, ...]

    @property
    def answered(self) -> tuple[Scored, ...]:
        """Those that have an answer."""
        return tuple(line for line in self.lines if line.share is not None)

    @property
    def missing(self) -> tuple[Scored, ...]:
        """Those that have none."""
        return tuple(line for line in self.lines if line.share is None)

    @property
    def earned(self) -> float:
        """The weight that the answers earn."""
        return sum(line.earned for line in self.lines)

    @property
    def possible(self) -> int:
        """The weight of what is answered."""
        return sum(line.question.weight for line in self.answered)

    @property
    def not_answered(self) -> int:
        """The weight of what is not answered."""
        return sum(line.question.weight for line in self.missing)

    @property
    def sentence(self) -> str:
        """The score and why it is so."""
        if not self.lines:
            return "Nothing here is scored."
        return " ".join(part for part in (self._earned(), self._lost(), self._missing()) if part)

    def _earned(self) -> str:
        if not self.answered:
            return "No answer yet."
        return f"{_points(self.earned)} of {self.possible} points from {_questions(len(self.answered))}."

    def _lost(self) -> str:
        lost = sorted(self.answered, key=lambda line: line.earned - line.question.weight)[:3]
        said = [line.words for line in lost if line.earned < line.question.weight]
        return f"Most is lost at: {'; '.join(said)}." if said else ""

    def _missing(self) -> str:
        if not self.missing:
            return ""
        verb = "is" if len(self.missing) == 1 else "are"
        worth = f"{_questions(len(self.missing))} worth {self.not_answered} points"
        return f"{worth} {verb} not answered and counted neither way."


@dataclass(frozen=True, slots=True)
class Score:
    """All sections, and their sum."""

    sections: tuple[SectionScore, ...]
    total: SectionScore


def score_answers(content: Content, entries: Mapping[str, Entry], on: date) -> Score:
    """The score of answers as of a day, by which ages of dates are measured."""
    sections = tuple(_section(each, entries, on) for each in content.sections)
    return Score(sections, SectionScore("All", tuple(line for each in sections for line in each.lines)))


def _section(section: Section, entries: Mapping[str, Entry], on: date) -> SectionScore:
    scored = (question for question in section.questions if question.weight)
    return SectionScore(
        section.title,
        tuple(_line(question, entries.get(question.key, Entry()), on) for question in scored),
    )


def _line(question: Question, entry: Entry, on: date) -> Scored:
    return Scored(question, entry.value, share_of(question, entry.value, on) if entry.answered else None)


def share_of(question: Question, value: str, on: date) -> int:
    """Which share of the weight an answer earns, 0 to 100."""
    if question.offered:
        return next((each.share for each in question.offered if each.label == value), 0)
    if question.kind is AnswerKind.DATE:
        return _date_share(question, parse_date(value), on)
    if question.kind is AnswerKind.NUMBER:
        return _number_share(question, parse_number(value))
    return 0


def _date_share(question: Question, said: date | None, on: date) -> int:
    if said is None:
        return 0
    return FULL if question.within_days is None or 0 <= (on - said).days <= question.within_days else 0


def _number_share(question: Question, said: int | None) -> int:
    if said is None:
        return 0
    low = question.at_least is None or said >= question.at_least
    return FULL if low and (question.at_most is None or said <= question.at_most) else 0


def _points(earned: float) -> str:
    return f"{earned:.1f}".removesuffix(".0")


def _questions(number: int) -> str:
    return f"{number} question{'' if number == 1 else 's'}"


def _short(value: str) -> str:
    return value if len(value) <= 40 else f"{value[:37]}…"  # noqa: PLR2004 (fits a line)
