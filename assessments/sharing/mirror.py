"""The downstream party's tab on its page of one covered entity: what it sees, and who looked when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.trail import Trace, partner_acts
from assessments.partnerships.models import Partnership
from assessments.sharing.models import SharingGrant
from assessments.sharing.services import list_grants

MOST_ENTRIES = 200


def looks_of(viewer_id: UUID, grant_ids: Iterable[UUID]) -> list[Trace]:
    """When the other side read what it was granted, newest first."""
    return partner_acts(viewer_id, act=Act.SHARED_POSTURE_READ, object_ids=grant_ids, most=MOST_ENTRIES)


def state_of(grant: SharingGrant) -> str:
    """Where a grant stands: "open", "to come", "over" or "revoked"."""
    now = timezone.now()
    if grant.withdrawn_at:
        return "revoked"
    if grant.shown_until and grant.shown_until <= now:
        return "over"
    return "to come" if grant.shown_from > now else "open"


def mirror_context(partnership: Partnership) -> dict[str, Any]:
    """Grants with their states, the one that stands, and the newest readings of them."""
    grants = list_grants(partnership.pk)
    rows = [(grant, state_of(grant)) for grant in grants]
    upstream: UUID = partnership.tenant_id  # type: ignore[assignment] # a UUID
    return {
        "grants": rows, "standing": next((row for row in rows if row[1] in {"open", "to come"}), None),
        "looks": looks_of(upstream, [grant.pk for grant in grants]), "partnership": partnership,
    }  # fmt: skip


def summaries(partnership_ids: Sequence[UUID]) -> dict[UUID, str]:
    """What each of some partnerships' other party sees now, in a few words."""
    now = timezone.now()
    open_now = Q(shown_until=None) | Q(shown_until__gt=now)
    rows = SharingGrant.objects.filter(
        open_now, partnership_id__in=partnership_ids, withdrawn_at=None, shown_from__lte=now
    )
    return {
        row.partnership_id: f"{len(row.citations)} safeguards: {row.get_level_display().lower()}"
        for row in rows
    }
