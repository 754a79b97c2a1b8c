"""When what machines come in by ends, for the calendar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiClient, ScimToken
from assessments.duties.types import Duty


def duties(since: datetime, until: datetime) -> Iterable[Duty]:
    """The tokens of provisioning that end in [since, until) and were not revoked."""
    now = timezone.now()
    for row in ScimToken.objects.filter(expires_at__gte=since, expires_at__lt=until, revoked_at=None):
        yield Duty(
            row.expires_at, f"The provisioning token {row.name} ends", "Your directory can add and end members by it"
            " no longer: make the next one before.", reverse("provisioning"), done=row.expires_at <= now,
            key=f"scim-token:{row.pk}", brief="A provisioning token ends",
        )  # fmt: skip


def duties_of_clients(since: datetime, until: datetime) -> Iterable[Duty]:
    """The API clients that end in [since, until) and were not revoked."""
    now = timezone.now()
    for row in ApiClient.objects.filter(expires_at__gte=since, expires_at__lt=until, revoked_at=None):
        yield Duty(
            row.expires_at, f"The API client {row.name} ends", "What it does for you stops: make the next one before.",
            reverse("api-client-list"), done=row.expires_at <= now, key=f"api-client:{row.pk}",
            brief="An API client ends",
        )  # fmt: skip
