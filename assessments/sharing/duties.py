"""When grants end by themselves, for the calendar of both sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.urls import reverse
from django.utils import timezone

from assessments.duties.types import Duty, Side
from assessments.sharing.models import SharingGrant

WHY = "The last day of the grant. Nothing is shown after it; a new grant is the business associate's to give."


def duties(since: datetime, until: datetime) -> Iterable[Duty]:
    """The grants that end in [since, until) and were not revoked."""
    yield from _given(since, until)
    yield from _received(since, until)


def _given(since: datetime, until: datetime) -> Iterator[Duty]:
    now = timezone.now()
    rows = SharingGrant.objects.filter(shown_until__gte=since, shown_until__lt=until, withdrawn_at=None)
    for row in rows:
        if row.shown_until:
            yield Duty(
                row.shown_until, f"What you show to {row.upstream_name} ends", WHY,
                reverse("sharing-grant", args=[row.pk]), done=row.shown_until <= now,
                key=f"grant-end:{row.pk}", side=Side.DOWNSTREAM,
            )  # fmt: skip


def _received(since: datetime, until: datetime) -> Iterator[Duty]:
    for row in SharingGrant.received.filter(shown_until__gte=since, shown_until__lt=until):
        if row.shown_until:
            yield Duty(
                row.shown_until, f"What {row.downstream_name} shows to you ends", WHY,
                reverse("shared-posture", args=[row.pk]), done=False, key=f"received-grant-end:{row.pk}",
                side=Side.UPSTREAM, shown_by=row.tenant_id,
            )  # fmt: skip
