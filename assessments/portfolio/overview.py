"""The first tab of a business associate: what needs doing, and what the register says."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import Tenant
from assessments.partners.models import BusinessAssociate
from assessments.partners.tiers import Reach, Volume
from assessments.portfolio.charts import posture_chart
from assessments.portfolio.ranking import Wanted, rank
from assessments.portfolio.services import tell_shown
from assessments.sharing.models import SharedPosture


def overview_context(associate: BusinessAssociate) -> dict[str, Any]:
    """What needs doing about one, the most urgent first, and what the register says of it."""
    (standing,) = rank(Wanted(only=associate.pk), timezone.now()).rows
    tell_shown([standing], reader=Tenant.objects.get().name)
    posture = SharedPosture.received.filter(grant_id=standing.facts["grant_id"]).first()
    return {
        "standing": standing,
        "drawn": posture_chart(posture, timezone.now()) if posture else None,
        "volume": Volume(associate.volume).label,
        "reach": Reach(associate.reach).label,
    }
