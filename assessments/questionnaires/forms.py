"""Forms of questionnaires. Those of answers and reviews are made of a section's questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.forms import BoundField

from accounts.errors import InvalidInput
from accounts.forms import RefusableForm
from assessments.questionnaires.answering import Given
from assessments.questionnaires.content import (
    HEAVIEST,
    AnswerKind,
    Choice,
    Question,
    Section,
)
from assessments.questionnaires.entries import LONGEST_TEXT, Entry, find_fault
from assessments.questionnaires.reviewing import Found, Verdict
from assessments.questionnaires.states import State
from assessments.rule.model import SECURITY_RULE

YEARS = (2000, 2100)
NO_PHI = "Never write PHI here."


CITATIONS = [
    ("", "Nothing in the Security Rule"),
    *((key, f"{key} {each.title}") for key, each in SECURITY_RULE.items()),
]
LARGEST = 10**12


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class SentFilterForm(forms.Form):
    text = forms.CharField(required=False, max_length=100, label="Business associate or title")
    state = forms.ChoiceField(
        required=False,
        label="State",
        choices=[("", "Every state"), *((each.value, each.label) for each in State)],
    )
    year = forms.IntegerField(required=False, label="Year", min_value=YEARS[0], max_value=YEARS[1])


class ChooseForm(forms.Form):
    """Which business associates the page of sending lists."""

    text = forms.CharField(required=False, max_length=100, label="Name or reference")
    tier = forms.ChoiceField(
        required=False,
        label="Tier",
        choices=[("", "Every tier"), *((str(n), f"Tier {n}") for n in (1, 2, 3))],
    )


class SendForm(RefusableForm):
    source = forms.ChoiceField(label="Template")
    due_on = forms.DateField(label="Answers are due on", widget=_day())
    year = forms.IntegerField(
        label="Year", min_value=YEARS[0], max_value=YEARS[1], help_text="For which year it is asked."
    )
    everyone = forms.BooleanField(label="Send to all that the filter shows", required=False)
    associates = forms.TypedMultipleChoiceField(label="Business associates", required=False)

    def __init__(
        self, *args: Any, sources: list[tuple[str, str]], associates: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].choices = sources  # type: ignore[attr-defined]
        self.fields["associates"].choices = associates  # type: ignore[attr-defined]


class SendBackForm(RefusableForm):
    due_on = forms.DateField(label="New answers are due on", widget=_day())


class LinkForm(RefusableForm):
    email = forms.EmailField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text="Whoever holds the link can answer, until 14 days after the due day.",
    )  # fmt: skip


class CopyForm(RefusableForm):
    source = forms.ChoiceField(label="Copy of")
    title = forms.CharField(label="Title", max_length=200)

    def __init__(self, *args: Any, sources: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].choices = sources  # type: ignore[attr-defined]


class TitleForm(RefusableForm):
    title = forms.CharField(label="Title", max_length=200)


class WorkbookForm(RefusableForm):
    sheet = forms.FileField(
        label="Workbook",
        help_text="The XLSX of this questionnaire, filled in; at most 2 MB. CSV (UTF-8) does, too.",
    )


class EvidenceForm(RefusableForm):
    question = forms.CharField(max_length=64)
    snapshot = forms.UUIDField(required=False)
    document = forms.FileField(required=False)
    remove = forms.RegexField(r"^[0-9a-f]{64}$", required=False)


class QuestionForm(RefusableForm):
    """One question of a template."""

    section = forms.CharField(
        label="Section", max_length=64, widget=forms.TextInput(attrs={"list": "sections", "autocomplete": "off"}),
        help_text="One that is there, or a new one.",
    )  # fmt: skip
    prompt = forms.CharField(label="Question", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))
    answer = forms.ChoiceField(label="Answer", choices=[(each.value, each.label) for each in AnswerKind])
    choices = forms.CharField(
        label="Choices", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text="A line each: the words = which percent of the weight they earn, such as “every week = 80”.",
    )  # fmt: skip
    citation = forms.ChoiceField(
        label="Asked by", required=False,
        choices=CITATIONS,
    )  # fmt: skip
    weight = forms.IntegerField(
        label="Weight", min_value=0, max_value=HEAVIEST, help_text="0 isn't scored; text never is."
    )
    evidence = forms.CharField(label="What would show it", required=False, max_length=500)
    help = forms.CharField(
        label="Help", required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    within_days = forms.IntegerField(
        label="Date: not older than, days", required=False, min_value=1, max_value=10_000
    )
    at_least = forms.IntegerField(
        label="Number: at least", required=False, min_value=-LARGEST, max_value=LARGEST
    )
    at_most = forms.IntegerField(
        label="Number: at most", required=False, min_value=-LARGEST, max_value=LARGEST
    )

    def question(self, key: str, *, checks: tuple[str, ...] = ()) -> Question:
        """The question, once the form is valid. Raises InvalidInput for one that can't be asked."""
        said = self.cleaned_data
        kind = AnswerKind(said["answer"])
        return Question(
            key=key, prompt=said["prompt"], kind=kind, citation=said["citation"], weight=said["weight"],
            evidence=said["evidence"], help=said["help"], within_days=said["within_days"], at_least=said["at_least"],
            at_most=said["at_most"], checks=checks,
            choices=parse_choices(said["choices"]) if kind is AnswerKind.CHOICE else (),
        )  # fmt: skip


