"""The subcontractors of the demonstration's business associate, of which it tells the hospital: one link is broken."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from accounts.models import Membership, Person
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.agreements.models import Agreement, AgreementVersion, VersionKind
from assessments.agreements.services import NewVersion, record_agreement
from assessments.agreements.states import today
from assessments.chain.services import decide_handling, find_consent
from assessments.chain.words import Service
from assessments.models import BusinessAssociate, ChainConsent, Partnership
from assessments.partners.services import keep_business_associate
from assessments.partners.tiers import Reach, Volume

_BACKUP = {
    "reference": "S-2", "name": "Fjord Backup", "services": "Keeps copies of the archive.", "maintains": True,
    "volume": Volume.MORE, "reach": Reach.HOLDS,
}  # fmt: skip
_LINKS = (("S-1", Service.HOSTING, timedelta(days=200)), ("S-2", Service.BACKUP, timedelta(days=-12)))
"""Entries of its register, what each does, and when from today its agreement ends."""


def seed_chain(partner_id: UUID) -> None:
    """Lets the partner tell the hospital of two subcontractors, once."""
    with open_tenant(partner_id):
        partnership = Partnership.received.first()
        if partnership is None or ChainConsent.objects.exists():
            return
        owner = Membership.objects.select_related("person").get(role=Role.OWNER).person
        if not BusinessAssociate.objects.filter(reference=_BACKUP["reference"]).exists():
            keep_business_associate(associate=BusinessAssociate(**_BACKUP))
        for reference, service, ends in _LINKS:
            entry = BusinessAssociate.objects.get(reference=reference)
            _agree(entry, ends, owner)
            consent = find_consent(partnership=partnership, associate_id=entry.pk)
            decide_handling(consent=consent, service=service, tell=True, by=owner)


def _agree(entry: BusinessAssociate, ends: timedelta, by: Person) -> None:
    if Agreement.objects.filter(associate=entry, is_current=True).exists():
        return
    began = today() - timedelta(days=377)
    said = AgreementVersion(signed_on=began, effective_from=began, ends_on=today() + ends)
    record_agreement(associate_id=entry.pk, new=NewVersion(VersionKind.SIGNED, said), by=by)
