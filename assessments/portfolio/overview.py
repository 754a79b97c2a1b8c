"""The first tab of a business associate: what the register says."""

from __future__ import annotations

from typing import Any

from assessments.partners.models import BusinessAssociate
from assessments.partners.tiers import Reach, Volume


def overview_context(associate: BusinessAssociate) -> dict[str, Any]:
    """What the register says of one."""
    return {"volume": Volume(associate.volume).label, "reach": Reach(associate.reach).label}