def parse_choices(text: str) -> tuple[Choice, ...]:
    """Choices from lines of "words = percent". Raises InvalidInput."""
    return tuple(_choice(line) for line in text.splitlines() if line.strip())


def _choice(line: str) -> Choice:
    words, _, share = line.rpartition("=")
    digits = share.strip().removesuffix("%").strip()
    if not words.strip() or not digits.isdecimal() or not digits.isascii() or len(digits) > 3:  # noqa: PLR2004 (100)
        raise InvalidInput(f"Write “words = percent” instead of “{line.strip()[:60]}”.", field="choices")
    return Choice(words.strip(), int(digits))


def question_initial(section: str, question: Question) -> dict[str, Any]:
    """What the form shows of a question that is there."""
    return {
        "section": section, "prompt": question.prompt, "answer": question.kind.value, "citation": question.citation,
        "choices": "\n".join(f"{each.label} = {each.share}" for each in question.choices), "weight": question.weight,
        "evidence": question.evidence, "help": question.help, "within_days": question.within_days,
        "at_least": question.at_least, "at_most": question.at_most,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """A question with its fields, for the page."""

    question: Question
    entry: Entry
    value: BoundField
    reason: BoundField | None
    confirm: BoundField | None
    review: Mapping[str, str] | None


class SectionForm(RefusableForm):
    """The answers of one section. A proposal is confirmed by its box, or changed; else it stays a proposal."""

    def __init__(self, *args: Any, section: Section, entries: Mapping[str, Entry], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section, self.entries = section, entries
        for question in section.questions:
            entry = entries.get(question.key, Entry())
            self.fields[f"{question.key}-value"] = _value_field(question, entry)
            if question.offered:
                self.fields[f"{question.key}-reason"] = _reason_field(question, entry)
            if entry.proposed:
                self.fields[f"{question.key}-confirm"] = forms.BooleanField(
                    label="This is still so", required=False
                )

    def clean(self) -> dict[str, Any]:
        """Each answer judged by its question, said at its field."""
        for question in self.section.questions:
            said = self._said(question)
            fault = find_fault(question, said.value, said.reason)
            if fault and f"{question.key}-value" not in self.errors:
                self.add_error(f"{question.key}-value", fault)
        return self.cleaned_data

    def given(self) -> dict[str, Given]:
        """The answers, once the form is valid, without proposals that nobody confirmed or changed."""
        found = {question.key: self._said(question) for question in self.section.questions}
        return {key: said for key, said in found.items() if not self._is_unconfirmed(key, said)}

    def left(self) -> int:
        """How many proposals nobody confirmed or changed, once the form is valid."""
        return len(self.section.questions) - len(self.given())

    def rows(self, reviews: Mapping[str, Mapping[str, str]]) -> Iterator[AnswerRow]:
        """The questions with their fields."""
        for question in self.section.questions:
            key = question.key
            yield AnswerRow(
                question, self.entries.get(key, Entry()), self[f"{key}-value"], self._bound(f"{key}-reason"),
                self._bound(f"{key}-confirm"), reviews.get(key),
            )  # fmt: skip

    def _bound(self, name: str) -> BoundField | None:
        return self[name] if name in self.fields else None

    def _said(self, question: Question) -> Given:
        value = self.cleaned_data.get(f"{question.key}-value")
        plain = value.isoformat() if isinstance(value, date) else "" if value is None else str(value)
        return Given(plain, self.cleaned_data.get(f"{question.key}-reason", ""))

    def _is_unconfirmed(self, key: str, said: Given) -> bool:
        entry = self.entries.get(key, Entry())
        same = entry.proposed and (said.value, said.reason) == (entry.value, entry.reason)
        return same and not self.cleaned_data.get(f"{key}-confirm")


def _value_field(question: Question, entry: Entry) -> forms.Field:
    common: dict[str, Any] = {"label": question.prompt, "required": False, "initial": entry.value}
    if question.offered:
        choices = [
            ("", "Not answered"),
            *((each.label, each.label.capitalize()) for each in question.offered),
        ]
        return forms.ChoiceField(widget=forms.RadioSelect, choices=choices, **common)
    if question.kind is AnswerKind.DATE:
        return forms.DateField(widget=_day(), **common)
    if question.kind is AnswerKind.NUMBER:
        return forms.IntegerField(min_value=-LARGEST, max_value=LARGEST, **common)
    return forms.CharField(
        max_length=LONGEST_TEXT, help_text=NO_PHI, widget=forms.Textarea(attrs={"rows": 3}), **common
    )


def _reason_field(question: Question, entry: Entry) -> forms.Field:
    return forms.CharField(
        label="Reason" if question.kind is AnswerKind.YES_NO else "Remark", required=False, initial=entry.reason,
        max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=f"Needed for “partly” and “no”. {NO_PHI}" if question.kind is AnswerKind.YES_NO else NO_PHI,
    )  # fmt: skip


class ReviewForm(RefusableForm):
    """What is found of the answers of one section."""

    def __init__(self, *args: Any, section: Section, found: Mapping[str, Found], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section
        choices = [("", "Not looked at"), *((each.value, each.label) for each in Verdict)]
        for question in section.questions:
            said = found.get(question.key)
            self.fields[f"{question.key}-verdict"] = forms.ChoiceField(
                label="Found", required=False, widget=forms.RadioSelect, choices=choices,
                initial=said.verdict.value if said else "",
            )  # fmt: skip
            self.fields[f"{question.key}-comment"] = forms.CharField(
                label="What more is needed", required=False, max_length=2000, initial=said.comment if said else "",
                widget=forms.Textarea(attrs={"rows": 1}),
            )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """More is never asked for without words."""
        said = self.cleaned_data
        for question in self.section.questions:
            if said.get(f"{question.key}-verdict") == Verdict.MORE and not said.get(
                f"{question.key}-comment"
            ):
                self.add_error(f"{question.key}-comment", "Say what more is needed.")
        return said

    def found(self, *, rest: Verdict | None = None) -> dict[str, Found]:
        """What is found, of those that were looked at, once the form is valid.

        `rest`: what is found of those that were shown and not looked at by themselves.
        """
        said = self.cleaned_data
        if rest:
            shown = (f"{question.key}-verdict" for question in self.section.questions)
            said = {**said, **{name: rest for name in shown if name in self.data and not said[name]}}
        return {
            question.key: Found(Verdict(said[f"{question.key}-verdict"]), said[f"{question.key}-comment"])
            for question in self.section.questions
            if said[f"{question.key}-verdict"]
        }

    def bound(self, key: str) -> tuple[BoundField, BoundField]:
        """The fields of a question."""
        return self[f"{key}-verdict"], self[f"{key}-comment"]
