"""When evidence grows stale, for the calendar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Q
from django.urls import reverse
from django.utils import timezone

from assessments.duties.types import Duty
from evidence.models import AwsConnection, ConnectionState, RunState

WHY = "No run has finished since its day: what the pages show grows old (164.308(a)(8), 164.312(b))."


def duties(since: datetime, until: datetime) -> Iterable[Duty]:
    """The connections that should have been collected at a time in [since, until), more than a run ago, and were not.

    The runs to come are the portal's own work and no duty of people.
    """
    every = timedelta(hours=settings.COLLECT_EVERY_HOURS)
    now = timezone.now()
    finished = Max("runs__finished_at", filter=Q(runs__state=RunState.FINISHED))
    rows = AwsConnection.objects.exclude(state=ConnectionState.REMOVED).annotate(last=finished)
    for row in rows:
        at = (row.last or row.created_at) + every
        if since <= at < until and at + every <= now:
            yield Duty(
                at, f"Collect from the connection {row.name}", WHY,
                reverse("connection-detail", args=[row.pk]), done=False, key=f"connection-late:{row.pk}",
                brief="Collect from an AWS connection that is late",
            )  # fmt: skip
