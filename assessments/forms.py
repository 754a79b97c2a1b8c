"""Query strings of the lists of safeguards and findings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms

from assessments.checks.base import checks
from assessments.models import OUTCOMES, SEVERITIES
from assessments.posture import SafeguardFilter
from assessments.rule.model import SECURITY_RULE, Designation, Family
from assessments.status import Status
from assessments.submitted.reading import OURS
from assessments.worklist import FindingFilter
from evidence.ledger import connections
from evidence.models import SubmissionStream


class SafeguardFilterForm(forms.Form):
    """What the list of safeguards is narrowed to."""

    section = forms.ChoiceField(
        required=False,
        choices=[
            ("", "All sections"),
            *((family.section, f"{family.section} {family.label}") for family in Family),
        ],
    )
    status = forms.ChoiceField(
        required=False,
        choices=[("", "Every status"), *((status.value, status.label.capitalize()) for status in Status)],
    )
    designation = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Required and addressable"),
            *((each.value, each.value.capitalize()) for each in Designation),
        ],
    )
    text = forms.CharField(required=False, max_length=100, label="Words or citation")

    def wanted(self) -> SafeguardFilter:
        """The filter; what can't be used is left open and said by the form."""
        self.is_valid()
        return SafeguardFilter(**self.cleaned_data)


class FindingFilterForm(forms.Form):
    """What findings are narrowed to."""

    outcome = forms.ChoiceField(required=False, choices=[("", "Every outcome"), *OUTCOMES])
    severity = forms.ChoiceField(required=False, choices=[("", "Every severity"), *SEVERITIES])
    service = forms.ChoiceField(required=False)
    region = forms.CharField(required=False, max_length=32)
    connection = forms.ChoiceField(required=False)
    citation = forms.ChoiceField(
        required=False, choices=[("", "Every safeguard"), *((c, c) for c in SECURITY_RULE)]
    )
    source = forms.ChoiceField(required=False)
    text = forms.CharField(required=False, max_length=200, label="Words or ARN")

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        services = sorted({check.service for check in checks().values()})
        mine = [(str(row.pk), row.name) for row in connections()]
        self.fields["service"].choices = [("", "Every service"), *((name, name) for name in services)]  # type: ignore[attr-defined]
        tools = SubmissionStream.objects.order_by("producer").values_list("producer", flat=True).distinct()
        sources = [(OURS, "Our own checks"), *((name, name) for name in tools)]
        self.fields["source"].choices = [("", "Every source"), *sources]  # type: ignore[attr-defined]
        self.fields["connection"].choices = [("", "Every connection"), *mine]  # type: ignore[attr-defined]

    def wanted(self) -> FindingFilter:
        """The filter; what can't be used is left open and said by the form."""
        self.is_valid()
        given = {name: value for name, value in self.cleaned_data.items() if value}
        if "connection" in given:
            given["connection"] = UUID(given["connection"])
        return FindingFilter(**given)
