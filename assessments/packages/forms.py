"""The form of a package: shape alone; services judge."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django import forms
from django.utils import timezone

from assessments.models import Engagement
from assessments.packages.services import LONGEST_PATTERN, Wanted
from assessments.rule.model import SECURITY_RULE, Kind
from evidence.models import AwsConnection

DAYS = 90
FIELDS = {
    "Names of buckets": ("/calls/ListBuckets/*/response/Buckets/*/Name",),
    "Names of people and users": ("UserName", "PrincipalId"),
    "Private and public IP addresses": (
        "PrivateIpAddress", "PrivateIpAddresses", "PublicIp", "PublicIpAddress", "CidrIp", "CidrBlock",
    ),
    "DNS names": ("PrivateDnsName", "PublicDnsName", "Endpoint"),
    "Tags": ("Tags", "TagSet", "TagList"),
    "The account's number": ("/account_id",),
}  # fmt: skip
"""What people withhold most, by the words of the form."""


def _standards() -> list[tuple[str, str]]:
    return [
        (entry.citation, f"{entry.citation} {entry.title}")
        for entry in SECURITY_RULE.values()
        if entry.kind is Kind.STANDARD
    ]


class PackageForm(forms.Form):
    """Which safeguards, accounts and days; or an engagement, which has them."""

    engagement = forms.ChoiceField(
        required=False, label="Engagement",
        help_text="Its safeguards, accounts and period are taken, and its auditors may download the package.",
    )  # fmt: skip
    period_from = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    period_to = forms.DateField(label="To", widget=forms.DateInput(attrs={"type": "date"}))
    connections = forms.MultipleChoiceField(
        required=False, label="AWS accounts", help_text="None ticked: all of them.",
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    citations = forms.MultipleChoiceField(
        required=False, label="Standards", choices=_standards,
        help_text="A standard brings its specifications. None ticked: the whole Rule.",
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    fields_withheld = forms.MultipleChoiceField(
        required=False, label="Withhold", choices=[(name, name) for name in FIELDS],
        help_text="What these fields hold is withheld everywhere in the package. The rest still proves itself.",
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    more_withheld = forms.CharField(
        required=False, label="Withhold other fields", max_length=50 * LONGEST_PATTERN,
        help_text="One a line: a field's name, such as KeyId, or a pointer in which * stands for any one name.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )  # fmt: skip
    withheld_reason = forms.CharField(
        required=False, label="Why they are withheld", max_length=1000,
        help_text="The package tells its reader.", widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        today = timezone.now().date()
        self.fields["period_from"].initial, self.fields["period_to"].initial = today - timedelta(DAYS), today
        engagements = [(str(row.pk), str(row)) for row in Engagement.objects.order_by("-created_at")]
        self.fields["engagement"].choices = [("", "None: choose below"), *engagements]  # type: ignore[attr-defined]
        mine = [(str(row.pk), str(row)) for row in AwsConnection.objects.order_by("name")]
        self.fields["connections"].choices = mine  # type: ignore[attr-defined]

    def wanted(self) -> Wanted:
        """What a valid form asks for."""
        given = self.cleaned_data
        chosen = [pattern for name in given["fields_withheld"] for pattern in FIELDS[name]]
        return Wanted(
            period_from=given["period_from"], period_to=given["period_to"],
            engagement_id=UUID(given["engagement"]) if given["engagement"] else None,
            citations=given["citations"] or None,
            connection_ids=[UUID(each) for each in given["connections"]] or None,
            withheld=[*chosen, *given["more_withheld"].splitlines()],
            withheld_reason=given["withheld_reason"],
        )  # fmt: skip
