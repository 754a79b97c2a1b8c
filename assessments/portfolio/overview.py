"""The first tab of a business associate: what needs doing, and what the register says."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import Tenant
from assessments.partners.models import BusinessAssociate
from assessments.partners.tiers import Reach, Volume
from assessments.portfolio.ranking import Wanted, rank
from assessments.portfolio.services import tell_shown


def overview_context(associate: BusinessAssociate) -> dict[str, Any]:
    """What needs doing about one, the most urgent first, and what the register says of it."""
    (standing,) = rank(Wanted(only=associate.pk), timezone.now()).rows
    tell_shown([standing], reader=Tenant.objects.get().name)
    return {
        "standing": standing,
        "volume": Volume(associate.volume).label,
        "reach": Reach(associate.reach).label,
    }
