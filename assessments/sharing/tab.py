"""The upstream party's tab on a business associate's page: the posture shared with it."""

from __future__ import annotations

from typing import Any

from assessments.partners.models import BusinessAssociate
from assessments.partnerships.models import Partnership
from assessments.sharing.reading import find_shared, points_shown, show


def tab_context(associate: BusinessAssociate) -> dict[str, Any]:
    """The first page of what is shared; `shown` is None where nothing is. The reading stands in both logs."""
    partnership = Partnership.objects.filter(associate=associate, withdrawn_at=None).first()
    posture = find_shared(partnership) if partnership else None
    shown = show(posture, points=points_shown(posture)) if posture else None
    return {"partnership": partnership, "shown": shown, "associate": associate}
