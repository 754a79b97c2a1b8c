"""The answers of a section as its reviewer goes through them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.forms import BoundField

from assessments.questionnaires.content import Question, Section
from assessments.questionnaires.entries import Entry
from assessments.questionnaires.forms import ReviewForm
from assessments.questionnaires.reviewing import Found, Review, Verdict


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """A question, what was answered (None: nothing), what is found of it (None: nothing yet), and its fields."""

    question: Question
    entry: Entry | None
    found: Found | None
    fields: tuple[BoundField, BoundField]

    @property
    def answered(self) -> bool:
        """Whether anything was answered."""
        return bool(self.entry and self.entry.answered)

    @property
    def folded(self) -> bool:
        """Whether it is done with, so that its question alone is enough."""
        return self.found is not None and not any(bound.errors for bound in self.fields)


class Show(StrEnum):
    """Which answers of a section are shown."""

    ALL = ""
    OPEN = "open"
    MORE = "more"
    UNANSWERED = "unanswered"

    @classmethod
    def of(cls, said: str) -> Show:
        """What an address asks for; all for a word that nobody knows."""
        return cls(said) if said in list(cls) else cls.ALL

    @property
    def label(self) -> str:
        """The words shown to people."""
        return _LABELS[self]

    def takes(self, row: AnswerRow) -> bool:
        """Whether the answer is among them."""
        if self is Show.OPEN:
            return row.found is None
        if self is Show.MORE:
            return bool(row.found and row.found.verdict is Verdict.MORE)
        return self is Show.ALL or not row.answered


_LABELS = {
    Show.ALL: "All",
    Show.OPEN: "Not looked at",
    Show.MORE: "More needed",
    Show.UNANSWERED: "Not answered",
}


def answer_rows(review: Review, section: Section, form: ReviewForm) -> list[AnswerRow]:
    """The section's answers, in its order."""
    return [
        AnswerRow(
            question,
            review.entries.get(question.key),
            review.found.get(question.key),
            form.bound(question.key),
        )
        for question in section.questions
    ]
