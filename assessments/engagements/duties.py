"""The clocks of audits, for the calendar: what auditors asked for, and when their access ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time
from typing import Any

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils import timezone

from assessments.duties.types import Duty
from assessments.engagements.models import Engagement, EvidenceRequest, RequestMessage, RequestState

WAITING = {RequestState.ASKED, RequestState.NEED_MORE}


def duties(since: datetime, until: datetime) -> Iterable[Duty]:
    """Those due in [since, until). What an engagement that has ended asked for is no duty any more."""
    yield from _requests(since, until)
    yield from _ends(since, until)


def _requests(since: datetime, until: datetime) -> Iterator[Duty]:
    last = RequestMessage.objects.filter(request=OuterRef("pk")).order_by("-number").values("state")[:1]
    days = since.astimezone(UTC).date(), until.astimezone(UTC).date()
    rows: Any = EvidenceRequest.objects.filter(due_on__range=days).annotate(state=Subquery(last))
    for row in rows.exclude(state=RequestState.WITHDRAWN).select_related("engagement"):
        done = row.state not in WAITING or not _stands(row.engagement)
        yield Duty(
            datetime.combine(row.due_on, time.max, UTC), f"Answer the auditor's request: {row.title}",
            f"{row.engagement.title}, {row.engagement.firm}; asked about {row.citation}",
            reverse("engagement-request", args=[row.engagement_id, row.pk]), done,
            key=f"evidence-request:{row.pk}", whole_day=True, brief=f"Answer a request of {row.engagement.firm}",
        )  # fmt: skip


def _ends(since: datetime, until: datetime) -> Iterator[Duty]:
    now = timezone.now()
    for row in Engagement.objects.filter(closes_at__gte=since, closes_at__lt=until, ended_at=None):
        yield Duty(
            row.closes_at, f"Access of {row.firm} ends: {row.title}", "The end of the engagement, after which its"
            " auditors see nothing.", reverse("engagement", args=[row.pk]), done=row.closes_at <= now,
            key=f"engagement-end:{row.pk}", brief=f"Access of {row.firm} ends",
        )  # fmt: skip


def _stands(engagement: Engagement) -> bool:
    return engagement.ended_at is None and timezone.now() < engagement.closes_at
