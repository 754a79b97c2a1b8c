"""What other pages show of exits: a business associate's page, and its own page of a covered entity."""

from __future__ import annotations

from typing import Any

from assessments.exits.document import LAW
from assessments.exits.models import Exit
from assessments.exits.reading import note_reading, pictures_of, received_exits
from assessments.exits.services.beginning import clock_of
from assessments.partners.models import BusinessAssociate
from assessments.partnerships.models import Partnership

LISTED = 20


def tab_context(associate: BusinessAssociate) -> dict[str, Any]:
    """For `exits/_tab.html`: the covered entity's own side, the newest first; by what the clock would run."""
    pictures = pictures_of(list(Exit.objects.filter(associate=associate).order_by("-began_at")[:LISTED]))
    for picture in pictures:
        note_reading(picture)
    is_open = any(picture.exit.closed_at is None for picture in pictures)
    return {"pictures": pictures, "is_open": is_open, "clock": clock_of(associate.pk), "law": LAW}


def mirror_context(partnership: Partnership) -> dict[str, Any]:
    """For `exits/_mirror.html`: the exits that this covered entity began."""
    rows = received_exits().filter(partnership_id=partnership.pk, tenant_id=partnership.upstream_id)
    pictures = pictures_of(list(rows.order_by("-began_at")[:LISTED]))
    for picture in pictures:
        note_reading(picture)
    return {"pictures": pictures, "law": LAW}
