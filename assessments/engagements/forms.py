"""Forms of engagements: shape alone; services judge."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone

from accounts.forms import RefusableForm
from accounts.models import Membership
from accounts.permissions import Permission, Role, allows
from assessments.engagements import documents, scope
from assessments.engagements.models import Extent, Judgement, Result
from assessments.engagements.services import EngagementTerms
from assessments.engagements.services.populations import Source
from assessments.engagements.services.requests import LONGEST_TEXT
from assessments.models import Engagement
from assessments.rule.model import SECURITY_RULE
from evidence.models import AwsConnection

ATTACHABLE = 60


def _day(label: str, help_text: str = "") -> forms.DateField:
    return forms.DateField(label=label, help_text=help_text, widget=forms.DateInput(attrs={"type": "date"}))


def _text(label: str, *, required: bool = True, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label, required=required, max_length=LONGEST_TEXT, help_text=help_text,
        widget=forms.Textarea(attrs={"rows": 4}),
    )  # fmt: skip


class EngagementForm(RefusableForm):
    """The terms of an engagement. Nothing ticked in a list is everything."""

    title = forms.CharField(
        label="Title", max_length=200, help_text="Such as: Security Rule examination 2026."
    )
    firm = forms.CharField(label="Auditor's firm", max_length=200)
    period_from = _day("Evidence from", "The first day of the period under examination (UTC).")
    period_to = _day("Evidence to", "Its last day. What was collected before or after can't be seen.")
    opens_on = _day("Access from", "Auditors get in from the beginning of this day (UTC).")
    closes_on = _day("Access to", "Auditors get in until the end of this day (UTC).")
    citations = forms.MultipleChoiceField(
        label="Safeguards", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="Tick those in scope; none ticked is all. A standard brings its specifications.",
        choices=[(each.citation, f"{each.citation} {each.title}") for each in SECURITY_RULE.values()],
    )  # fmt: skip
    connections = forms.MultipleChoiceField(
        label="AWS accounts", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="Tick those in scope; none ticked is all, also those connected later.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = AwsConnection.objects.order_by("name", "id")
        self.fields["connections"].choices = [(str(row.pk), str(row)) for row in rows]  # type: ignore[attr-defined]

    def terms(self) -> EngagementTerms:
        """The terms, once the form is valid."""
        given = self.cleaned_data
        return EngagementTerms(
            title=given["title"], firm=given["firm"], period_from=given["period_from"], period_to=given["period_to"],
            opens_at=datetime.combine(given["opens_on"], time.min, UTC),
            closes_at=datetime.combine(given["closes_on"] + timedelta(days=1), time.min, UTC),
            citations=tuple(given["citations"]) or None,
            connection_ids=tuple(UUID(each) for each in given["connections"]) or None,
        )  # fmt: skip

    @staticmethod
    def values_of(engagement: Engagement) -> dict[str, Any]:
        """What the form shows of an engagement that is there."""
        return {
            "title": engagement.title, "firm": engagement.firm, "period_from": engagement.period_from,
            "period_to": engagement.period_to, "opens_on": engagement.opens_at.astimezone(UTC).date(),
            "closes_on": (engagement.closes_at.astimezone(UTC) - timedelta(microseconds=1)).date(),
            "citations": engagement.citations or [],
            "connections": [str(each) for each in engagement.connection_ids or []],
        }  # fmt: skip

    @staticmethod
    def first_values() -> dict[str, Any]:
        """What is proposed for a new one: the evidence of a year, and access for 90 days."""
        today = timezone.now().date()
        return {
            "period_from": today - timedelta(days=365), "period_to": today, "opens_on": today,
            "closes_on": today + timedelta(days=90),
        }  # fmt: skip


class AuditorForm(RefusableForm):
    name = forms.CharField(label="Auditor's name", max_length=200)
    email = forms.EmailField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )


def _citations(engagement: Engagement) -> list[tuple[str, str]]:
    return [(each.citation, f"{each.citation} {each.title}") for each in scope.safeguards(engagement)]


class _ScopedForm(RefusableForm):
    """A form about one of an engagement's safeguards."""

    citation = forms.ChoiceField(label="Safeguard")

    def __init__(self, *args: Any, engagement: Engagement, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["citation"].choices = _citations(engagement)  # type: ignore[attr-defined]


class AskForm(_ScopedForm):
    title = forms.CharField(label="What you ask for, in a few words", max_length=200)
    text = _text("The request")
    due_on = _day("Due on")
    field_order = ("citation", "title", "text", "due_on")


class SayForm(RefusableForm):
    """A message in a request's thread; `act` comes from the button."""

    text = _text("Message", required=False)


class AnswerForm(SayForm):
    """The tenant's, with evidence to attach."""

    evidence = forms.MultipleChoiceField(
        label="Evidence to attach", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="For an answer: the newest snapshots of this safeguard in the engagement's scope and period.",
    )  # fmt: skip
    documents = forms.MultipleChoiceField(
        label="Documents to attach", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="The newest that were submitted, accepted, and speak of this safeguard in scope and period.",
    )  # fmt: skip

    def __init__(self, *args: Any, engagement: Engagement, citation: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = scope.snapshots(engagement, citation).select_related("connection").order_by("-collected_at")
        self.fields["evidence"].choices = [  # type: ignore[attr-defined]
            (str(row.pk), f"{row} of {row.connection.name}, {row.collected_at:%Y-%m-%d %H:%M}")
            for row in rows[:ATTACHABLE]
        ]
        sent = documents.submissions(engagement, citation).order_by("-received_at", "-id")
        self.fields["documents"].choices = [  # type: ignore[attr-defined]
            (str(row.pk), f"{row.title} from {row.sender}, {row.received_at:%Y-%m-%d %H:%M}")
            for row in sent[:ATTACHABLE]
        ]


class AssignForm(RefusableForm):
    owner = forms.ChoiceField(label="Who answers", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Membership.objects.select_related("person").order_by("person__name")
        may = [row for row in rows if allows(Role(row.role), Permission.ENGAGEMENT_ANSWER)]
        self.fields["owner"].choices = [("", "Nobody yet"), *((str(row.pk), str(row.person)) for row in may)]  # type: ignore[attr-defined]
        self.people = {row.person_id: str(row.pk) for row in may}


class FreezeForm(_ScopedForm):
    title = forms.CharField(label="What is tested", max_length=200)
    extent = forms.ChoiceField(label="Extent", choices=Extent.choices, initial=Extent.FEW)
    source = forms.ChoiceField(label="Population", choices=[(each.value, each.label) for each in Source])
    subject = forms.ChoiceField(
        label="Check",
        required=False,
        help_text="For a population of resources: the check that looked at them.",
    )
    field_order = ("citation", "title", "extent", "source", "subject")

    def __init__(self, *args: Any, engagement: Engagement, **kwargs: Any) -> None:
        super().__init__(*args, engagement=engagement, **kwargs)
        tools = scope.tools_of(engagement).values()
        found = sorted((check.id, check.title) for check in scope.checks_of(engagement))
        found += sorted((tool.id, f"{tool.title} ({tool.tool})") for tool in tools)
        self.fields["subject"].choices = [("", "None"), *found]  # type: ignore[attr-defined]


class DrawForm(RefusableForm):
    seed = forms.CharField(
        label="Seed", max_length=128, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Any line of text, chosen by you after the freeze: dice, a headline, a random number.",
    )  # fmt: skip
    size = forms.IntegerField(label="Number of items", min_value=1, initial=1)


class ReplaceForm(RefusableForm):
    reason = forms.CharField(label="Why it can't be tested", max_length=1000)


class JudgeForm(RefusableForm):
    result = forms.ChoiceField(label="Result", choices=Result.choices)
    note = forms.CharField(label="Note", max_length=2000, required=False)


class CommentForm(RefusableForm):
    text = _text("Comment", help_text="Both sides read it.")


class ConcludeForm(RefusableForm):
    judgement = forms.ChoiceField(label="Conclusion", choices=Judgement.choices)
    reasons = _text("Reasons")
    shared = forms.BooleanField(
        label="Share it with the organisation", required=False,
        help_text="Until then only auditors of this engagement see it.",
    )  # fmt: skip


def due_first() -> date:
    """What is proposed as a due date: in two weeks."""
    return timezone.now().date() + timedelta(days=14)
