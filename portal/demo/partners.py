"""Business associates of the demonstration's hospital, which of them use the portal, and subcontractors of one."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import BusinessAssociate, Partnership
from assessments.partners.services import keep_business_associate
from assessments.partners.tiers import Reach, Volume
from assessments.partnerships.services import accept_offer, invite_associate
from portal.demo.clock import ago
from portal.demo.people import person_of

PARTNER_REFERENCE = "V-1001"
"""The hospital's entry of the other demonstration tenant."""

_HOSPITAL: tuple[dict[str, Any], ...] = (
    {"reference": PARTNER_REFERENCE, "name": "Northwind Imaging", "services": "Reads and archives radiology studies.",
     "receives": True, "creates": True, "maintains": True, "volume": Volume.MORE, "reach": Reach.HOLDS,
     "systems": "Image archive, reporting", "official_name": "Tomas Reed", "official_email": "security-official@northwind.example"},
    {"reference": "V-1002", "name": "Cedar Billing", "services": "Claims and statements.", "receives": True,
     "transmits": True, "volume": Volume.UNDER_100_000, "reach": Reach.REGULAR, "systems": "Claims clearing",
     "minimum_necessary": "Encounter codes and insurance; no clinical notes.", "official_name": "Ines Calder"},
    {"reference": "V-1003", "name": "Harbor Shredding", "services": "Destroys paper and drives.", "receives": True,
     "volume": Volume.UNDER_500, "reach": Reach.INCIDENTAL},
    {"reference": "V-1004", "name": "Birchline Telehealth", "services": "Video visits.", "creates": True,
     "maintains": True, "transmits": True, "volume": Volume.UNDER_10_000, "reach": Reach.HOLDS,
     "official_name": "Maud Birch", "official_email": "security@birchline.example"},
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


class Parties(NamedTuple):
    """The tenants: the covered entity, and two that work for it."""

    hospital: UUID
    imaging: UUID
    billing: UUID


def seed_partnerships(parties: Parties) -> None:
    """Makes both work for the hospital, once: one of them since more than a year, without a verification since."""
    with ago(days=400):
        _seed_partnership(parties.hospital, parties.billing, "V-1002")
    _seed_partnership(parties.hospital, parties.imaging, PARTNER_REFERENCE)


def _seed_partnership(hospital_id: UUID, partner_id: UUID, reference: str) -> None:
    """Invited by the hospital's security official, accepted by the partner's owner."""
    with open_tenant(partner_id):
        owner = person_of(Role.OWNER)
    with open_tenant(hospital_id):
        entry = BusinessAssociate.objects.get(reference=reference)
        if Partnership.objects.filter(associate=entry).exists():
            return
        sent = invite_associate(
            associate_id=entry.pk, email=owner.email, by=person_of(Role.SECURITY_OFFICIAL)
        )
    accept_offer(token=sent.token, person=owner, tenant_id=partner_id)


def find_partnership() -> Partnership:
    """The open tenant's with the hospital."""
    return Partnership.received.get()
