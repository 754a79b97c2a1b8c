"""Business associates of the demonstration's hospital, and the subcontractors of its partner."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from accounts.models import Membership
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import BusinessAssociate, Partnership
from assessments.partners.services import keep_business_associate
from assessments.partners.tiers import Reach, Volume
from assessments.partnerships.services import accept_offer, invite_associate

PARTNER_REFERENCE = "V-1001"
"""The hospital's entry of the other demonstration tenant."""

_HOSPITAL: tuple[dict[str, Any], ...] = (
    {"reference": PARTNER_REFERENCE, "name": "Northwind Imaging", "services": "Reads and archives radiology studies.",
     "receives": True, "creates": True, "maintains": True, "volume": Volume.MORE, "reach": Reach.HOLDS,
     "systems": "Image archive, reporting", "official_name": "Samuel Ortiz"},
    {"reference": "V-1002", "name": "Cedar Billing", "services": "Claims and statements.", "receives": True,
     "transmits": True, "volume": Volume.UNDER_100_000, "reach": Reach.REGULAR, "systems": "Claims clearing",
     "minimum_necessary": "Encounter codes and insurance; no clinical notes."},
    {"reference": "V-1003", "name": "Harbor Shredding", "services": "Destroys paper and drives.", "receives": True,
     "volume": Volume.UNDER_500, "reach": Reach.INCIDENTAL},
    {"reference": "V-1004", "name": "Birchline Telehealth", "services": "Video visits.", "creates": True,
     "maintains": True, "transmits": True, "volume": Volume.UNDER_10_000, "reach": Reach.HOLDS},
    {"reference": "V-1005", "name": "Quill Transcription", "services": "Dictation to text.", "receives": True,
     "creates": True},
)  # fmt: skip
_PARTNER: tuple[dict[str, Any], ...] = (
    {"reference": "S-1", "name": "Granite Hosting", "services": "Racks and power.", "maintains": True,
     "volume": Volume.MORE, "reach": Reach.HOLDS},
)  # fmt: skip
BY_SLUG = {"mercy-lakes": _HOSPITAL, "northwind": _PARTNER}


def seed_business_associates(slug: str) -> None:
    """Fills the open tenant's register, once."""
    if not BusinessAssociate.objects.exists():
        for values in BY_SLUG[slug]:
            keep_business_associate(associate=BusinessAssociate(**values))


def seed_partnership(hospital_id: UUID, partner_id: UUID) -> None:
    """Makes the partner work for the hospital, once: invited by its security official, accepted by its owner."""
    with open_tenant(partner_id):
        owner = Membership.objects.select_related("person").get(role=Role.OWNER).person
    with open_tenant(hospital_id):
        entry = BusinessAssociate.objects.get(reference=PARTNER_REFERENCE)
        if Partnership.objects.filter(associate=entry).exists():
            return
        official = Membership.objects.select_related("person").get(role=Role.SECURITY_OFFICIAL).person
        sent = invite_associate(associate_id=entry.pk, email=owner.email, by=official)
    accept_offer(token=sent.token, person=owner, tenant_id=partner_id)
