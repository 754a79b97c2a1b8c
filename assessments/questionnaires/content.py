"""What a questionnaire asks: sections of questions, as values that refuse to be malformed and as JSON."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from accounts.errors import InvalidInput
from assessments.rule.model import SECURITY_RULE

MOST_QUESTIONS = 200
HEAVIEST = 10
_KEY = re.compile(r"[a-z0-9-]{1,64}")
NEEDS_REASON = frozenset({"partly", "no"})
"""Answers that say little without a reason."""


class AnswerKind(StrEnum):
    """What kind of answer a question takes."""

    YES_NO = "yes_no"
    CHOICE = "choice"
    TEXT = "text"
    DATE = "date"
    NUMBER = "number"

    @property
    def label(self) -> str:
        """The words shown to people."""
        return _KIND_LABELS[self]


_KIND_LABELS = {
    AnswerKind.YES_NO: "Yes, partly or no, with a reason",
    AnswerKind.CHOICE: "One of some choices",
    AnswerKind.TEXT: "Text",
    AnswerKind.DATE: "Date",
    AnswerKind.NUMBER: "Number",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer to choose, and which share of the question's weight it earns, 0 to 100 (percent)."""

    label: str
    share: int


YES_NO_CHOICES = (Choice("yes", 100), Choice("partly", 50), Choice("no", 0))


@dataclass(frozen=True, slots=True)
class Question:
    """One question. Raises InvalidInput for one that can't be asked.

    `weight` 0 to 10; 0 isn't scored, and text never is. A date earns its weight when it isn't older than `within_days`
    at the day of scoring; a number when it lies in [at_least, at_most]. `checks`: ids of checks whose outcomes answer
    it, beside the status of the safeguard at `citation`. `evidence`: what would show the answer.
    """

    key: str
    prompt: str
    kind: AnswerKind
    citation: str = ""
    weight: int = 0
    evidence: str = ""
    help: str = ""
    choices: tuple[Choice, ...] = ()
    within_days: int | None = None
    at_least: int | None = None
    at_most: int | None = None
    checks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for wrong, said, field in (
            (not _KEY.fullmatch(self.key), "A key has small letters, digits and hyphens.", "key"),
            (not self.prompt.strip(), "A question needs words.", "prompt"),
            (
                bool(self.citation) and self.citation not in SECURITY_RULE,
                "The Security Rule has no such citation.",
                "citation",
            ),
            (not 0 <= self.weight <= HEAVIEST, f"A weight is 0 to {HEAVIEST}.", "weight"),
            (
                self.kind is AnswerKind.TEXT and self.weight > 0,
                "Text isn't scored: its weight is 0.",
                "weight",
            ),
            (
                self.kind is AnswerKind.CHOICE and not 2 <= len(self.choices) <= 12,  # noqa: PLR2004 (a choice)
                "Give 2 to 12 choices.",
                "choices",
            ),
            (
                any(not each.label or not 0 <= each.share <= 100 for each in self.choices),  # noqa: PLR2004 (percent)
                "A choice has words and a share of 0 to 100.",
                "choices",
            ),
        ):
            if wrong:
                raise InvalidInput(said, field=field)

    @property
    def offered(self) -> tuple[Choice, ...]:
        """The answers to choose from; none for free ones."""
        return YES_NO_CHOICES if self.kind is AnswerKind.YES_NO else self.choices

    @property
    def fingerprint(self) -> str:
        """Changes when the question asks something else: its words, kind or choices."""
        said = [self.prompt, str(self.kind), [each.label for each in self.offered]]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its questions."""

    key: str
    title: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """All sections. Raises InvalidInput for two questions of one key, and for more than 200."""

    sections: tuple[Section, ...]

    def __post_init__(self) -> None:
        keys = [question.key for question in self.questions]
        if len(set(keys)) != len(keys):
            raise InvalidInput("Two questions have the same key.", field="key")
        if len(keys) > MOST_QUESTIONS:
            raise InvalidInput(f"A questionnaire has {MOST_QUESTIONS} questions at most.", field="prompt")

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions of all sections, in order."""
        return tuple(self._each())

    def _each(self) -> Iterator[Question]:
        for section in self.sections:
            yield from section.questions

    def find(self, key: str) -> Question | None:
        """The question of a key."""
        return next((question for question in self.questions if question.key == key), None)

    def section(self, key: str) -> Section | None:
        """The section of a key."""
        return next((section for section in self.sections if section.key == key), None)

    def as_json(self) -> dict[str, Any]:
        """As it is kept; `parse` reads it."""
        return {
            "sections": [
                {
                    "key": section.key,
                    "title": section.title,
                    "questions": [_question_json(question) for question in section.questions],
                }
                for section in self.sections
            ]
        }


def _question_json(question: Question) -> dict[str, Any]:
    return {name: value for name, value in asdict(question).items() if value not in ("", None, (), [])}


def parse(said: Mapping[str, Any]) -> Content:
    """Content from its JSON."""
    return Content(
        tuple(
            Section(each["key"], each["title"], tuple(map(parse_question, each["questions"])))
            for each in said["sections"]
        )
    )


def parse_question(said: Mapping[str, Any]) -> Question:
    """A question from its JSON."""
    return Question(
        **{
            **said,
            "kind": AnswerKind(said["kind"]),
            "choices": tuple(Choice(**each) for each in said.get("choices", ())),
            "checks": tuple(said.get("checks", ())),
        }
    )


def digest_of(content: Mapping[str, Any]) -> str:
    """SHA-256 in hex of content as sorted JSON, by which two copies are seen to be the same."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Shipped:
    """A template that comes with the product."""

    key: str
    title: str
    about: str
    version: int
    content: Content


def _read(path: Path) -> Shipped:
    said = json.loads(path.read_text(encoding="utf-8"))
    return Shipped(path.stem, said["title"], said["about"], said["version"], parse(said))


@cache
def shipped() -> Mapping[str, Shipped]:
    """The templates that come with the product, by key: each file in templates/ is one."""
    found: Sequence[Path] = sorted((Path(__file__).parent / "templates").glob("*.json"))
    return {each.key: each for each in map(_read, found)}
