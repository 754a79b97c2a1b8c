"""Forms of notices and breaches."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from accounts.forms import RefusableForm
from assessments.notices.breaches import FACTORS, Weighed
from assessments.notices.clocks import ZONES
from assessments.notices.kinds import NO_PHI, WORDS, Kind
from assessments.notices.sending import Draft, Recipient
from assessments.notices.terms import Hours

MOMENT = "%Y-%m-%dT%H:%M"
LONGEST_TERM = 24 * 60


def _text(label: str, help_text: str, *, rows: int = 4, required: bool = True) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(
        label=label, max_length=4000, required=required, help_text=help_text, widget=widget
    )


def _number(label: str, help_text: str, *, most: int = 2_000_000_000) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=0, max_value=most, help_text=help_text)


class OccurrenceForm(RefusableForm):
    """What happened and since when. `breach` decides whether individuals are asked for."""

    title = forms.CharField(label="In one line", max_length=200, help_text=NO_PHI)
    details = _text("What recipients should know", NO_PHI, required=False)
    discovered_at = forms.DateTimeField(
        label="Since",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT),
    )
    zone = forms.ChoiceField(
        label="Time zone",
        choices=[*ZONES.items()],
        help_text="Of the place of discovery: its calendar days count.",
    )
    individuals = _number("Individuals concerned", "A number alone; empty where it isn't known yet.")
    most_in_one_state = _number(
        "Most of them in one State or jurisdiction",
        "A number alone; above 500 the media are to be told (164.406).",
    )
    drill = forms.BooleanField(
        label="This is a drill", required=False,
        help_text="The same run, marked DRILL everywhere. It is never counted as a notice.",
    )  # fmt: skip

    def __init__(self, *args: Any, kind: Kind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.fields["discovered_at"].label = WORDS[kind].start
        self.fields["details"].help_text = f"{WORDS[kind].hint} {NO_PHI}"
        self.initial.setdefault(
            "discovered_at", timezone.now().astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None)
        )
        if kind is not Kind.BREACH:
            del self.fields["individuals"], self.fields["most_in_one_state"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        at, zone = cleaned.get("discovered_at"), cleaned.get("zone")
        if at is not None and zone:
            cleaned["discovered_at"] = self._instant(at.replace(tzinfo=None), ZoneInfo(zone))
        return cleaned

    def _instant(self, wall: datetime, zone: ZoneInfo) -> datetime | None:
        """The first instant at which clocks there show that time."""
        try:
            instant = wall.replace(tzinfo=zone).astimezone(UTC)
            shown = instant.astimezone(zone).replace(tzinfo=None)
        except OverflowError:  # a day at either end of the calendar has no neighbour
            shown = None
        if shown != wall:
            self.add_error("discovered_at", "Clocks in that time zone never showed this time.")
        elif instant > timezone.now():
            self.add_error("discovered_at", "Give a time that has passed.")
        else:
            return instant
        return None

    def draft(self) -> Draft:
        """What is to be sent, once the form is valid."""
        given = self.cleaned_data
        return Draft(
            kind=self.kind, drill=given["drill"], title=given["title"], details=given["details"],
            discovered_at=given["discovered_at"], zone=given["zone"], individuals=given.get("individuals"),
            most_in_one_state=given.get("most_in_one_state"),
        )  # fmt: skip


class NoticeForm(OccurrenceForm):
    """With who is to be told."""

    recipients = forms.MultipleChoiceField(label="Recipients", widget=forms.CheckboxSelectMultiple)
    field_order = ("recipients",)

    def __init__(self, *args: Any, known: list[Recipient], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = self.fields["recipients"]
        choices.choices = [(str(each.id), each.name) for each in known]  # type: ignore[attr-defined]
        self.initial.setdefault("recipients", [str(each.id) for each in known])

    def chosen(self) -> set[UUID]:
        """Whom to tell, once the form is valid."""
        return {UUID(key) for key in self.cleaned_data["recipients"]}


class UpdateForm(RefusableForm):
    text = _text("Update", NO_PHI, rows=3)
    closes = forms.BooleanField(label="This is over: close the notice", required=False)


class AcknowledgeForm(RefusableForm):
    note = forms.CharField(label="Note to the sender", required=False, max_length=500, help_text=NO_PHI)


class LinkForm(RefusableForm):
    name = forms.CharField(label="Your name and function", max_length=200)


class OutsideForm(RefusableForm):
    """A covered entity that is told by e-mail."""

    name = forms.CharField(label="Covered entity", max_length=200)
    email = forms.EmailField(label="E-mail address for notices", max_length=254)
    contingency = _number(
        "Contingency plan activated, hours", "Empty: 24, as proposed in 2025.", most=LONGEST_TERM
    )
    workforce = _number("Workforce access ended, hours", "Empty: 24, as proposed in 2025.", most=LONGEST_TERM)
    incident = _number("Security incident, hours", "As the agreement says.", most=LONGEST_TERM)
    breach = _number("Breach, hours", "As the agreement says; never more than 60 days.", most=LONGEST_TERM)

    def hours(self) -> Hours:
        """What was agreed, once the form is valid."""
        return Hours(*(self.cleaned_data[kind.value] for kind in Kind))


class AssessmentForm(RefusableForm):
    """The four factors and the conclusion."""

    nature = _text(FACTORS["nature"], NO_PHI, rows=3)
    recipient = _text(FACTORS["recipient"], f"By function or kind of organization. {NO_PHI}", rows=3)
    acquired = _text(FACTORS["acquired"], NO_PHI, rows=3)
    mitigated = _text(FACTORS["mitigated"], NO_PHI, rows=3)
    conclusion = forms.ChoiceField(
        label="Conclusion", widget=forms.RadioSelect,
        choices=[
            ("breach", "Not shown to be low: it is a breach"),
            ("low", "Low probability that the PHI was compromised"),
        ],
    )  # fmt: skip
    individuals = _number("Individuals concerned", "A number alone; empty counts as 500 or more.")
    most_in_one_state = _number(
        "Most of them in one State or jurisdiction", "Above 500 the media are to be told (164.406)."
    )

    def weighed(self) -> Weighed:
        """What was written, once the form is valid."""
        given = self.cleaned_data
        return Weighed(
            {name: given[name] for name in FACTORS}, given["conclusion"] == "low", given["individuals"],
            given["most_in_one_state"],
        )  # fmt: skip


class StepForm(RefusableForm):
    done_on = forms.DateField(label="Done on", widget=forms.DateInput(attrs={"type": "date"}))
    note = forms.CharField(label="Note", required=False, max_length=300, help_text=NO_PHI)
