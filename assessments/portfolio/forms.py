"""What the portfolio is narrowed to."""

from __future__ import annotations

from django import forms
from django.db.models import Q

from assessments.partners.forms import PHI_ROLES
from assessments.portfolio.ranking import REASONS, Wanted
from assessments.portfolio.reasons import Reason


class PortfolioFilterForm(forms.Form):
    why = forms.ChoiceField(
        required=False,
        label="What needs doing",
        choices=[("", "Whatever it is"), *((each.value, each.label) for each in REASONS)],
    )
    text = forms.CharField(required=False, max_length=100, label="Name or reference")
    tier = forms.ChoiceField(
        required=False,
        label="Tier",
        choices=[("", "Every tier"), *((str(n), f"Tier {n}") for n in (1, 2, 3))],
    )
    role = forms.ChoiceField(
        required=False, label="With PHI",
        choices=[("", "Whatever it does"), *((word, word.capitalize()) for word in PHI_ROLES)],
    )  # fmt: skip
    state = forms.ChoiceField(required=False, label="State", choices=[("", "Active"), ("ended", "Ended")])

    def wanted(self) -> Wanted:
        """What a valid form asks for."""
        said = self.cleaned_data
        text, fits = said["text"].strip(), Q()
        if said["tier"]:
            fits &= Q(tier=int(said["tier"]))
        if said["role"]:
            fits &= Q(**{said["role"]: True})
        if text:
            fits &= Q(name__icontains=text) | Q(services__icontains=text) | Q(reference__iexact=text)
        return Wanted(fits, Reason(said["why"]) if said["why"] else None, ended=said["state"] == "ended")
