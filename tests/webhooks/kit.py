"""Endpoints and deliveries for tests, and a worker that tries them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import Tenant, WebhookDelivery, WebhookEndpoint
from accounts.services import webhooks
from accounts.tenancy.models import new_id
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import due_webhooks
from accounts.webhooks import delivery
from accounts.webhooks.emitting import emit, hand_over
from accounts.webhooks.events import EventType

RUN = {"connection": UUID(int=1), "verdict": "complete", "units": 2}


def add_endpoint(tenant: Tenant, url: str, *events: EventType) -> webhooks.EndpointMade:
    """One that is told of finished runs, unless told otherwise."""
    wanted = webhooks.Wanted("Tickets", url, events or (EventType.RUN_FINISHED,))
    with open_tenant(tenant.pk):
        return webhooks.create_endpoint(wanted=wanted)


def finish_run(tenant: Tenant, run_id: UUID | None = None, at: datetime | None = None) -> UUID:
    """Tells of a finished run."""
    run_id = run_id or new_id()
    with open_tenant(tenant.pk):
        emit(EventType.RUN_FINISHED, run_id, page=("overview",), at=at, **RUN)
    return run_id


def deliveries(tenant: Tenant) -> list[WebhookDelivery]:
    with open_tenant(tenant.pk):
        return list(WebhookDelivery.objects.select_related("message", "endpoint").order_by("id"))


def told(tenant: Tenant) -> list[tuple[str, dict[str, Any]]]:
    """The events that a tenant's endpoints were told of, also by others, with their data."""
    for each in due_webhooks(timezone.now() + timedelta(minutes=1), 100_000):
        if each.kind == "handover":
            hand_over(tenant_id=each.tenant_id, handover_id=each.row_id)
    return [(row.message.type, row.message.data) for row in deliveries(tenant)]


def endpoint_of(tenant: Tenant) -> WebhookEndpoint:
    with open_tenant(tenant.pk):
        return WebhookEndpoint.objects.get()


def try_all(tenant: Tenant, **more: Any) -> list[WebhookDelivery]:
    """Tries all that wait once, as if their time had come."""
    with open_tenant(tenant.pk):
        WebhookDelivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    for each in deliveries(tenant):
        delivery.deliver(tenant_id=tenant.pk, delivery_id=each.pk, **more)
    return deliveries(tenant)
