"""Forms and query strings of the evidence pages: shape alone; services judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms

from evidence.aws.partitions import HOME_REGIONS, regions_of
from evidence.aws.policy import ROLE_NAME
from evidence.ledger import collector_choices, connections

FIRST_REGIONS = ["us-east-1", "us-east-2", "us-west-1", "us-west-2"]
PARTITIONS = {"aws": "AWS (commercial)", "aws-us-gov": "AWS GovCloud (US)", "aws-cn": "AWS China"}


def region_choices() -> list[tuple[str, str]]:
    """Every region, partition by partition; of each, those in the United States first."""
    names = (sorted(regions_of(partition), key=_foreign) for partition in HOME_REGIONS)
    return [(name, name) for of_partition in names for name in of_partition]


def _foreign(region: str) -> tuple[bool, str]:
    return not region.startswith("us-"), region


class ConnectionForm(forms.Form):
    """The first step of connecting an account."""

    name = forms.CharField(max_length=100, label="Name", help_text="What your people call this account.")
    aws_account_id = forms.RegexField(
        r"^\s*[0-9]{12}\s*$", label="AWS account ID", help_text="12 digits, without dashes.",
        error_messages={"invalid": "Give the account's 12 digits, without dashes."},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    partition = forms.ChoiceField(label="Partition", choices=list(PARTITIONS.items()), initial="aws")
    role_name = forms.RegexField(
        r"^[\w+=,.@/-]{1,576}$", label="Role name", initial=ROLE_NAME,
        help_text="The role that you create for this portal in the next step. It may hold a path.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    regions = forms.MultipleChoiceField(
        label="Regions to collect", choices=region_choices, initial=FIRST_REGIONS,
        help_text="Every region in which systems with ePHI could run. A region left out is not looked at.",
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    holds_phi = forms.BooleanField(
        label="This account holds or processes ePHI", required=False, initial=True,
        help_text="Leave it ticked unless you are sure.",
    )  # fmt: skip

    def clean_aws_account_id(self) -> str:
        """The digits alone."""
        return str(self.cleaned_data["aws_account_id"]).strip()


class EvidenceFilterForm(forms.Form):
    """What the list of snapshots is narrowed to."""

    collector = forms.ChoiceField(required=False, label="Collector")
    region = forms.CharField(required=False, max_length=32, label="Region")
    connection = forms.ChoiceField(required=False, label="Connection")

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.fields["collector"].choices = [("", "All collectors"), *collector_choices()]  # type: ignore[attr-defined]
        mine = [(str(row.pk), row.name) for row in connections()]
        self.fields["connection"].choices = [("", "All connections"), *mine]  # type: ignore[attr-defined]

    def wanted(self) -> dict[str, Any]:
        """The filter for `ledger.list_snapshots`; what can't be used is left open and said by the form."""
        self.is_valid()
        given = self.cleaned_data
        connection = given.get("connection")
        return {
            "collector": given.get("collector", ""),
            "region": given.get("region", ""),
            "connection_id": UUID(connection) if connection else None,
        }
