"""Forms of agreements: their terms, what was found in clauses, filters."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from accounts.errors import InvalidInput
from accounts.forms import RefusableForm
from assessments.agreements.checklist import Marking
from assessments.agreements.clauses import CLAUSES
from assessments.agreements.documents import LARGEST, Document, sniff
from assessments.agreements.models import (
    TERM_FIELDS,
    AgreementVersion,
    ClauseAnswer,
    Disposal,
    VersionKind,
)
from assessments.agreements.services import NewVersion, flaws_of
from assessments.agreements.states import State
from assessments.agreements.terms import words_of_hours

EARLIEST, LATEST = date(1996, 8, 21), date(2199, 12, 31)
"""From the day of HIPAA on, and no further than calendars can count from."""
MOST_HOURS = 24 * 3650
_HOURS = re.compile(r"(\d{1,6})\s*(h|hours?|d|days?)?", re.IGNORECASE)


def _day(label: str, help_text: str = "") -> forms.DateField:
    return forms.DateField(
        label=label, required=False, help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)],
    )  # fmt: skip


class HoursField(forms.CharField):
    """Hours, given as 72, 72 hours or 3 days."""

    def __init__(self, label: str, help_text: str = "") -> None:
        super().__init__(label=label, required=False, max_length=20, help_text=help_text)

    def prepare_value(self, value: Any) -> Any:
        return words_of_hours(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        """The number of hours, None where nothing is given."""
        text = super().clean(value)
        if not text:
            return None
        said = _HOURS.fullmatch(text.replace(",", ""))
        if said is None:
            raise forms.ValidationError("Say it as hours or days: 72 hours, 3 days.")
        hours = int(said[1]) * (24 if (said[2] or "h").lower().startswith("d") else 1)
        if hours > MOST_HOURS:
            raise forms.ValidationError("That is more than ten years.")
        return hours


def _said(label: str) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label, required=False, choices=[("", "Not looked at yet"), ("yes", "Yes"), ("no", "No")],
        coerce=lambda value: value == "yes", empty_value=None,
    )  # fmt: skip


class VersionForm(RefusableForm):
    """A version of an agreement: what it is, its terms and its document."""

    kind = forms.ChoiceField(label="What this is", choices=VersionKind.choices)
    summary = forms.CharField(
        label="What is new in it", required=False, max_length=500,
        help_text="Such as: hours for incidents shortened. Never write PHI here.",
    )  # fmt: skip
    document = forms.FileField(
        label="Document", required=False, allow_empty_file=True,
        help_text="PDF or DOCX, at most 10 MB; kept encrypted. Empty: recorded without a document.",
    )  # fmt: skip
    own_party = forms.CharField(label="Your party, as it stands there", required=False, max_length=200)
    other_party = forms.CharField(label="The other party, as it stands there", required=False, max_length=200)
    signed_on = _day("Signed on", "The day of the last signature. Empty for a draft.")
    effective_from = _day("Takes effect on")
    ends_on = _day("Last day", "Empty: it runs until somebody ends it. Days are days of UTC.")
    renews = forms.BooleanField(label="Renews itself unless a party gives notice", required=False)
    renewal_months = forms.IntegerField(
        label="Renews for (months)", required=False, min_value=1, max_value=600
    )
    notice_days = forms.IntegerField(label="Notice before (days)", required=False, min_value=0, max_value=730)
    incident_hours = HoursField("Security incidents are told within", "72 hours or 3 days; empty: no number.")
    breach_hours = HoursField(
        "Breaches are told within", "The law lets it take 60 days at most (164.410(b))."
    )
    contingency_hours = HoursField(
        "An activated contingency plan is told within", "24 hours are proposed, not in force."
    )
    workforce_hours = HoursField(
        "Ended workforce access is told within", "24 hours are proposed, not in force."
    )
    disposal = forms.ChoiceField(
        label="PHI at the end", required=False, choices=[("", "Not said"), *Disposal.choices]
    )
    return_days = forms.IntegerField(
        label="Within (days after the end)", required=False, min_value=0, max_value=3650
    )
    audit_right = _said("You may audit it")
    binds_subcontractors = _said("It promises agreements with its subcontractors")

    PARTS: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = (
        ("This version", ("kind", "summary", "document")),
        ("Parties", ("own_party", "other_party")),
        ("Dates", ("signed_on", "effective_from", "ends_on", "renews", "renewal_months", "notice_days")),
        ("Hours that it promises", ("incident_hours", "breach_hours", "contingency_hours", "workforce_hours")),
        ("Rights and duties", ("audit_right", "binds_subcontractors", "disposal", "return_days")),
    )  # fmt: skip

    def __init__(self, *args: Any, kinds: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind.value, kind.label) for kind in kinds]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Shows at once what the document and the dates would be refused for, beside what other fields say."""
        if "kind" in self.cleaned_data:
            for flaw in list(flaws_of(self._version())):
                waits = flaw.field == "renews" and self.errors.keys() & {"ends_on", "renewal_months"}
                if flaw.field not in self.errors and not waits:
                    self.show(flaw)
        file = self.cleaned_data.get("document")
        if file:
            try:
                sniff(file.read(LARGEST + 1))
            except InvalidInput as error:
                self.show(error)
            file.seek(0)
        return self.cleaned_data

    @property
    def parts(self) -> list[tuple[str, list[Any]]]:
        """The fields in groups."""
        return [(title, [self[name] for name in names]) for title, names in self.PARTS]

    def wanted(self) -> NewVersion:
        """What services take, once the form is valid."""
        file = self.cleaned_data["document"]
        document = Document(file.name or "", file.read(LARGEST + 1)) if file else None
        return replace(self._version(), document=document)

    def _version(self) -> NewVersion:
        given = self.cleaned_data
        terms = AgreementVersion(**{name: given[name] for name in TERM_FIELDS if name in given})
        return NewVersion(VersionKind(given["kind"]), terms, given.get("summary", ""))


