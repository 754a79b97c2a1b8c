"""Forms of exits: shape alone; services judge."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.forms import RefusableForm
from assessments.agreements.documents import Document
from assessments.exits.facts import Candidate
from assessments.exits.items import Item
from assessments.exits.models import Disclosure, ResourceKind, Said, Verdict
from assessments.exits.services.answering import Answer
from assessments.exits.services.beginning import Beginning, Clock
from assessments.exits.services.reviewing import Paper

NO_PHI = "Never write PHI here."


def _text(
    label: str, *, most: int = 2000, rows: int = 3, required: bool = False, help_text: str = ""
) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=most, required=required, help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
    )  # fmt: skip


def _day(label: str, *, required: bool = True, help_text: str = "The day, UTC.") -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"})
    return forms.DateField(label=label, widget=widget, required=required, help_text=help_text)


class BeginForm(RefusableForm):
    runs_from = _day("The clock runs from", help_text="The day on which the agreement ended or ends, UTC.")
    reason = _text("Why it ends", most=1000, required=True, help_text=f"The other side reads this. {NO_PHI}")
    systems = _text(
        "Systems in which it holds PHI of yours", rows=5,
        help_text=f"One a line; each becomes an item of its own. May stay empty. {NO_PHI}",
    )  # fmt: skip

    def wanted(self) -> Beginning:
        """What was said, once the form is valid."""
        given = self.cleaned_data
        return Beginning(given["runs_from"], given["reason"], tuple(given["systems"].splitlines()))

    @staticmethod
    def first_values(clock: Clock, systems: str) -> dict[str, Any]:
        """What is proposed."""
        named = [each.strip() for line in systems.splitlines() for each in line.split(";")]
        return {"runs_from": clock.runs_from, "systems": "\n".join(each for each in named if each)}


class AnswerForm(RefusableForm):
    said = forms.ChoiceField(label="Answer")
    on = _day(
        "Done on",
        required=False,
        help_text="The day, UTC. Not needed for what isn't feasible or doesn't apply.",
    )
    how = _text("How", help_text=f"Such as: overwritten, crypto-erased, shredded by whom. {NO_PHI}")
    reason = _text("Reason", help_text="Needed for what isn't feasible or doesn't apply.")
    protections = _text(
        "How it stays protected, and what it is still used for",
        help_text="Needed where PHI can't be returned or destroyed (164.504(e)(2)(ii)(J)).",
    )

    def __init__(self, *args: Any, item: Item, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Choose"), *((each.value, each.label) for each in item.answers)]
        self.fields["said"].choices = choices  # type: ignore[attr-defined]
        if not item.phi:
            del self.fields["protections"]

    def wanted(self) -> Answer:
        """What was said, once the form is valid."""
        given = self.cleaned_data
        return Answer(
            Said(given["said"]), given["on"], given["how"], given["reason"], given.get("protections", "")
        )


class ReviewForm(RefusableForm):
    verdict = forms.ChoiceField(
        label="Your answer",
        choices=[("", "Choose"), (Verdict.ACCEPTED.value, "Accept"), (Verdict.MORE.value, "Ask for more")],
    )
    words = _text("What is missing", help_text=f"Needed when you ask for more. {NO_PHI}")


class PaperForm(RefusableForm):
    certified_by = forms.CharField(label="Certified by", max_length=200, help_text="The person who signed.")
    title = forms.CharField(label="Their title", max_length=200, required=False)
    certified_on = _day("Certified on", help_text="The day that stands on it.")
    reference = forms.CharField(
        label="Reference", max_length=200, required=False, help_text="Its own number."
    )
    words = _text("What it says", help_text=f"In a few words, with its exceptions. {NO_PHI}")
    document = forms.FileField(
        label="Document", required=False, help_text="PDF or DOCX, at most 10 MB. It is sealed like evidence."
    )

    def wanted(self) -> Paper:
        """What was said, once the form is valid."""
        given = dict(self.cleaned_data)
        sent = given.pop("document")
        return Paper(**given, document=Document(sent.name, sent.read()) if sent else None)


class CloseForm(RefusableForm):
    note = _text(
        "Note",
        most=1000,
        help_text="Needed where there are exceptions: why you close it as it stands. The other side reads it.",
    )


class ConnectionForm(RefusableForm):
    """Which listing is shown. Its choices are the open tenant's connections."""

    connection = forms.ChoiceField(label="AWS connection")
    kind = forms.ChoiceField(label="What", choices=ResourceKind.choices)
    q = forms.CharField(label="Name contains", max_length=200, required=False)

    def __init__(self, *args: Any, connections: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(each.pk), str(each)) for each in connections]
        self.fields["connection"].choices = choices  # type: ignore[attr-defined]


class ResourceForm(RefusableForm):
    """What of a listing held PHI. A value is region and identifier: "us-east-1|snap-1"."""

    resource = forms.MultipleChoiceField(label="Held PHI of this covered entity", required=True)

    def __init__(self, *args: Any, found: list[Candidate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(value_of(each), each.identifier) for each in found]
        self.fields["resource"].choices = choices  # type: ignore[attr-defined]

    def wanted(self) -> list[tuple[str, str]]:
        """Regions and identifiers, once the form is valid."""
        return [
            (region, rest)
            for each in self.cleaned_data["resource"]
            for region, _, rest in [each.partition("|")]
        ]


def value_of(found: Candidate) -> str:
    """How the form names a resource."""
    return f"{found.region}|{found.identifier}"


class DisclosureForm(RefusableForm):
    disclosure = forms.ChoiceField(
        label="What the other side is told",
        choices=[(Disclosure.COUNTS.value, "Numbers alone"), (Disclosure.NAMES.value, "Each by name")],
        help_text="By name, it reads the account, region and name of each, and the SHA-256 of AWS's sealed answer.",
    )


class CertifyForm(RefusableForm):
    title = forms.CharField(
        label="Your title", max_length=200, help_text="Such as: Chief Information Officer."
    )
    authority = forms.CharField(
        label="Your authority", max_length=400,
        help_text="What allows you to certify for the organisation, such as: resolution of the board of 3 March 2026.",
    )  # fmt: skip
    confirmed = forms.BooleanField(label="I have read every answer, and I certify them")
