"""Forms of partnerships. They shape and validate; services decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms

from accounts.forms import NewPersonForm, RefusableForm
from accounts.standing import MembershipFound


class InviteForm(RefusableForm):
    email = forms.EmailField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text="Of an owner or security official there. Only who has this address can accept.",
    )  # fmt: skip


class EndForm(RefusableForm):
    reason = forms.CharField(
        label="Reason", max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept with your records; the other side isn't shown it. Never write PHI here.",
    )  # fmt: skip


class LeaveForm(RefusableForm):
    reason = forms.CharField(
        label="Reason", max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The covered entity reads it. Never write PHI here.",
    )  # fmt: skip


class OrganisationForm(RefusableForm):
    organisation = forms.CharField(
        label="Your organisation", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "organization"}),
        help_text="Its name, as the covered entity knows it.",
    )  # fmt: skip


class SignUpForm(NewPersonForm, OrganisationForm):
    field_order = ("organisation", "name", "password")


class AcceptForm(RefusableForm):
    tenant = forms.ChoiceField(label="In the name of", widget=forms.RadioSelect)

    def __init__(self, *args: Any, tenants: Sequence[MembershipFound], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(found.tenant_id), found.tenant_name) for found in tenants]
        self.fields["tenant"].choices = choices  # type: ignore[attr-defined]
        if len(choices) == 1:
            self.fields["tenant"].initial = choices[0][0]

    def chosen(self) -> UUID:
        """The tenant, once the form is valid."""
        return UUID(self.cleaned_data["tenant"])
