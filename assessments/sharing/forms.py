"""The form of a grant: shape alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms

from accounts.forms import RefusableForm
from assessments.rule.model import SECURITY_RULE
from assessments.sharing.levels import Level
from assessments.sharing.models import SharingGrant
from assessments.sharing.services import Terms


class GrantForm(RefusableForm):
    level = forms.TypedChoiceField(
        label="How much", coerce=lambda value: Level(int(value)), widget=forms.RadioSelect,
        choices=[(str(each.value), f"{each.label}. {each.shows}") for each in Level],
    )  # fmt: skip
    begins_on = forms.DateField(
        label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text="From the beginning of this day (UTC). Empty: at once.",
    )  # fmt: skip
    ends_on = forms.DateField(
        label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Until the end of this day (UTC). Empty: until you revoke it, which you can do at any time.",
    )  # fmt: skip
    citations = forms.MultipleChoiceField(
        label="Safeguards", widget=forms.CheckboxSelectMultiple,
        help_text="A standard brings its specifications.",
        choices=[(each.citation, f"{each.citation} {each.title}") for each in SECURITY_RULE.values()],
    )  # fmt: skip

    def terms(self) -> Terms:
        """The terms, once the form is valid."""
        given = self.cleaned_data
        ends_on: date | None = given["ends_on"]
        return Terms(
            level=given["level"], citations=tuple(given["citations"]), begins_at=_midnight(given["begins_on"]),
            ends_at=_midnight(ends_on + timedelta(days=1)) if ends_on and ends_on < date.max else None,
        )  # fmt: skip

    @staticmethod
    def first_values(standing: SharingGrant | None) -> dict[str, Any]:
        """What is proposed: what is granted now, or status and counts of the technical safeguards."""
        if standing is None:
            technical = [each for each in SECURITY_RULE if each.startswith("164.312")]
            return {"level": str(Level.COUNTS.value), "citations": technical}
        return {"level": str(standing.level), "citations": standing.citations}


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, UTC) if day else None
