"""The form of a business associate; rows of a sheet go through the same one."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from accounts.forms import RefusableForm
from assessments.partners.models import BusinessAssociate
from assessments.partners.tiers import Reach, Volume

FIELDS = (
    "reference", "name", "services", "creates", "receives", "maintains", "transmits", "volume", "reach", "systems",
    "minimum_necessary", "contact_name", "contact_email", "official_name", "official_email",
)  # fmt: skip
"""What is kept of a business associate, in the order of forms and sheets."""
PHI_ROLES = ("creates", "receives", "maintains", "transmits")
"""What can be done with PHI, in the words of 45 CFR 160.103."""


class BusinessAssociateForm(forms.ModelForm, RefusableForm):  # type: ignore[type-arg] # no parameters at run time
    class Meta:
        model = BusinessAssociate
        fields = FIELDS
        labels: ClassVar[dict[str, str]] = {
            "creates": "Creates PHI", "receives": "Receives PHI", "maintains": "Maintains PHI",
            "transmits": "Transmits PHI", "volume": "Individuals whose PHI is in reach", "reach": "How PHI is reached",
            "minimum_necessary": "Minimum necessary", "contact_name": "Contact", "contact_email": "Contact's address",
            "official_name": "Security official", "official_email": "Security official's address",
        }  # fmt: skip
        help_texts: ClassVar[dict[str, str]] = {
            "reference": "Your own key for it, such as a vendor number. An import finds it by this.",
            "services": "What it does for you. Never write PHI here.",
            "systems": "Systems in which your PHI is, or through which it goes.",
            "minimum_necessary": "What it needs of the PHI, and why no less would do (164.502(b)).",
        }
        error_messages: ClassVar[dict[str, dict[str, str]]] = {
            name: {"invalid_choice": f"Write one of: {'; '.join(each.label for each in words)}."}
            for name, words in (("volume", Volume), ("reach", Reach))
        }
        widgets: ClassVar[dict[str, Any]] = {
            name: forms.Textarea(attrs={"rows": 3}) for name in ("services", "systems", "minimum_necessary")
        }


class SheetForm(RefusableForm):
    sheet = forms.FileField(
        label="Sheet",
        help_text="CSV (UTF-8) or XLSX with a first row of column names; at most 2 MB and 10,000 rows.",
    )


VOLUMES = {each.label.lower(): each.value for each in Volume}
REACHES = {each.label.lower(): each.value for each in Reach}
