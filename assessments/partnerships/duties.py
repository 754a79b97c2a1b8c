"""When invitations of business associates lapse, for the calendar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse
from django.utils import timezone

from assessments.duties.types import Duty, Side
from assessments.partnerships.models import PartnershipInvitation


def duties(since: datetime, until: datetime) -> Iterable[Duty]:
    """The links that lapse in [since, until) and were neither taken up nor withdrawn. One that has lapsed is over."""
    now = timezone.now()
    rows = PartnershipInvitation.objects.filter(
        expires_at__gte=since, expires_at__lt=until, accepted_at=None, revoked_at=None
    )
    for row in rows.select_related("associate"):
        yield Duty(
            row.expires_at, f"The invitation of {row.associate.name} lapses",
            "Its link works until then. Invite again if the organisation still is to join.",
            reverse("business-associate-detail", args=[row.associate_id]), done=row.expires_at <= now,
            key=f"partnership-invitation:{row.pk}", side=Side.UPSTREAM,
        )  # fmt: skip