def values_of(version: AgreementVersion, *, keep_dates: bool) -> dict[str, Any]:
    """A version's terms as a form's first values; without the dates of its signature for what is to be signed anew."""
    values = {name: getattr(version, name) for name in TERM_FIELDS}
    for name in ("audit_right", "binds_subcontractors"):
        values[name] = {True: "yes", False: "no"}.get(values[name], "")
    if not keep_dates:
        values |= {"signed_on": None, "effective_from": None}
    return values


class TerminateForm(RefusableForm):
    terminated_on = _day("Ends on", "The first day without it (UTC). It may lie ahead.")
    reason = forms.CharField(label="Why", max_length=500, help_text="Never write PHI here.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["terminated_on"].required = True


class ClausesForm(RefusableForm):
    """What was found of one clause, or of several at once."""

    clause = forms.MultipleChoiceField(
        label="Clauses", choices=[(clause.id, f"{clause.citation} {clause.title}") for clause in CLAUSES],
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    answer = forms.ChoiceField(label="Found", choices=ClauseAnswer.choices)
    page = forms.IntegerField(label="Page", required=False, min_value=1, max_value=9999)
    quote = forms.CharField(label="Where, such as § 4.2", required=False, max_length=500)
    reason = forms.CharField(label="Remark, or why it isn't applicable", required=False, max_length=500)

    def wanted(self) -> Marking:
        """What services take, once the form is valid."""
        given = self.cleaned_data
        return Marking(
            clauses=given["clause"], answer=ClauseAnswer(given["answer"]), page=given["page"],
            quote=given["quote"], reason=given["reason"],
        )  # fmt: skip


class AgreementFilterForm(forms.Form):
    text = forms.CharField(required=False, max_length=100, label="Business associate")
    state = forms.ChoiceField(
        required=False, label="State", choices=[("", "Every state"), *State.choices]
    )  # fmt: skip
