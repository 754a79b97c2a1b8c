"""The yearly verification of the demonstration's business associate: reviewed, certified, and on its way."""

from __future__ import annotations

from django.utils import timezone

from accounts.models import Tenant
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import VerificationPacket
from assessments.verifications.services.certifying import certify_packet
from assessments.verifications.services.drafting import (
    PacketTerms,
    choose_recipients,
    draft_packet,
    review_packet,
)
from portal.demo.partners import Parties, find_partnership
from portal.demo.people import person_of

_COVERS = (
    "The image archive and the reporting service, with the AWS account that both run in. Reading rooms and their"
    " workstations are not part of it."
)
_ADDITIONS = (
    "Copies of the archive are kept by a subcontractor whose agreement is being renewed. Buckets without versioning"
    " hold scratch data and are emptied every night."
)
_SCOPE = "Storage and reading of radiology studies, since the agreement was signed."


def seed_verification(parties: Parties) -> None:
    """Has a packet certified, once; the worker signs and delivers it."""
    with open_tenant(parties.imaging):
        if VerificationPacket.objects.exists():
            return
        official, today = person_of(Role.SECURITY_OFFICIAL), timezone.now().date()
        terms = PacketTerms(f"Verification {today.year}", _COVERS, _ADDITIONS)
        packet = draft_packet(terms=terms, person=official)
        choose_recipients(packet_id=packet.pk, scopes={find_partnership().pk: _SCOPE})
        review_packet(
            packet_id=packet.pk, name="Dr. Lena Vogt", qualification="CISSP; independent assessor since 2014",
            on=today, person=official,
        )  # fmt: skip
        certify_packet(
            packet_id=packet.pk, person=person_of(Role.OWNER), tenant=Tenant.objects.get(),
            title="Chief Executive Officer", authority=f"Resolution of the board of 12 January {today.year}",
        )  # fmt: skip
