"""The forms of a consent."""

from __future__ import annotations

from django import forms

from accounts.forms import RefusableForm
from assessments.chain.words import Service


class HandlingForm(RefusableForm):
    """`service` and whether to tell."""

    service = forms.ChoiceField(
        label="What it does with this PHI", choices=[(each, each.label) for each in Service],
        help_text="One of these words is all that is told of its work.",
    )  # fmt: skip
    tell = forms.BooleanField(
        required=False, label="Tell of it, without its name",
        help_text="And of what it tells you of its own subcontractors, as far down as six levels.",
    )  # fmt: skip


class NamingForm(RefusableForm):
    """How far names are told."""

    below = forms.BooleanField(
        required=False, label="Also pass on names that it gives you",
        help_text="The names of its own subcontractors, each as far as those between have agreed to it.",
    )  # fmt: skip


class SearchForm(RefusableForm):
    text = forms.CharField(required=False, max_length=100, label="Name or reference")
