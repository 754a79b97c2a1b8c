"""The tab of a business associate's page that says whether it works with the tenant here."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.shared import tell_sharer
from assessments.partners.models import BusinessAssociate
from assessments.partnerships.models import Partnership, PartnershipDeparture
from assessments.partnerships.reading import departure_from, standing_partnership
from assessments.partnerships.services import open_invitations

TEMPLATE = "partnerships/_tab.html"


def tab_context(associate: BusinessAssociate) -> dict[str, Any]:
    """What the template needs beside `associate` and `may_change`."""
    partnership = standing_partnership(associate)
    return {
        "partnership": partnership,
        "departure": _read_departure(partnership) if partnership else None,
        "invitations": open_invitations(associate).select_related("invited_by"),
        "now": timezone.now(),
        "former": Partnership.objects.filter(associate=associate).exclude(withdrawn_at=None).order_by("-began_at"),
    }  # fmt: skip


def _read_departure(partnership: Partnership) -> PartnershipDeparture | None:
    departure = departure_from(partnership)
    if departure:
        tell_sharer(
            partnership.viewer_id, Act.PARTNERSHIP_READ, reader=partnership.upstream_name, object_type="partnership",
            object_id=partnership.pk,
        )  # fmt: skip
    return departure
