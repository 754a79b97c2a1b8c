"""Forms and filters of the pages of submitted documents: shape alone; services judge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms

from accounts.forms import RefusableForm
from assessments.models import OUTCOMES, SEVERITIES
from assessments.rule.model import SECURITY_RULE
from assessments.worklist import FindingFilter
from evidence.formats.base import formats
from evidence.models import SubmissionState
from evidence.submissions.mappings import live_mappings

MOST_BYTES = 16 << 20
"""What a person sends by the page; more is sent by a client."""


def _format_choices(first: str) -> list[tuple[str, str]]:
    return [("", first), *((name, each.title) for name, each in formats().items())]


def _mapping_choices() -> list[tuple[str, str]]:
    return [("", "None"), *((str(row.pk), str(row)) for row in live_mappings())]


def _moment(label: str, help_text: str = "") -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, required=False, help_text=help_text, widget=widget)


def small_file(given: Any) -> Any:
    """A file that the page takes. Raises forms.ValidationError."""
    if given and given.size > MOST_BYTES:
        raise forms.ValidationError("This page takes at most 16 MiB. A client sends larger documents.")
    return given


class SubmissionFilterForm(forms.Form):
    """What the list of documents is narrowed to."""

    state = forms.ChoiceField(required=False, choices=[("", "Every state"), *SubmissionState.choices])
    format = forms.ChoiceField(required=False, choices=lambda: _format_choices("Every format"))
    stream = forms.CharField(required=False, max_length=100)

    def wanted(self) -> dict[str, str]:
        """The filter; what can't be used is left open and said by the form."""
        self.is_valid()
        given = {name: value for name, value in self.cleaned_data.items() if value}
        if "stream" in given:
            given["stream__name"] = given.pop("stream")
        return given


class DocumentFindingFilterForm(forms.Form):
    """What the findings of a document are narrowed to."""

    outcome = forms.ChoiceField(required=False, choices=[("", "Every outcome"), *OUTCOMES])
    severity = forms.ChoiceField(required=False, choices=[("", "Every severity"), *SEVERITIES])
    text = forms.CharField(required=False, max_length=200, label="Words or ARN")

    def wanted(self) -> FindingFilter:
        """The filter; what can't be used is left open and said by the form."""
        self.is_valid()
        return FindingFilter(**self.cleaned_data)


class SendForm(RefusableForm):
    """A document that a person sends."""

    document = forms.FileField(
        label="Document", allow_empty_file=True,
        help_text="As its tool wrote it, at most 16 MiB. It should hold no PHI: what may is held back.",
    )  # fmt: skip
    format = forms.ChoiceField(
        label="Format", required=False, choices=lambda: _format_choices("Recognised by its first bytes"),
    )  # fmt: skip
    mapping = forms.ChoiceField(
        label="Saved mapping", required=False, choices=_mapping_choices,
        help_text="What the columns or fields mean, for CSV and plain JSON.",
    )  # fmt: skip
    name = forms.CharField(
        label="Name",
        required=False,
        max_length=255,
        help_text="Empty: the file's name. Never write PHI here.",
    )
    stream = forms.CharField(
        label="Stream", required=False, max_length=100,
        help_text="The series that it belongs to, such as one scanner's over one account. Empty: its producer's name.",
    )  # fmt: skip
    complete = forms.BooleanField(
        label="It says all that its stream knows", required=False,
        help_text="Then findings of earlier documents of the stream that aren't in it are gone.",
    )  # fmt: skip
    effective_from = _moment("Tells of the time from (UTC)")
    effective_to = _moment("to (UTC)")
    citations = forms.MultipleChoiceField(
        label="What it is evidence for", required=False, widget=forms.CheckboxSelectMultiple,
        choices=[(citation, f"{citation} {each.title}") for citation, each in SECURITY_RULE.items()],
        help_text="Where the document itself cites nothing.",
    )  # fmt: skip

    def clean_document(self) -> Any:
        """Small enough."""
        return small_file(self.cleaned_data["document"])

    def clean(self) -> dict[str, Any]:
        """A period that doesn't end before it begins."""
        begins, ends = self.cleaned_data.get("effective_from"), self.cleaned_data.get("effective_to")
        if begins and ends and begins > ends:
            self.add_error("effective_to", "It ends before it begins.")
        return self.cleaned_data

    def mapping_id(self) -> UUID | None:
        """Which saved mapping was chosen."""
        chosen = self.cleaned_data["mapping"]
        return UUID(chosen) if chosen else None


class ReasonForm(RefusableForm):
    """Why somebody decides as they do."""

    reason = forms.CharField(
        label="Why", max_length=2000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Never repeat what was found: not the value, no name, no number.",
    )  # fmt: skip


class ReleaseForm(ReasonForm):
    """Why a document that was held back holds no PHI."""

    looked = forms.BooleanField(label="I have read the document, not only the list of what was found")


class MappingForm(RefusableForm):
    """A mapping, or its next version, and a sample to try it on."""

    name = forms.CharField(label="Name", max_length=100, help_text="Such as: backup-report.")
    description = forms.CharField(label="What it is for", required=False, max_length=200)
    content = forms.CharField(
        label="Mapping (JSON)", max_length=100_000, strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "class": "mono"}),
    )  # fmt: skip
    format = forms.ChoiceField(label="Read the sample as", choices=[("csv", "CSV"), ("json", "Plain JSON")])
    sample = forms.CharField(
        label="Sample", required=False, max_length=200_000, strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "mono"}),
        help_text="A few lines of a real document, without PHI. It is read and forgotten.",
    )  # fmt: skip
    document = forms.FileField(label="Or a sample as a file", required=False)

    def clean_content(self) -> Mapping[str, Any]:
        """The JSON."""
        try:
            read = json.loads(self.cleaned_data["content"])
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(f"This is no JSON: {error}") from error
        if not isinstance(read, dict):
            raise forms.ValidationError("A mapping is a JSON object.")
        return read

    def clean_document(self) -> Any:
        """Small enough."""
        return small_file(self.cleaned_data["document"])

    def sample_bytes(self) -> bytes:
        """What to try the mapping on; empty for nothing."""
        given = self.cleaned_data.get("document")
        return bytes(given.read()) if given else str(self.cleaned_data["sample"]).encode()
