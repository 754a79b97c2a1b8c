"""The forms of API clients: shape alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone

from accounts.clients.scopes import WORDS, Reach, Scope
from accounts.clients.services import LONGEST_DAYS, Audited
from accounts.forms import RefusableForm
from assessments.models import Engagement
from assessments.rule.model import SECURITY_RULE
from evidence.models import AwsConnection


def _place(scope: tuple[Scope, str]) -> tuple[bool, bool]:
    """What most clients are made for stands first, then what only reads."""
    return not scope[0].startswith("submissions:"), not scope[0].endswith(":read")


class ApiClientForm(RefusableForm):
    """What a client may, for how long, and from where. Nothing ticked in a narrowing list is everything."""

    name = forms.CharField(
        label="Name",
        max_length=100,
        help_text="Say which machine it is, such as: nightly scanner of the billing system.",
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do", widget=forms.CheckboxSelectMultiple,
        choices=[(str(scope), f"{scope}: {words}") for scope, words in sorted(WORDS.items(), key=_place)],
    )  # fmt: skip
    keyless = forms.BooleanField(
        label="Make no secret", required=False,
        help_text="The client will prove who it is by AWS or by its CI system: say on its page whom you trust.",
    )  # fmt: skip
    days = forms.IntegerField(label="Days until it ends", min_value=1, max_value=LONGEST_DAYS, initial=180)
    networks = forms.CharField(
        label="Only from these networks", required=False, max_length=2500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One on each line, such as 192.0.2.0/24 or an address. Empty: from anywhere.",
    )  # fmt: skip
    connections = forms.MultipleChoiceField(
        label="Only these AWS accounts", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="None ticked is all, also those connected later. Goes with connections, runs, evidence and findings.",
    )  # fmt: skip
    safeguards = forms.MultipleChoiceField(
        label="Only these safeguards", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="None ticked is all. Goes with safeguards, findings and evidence.",
        choices=[(each.citation, f"{each.citation} {each.title}") for each in SECURITY_RULE.values()],
    )  # fmt: skip

    engagement = forms.ChoiceField(
        label="For the auditors of", required=False,
        help_text="A client of auditors reads what their engagement shows and nothing else, until it closes. Its one"
        f" scope is {Scope.ENGAGEMENT_AUDIT}.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        now = timezone.now()
        running = Engagement.objects.filter(ended_at=None, closes_at__gt=now).order_by("closes_at", "id")
        self._engagements = {str(each.pk): each for each in running}
        choices = [
            ("", "Nobody: it is your own"),
            *((pk, str(each)) for pk, each in self._engagements.items()),
        ]
        self.fields["engagement"].choices = choices  # type: ignore[attr-defined]
        rows = AwsConnection.objects.filter(removed_at=None).order_by("name", "id")
        self.fields["connections"].choices = [(str(row.pk), str(row)) for row in rows]  # type: ignore[attr-defined]

    def wanted(self) -> dict[str, Any]:
        """What accounts.clients.services.create_client takes beside `by`, once the form is valid."""
        given = self.cleaned_data
        engagement = self._engagements.get(given["engagement"])
        return {
            "audited": Audited(engagement.pk, engagement.closes_at) if engagement else None,
            "name": given["name"],
            "days": given["days"],
            "scopes": frozenset(Scope(each) for each in given["scopes"]),
            "networks": [line for line in given["networks"].splitlines() if line.strip()],
            "reach": Reach(
                frozenset(given["safeguards"]), frozenset(UUID(each) for each in given["connections"])
            ),
        }


class AwsTrustForm(RefusableForm):
    """A role or user of AWS that a client may prove to be."""

    arn = forms.CharField(
        label="ARN of the role or user", max_length=512,
        help_text="Such as arn:aws:iam::111122223333:role/evidence-push. * at the end of the name stands for anything.",
    )  # fmt: skip


class IssuerTrustForm(RefusableForm):
    """A job of a CI system that a client may prove to be."""

    issuer = forms.CharField(
        label="Issuer", max_length=500,
        help_text="GitHub: https://token.actions.githubusercontent.com. GitLab: the address of your GitLab.",
    )  # fmt: skip
    subject = forms.CharField(
        label="Subject", max_length=255,
        help_text="What sub says, such as repo:mercy/records:ref:refs/heads/main. * stands for anything without a"
        " colon, at the very end for anything.",
    )  # fmt: skip
    audience = forms.CharField(
        label="Audience", required=False, max_length=500,
        help_text="What aud says. Empty: this portal's address, which is best where you can choose.",
    )  # fmt: skip
