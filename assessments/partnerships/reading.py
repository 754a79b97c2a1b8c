"""What each side reads of its partnerships."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from accounts.errors import NotFound
from assessments.partners.models import BusinessAssociate
from assessments.partnerships.models import Partnership, PartnershipDeparture


def standing_partnership(associate: BusinessAssociate) -> Partnership | None:
    """The open (upstream) tenant's partnership with an entry of its register; None where it is managed by hand."""
    found: Partnership | None = Partnership.objects.filter(associate=associate, withdrawn_at=None).first()
    return found


def departure_from(partnership: Partnership) -> PartnershipDeparture | None:
    """What the downstream party said to the open (upstream) tenant when it left."""
    found: PartnershipDeparture | None = PartnershipDeparture.received.filter(
        partnership_id=partnership.pk
    ).first()
    return found


def find_received(*, partnership_id: UUID) -> Partnership:
    """A partnership in which the open tenant is the downstream party, also one that it has left. Raises NotFound."""
    found: Partnership | None = Partnership.received.filter(pk=partnership_id).first()
    if found is None:
        raise NotFound("There is no such covered entity.")
    return found


def own_departure(partnership_id: UUID) -> PartnershipDeparture | None:
    """What the open (downstream) tenant said when it left; None where it works for the upstream party."""
    found: PartnershipDeparture | None = PartnershipDeparture.objects.filter(
        partnership_id=partnership_id
    ).first()
    return found


def working_partnerships() -> QuerySet[Partnership]:
    """Those in which the open tenant is the downstream party and which it has not left."""
    left = PartnershipDeparture.objects.values("partnership_id")
    found: QuerySet[Partnership] = Partnership.received.exclude(pk__in=left)
    return found
