"""The outbox: an event is written in the transaction of what happened, or not at all; a worker sends it after that."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone

from accounts.notices import site_link
from accounts.signals import webhook_waits
from accounts.tenancy.scope import after_commit, current_tenant_id, open_tenant, savepoint
from accounts.webhooks.events import EVENTS, EventType
from accounts.webhooks.models import (
    DeliveryState,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookHandover,
    WebhookMessage,
)

DISABLED = "The endpoint was disabled when it happened."
Page = tuple[Any, ...]
"""The name of an address and its arguments."""


def emit(
    event: EventType,
    object_id: UUID,
    *,
    page: Page,
    key: str = "",
    at: datetime | None = None,
    **fields: object,
) -> None:
    """Tells the open tenant's endpoints. Where none has asked for the event, it costs one small query.

    `fields` are those of the event's example: ids, times, numbers, words of ours; never what people wrote. An event
    is told once for each `key` (its object's id unless given). Raises TypeError for other fields.
    """
    _check(event, fields)
    endpoints = list(WebhookEndpoint.objects.filter(events__contains=[event]).only("id", "disabled_at"))
    if endpoints:
        data = _data(current_tenant_id(), object_id, page, fields)
        _write(event, key or str(object_id), data, endpoints, at or timezone.now())


def emit_to(
    tenant_id: UUID, event: EventType, object_id: UUID, *, page: Page, key: str = "", **fields: object
) -> None:
    """As `emit`, for another tenant: kept here with what happened, and handed over once that is committed."""
    _check(event, fields)
    row = WebhookHandover.objects.create(
        type=event, key=key or str(object_id), to_tenant_id=tenant_id,
        data=_data(tenant_id, object_id, page, fields),
    )  # fmt: skip
    _ring("handover", [row.pk])


def hand_over(*, tenant_id: UUID, handover_id: UUID) -> None:
    """Writes a kept event for the tenant that it is for; done twice, it is told once."""
    with open_tenant(tenant_id):
        row = WebhookHandover.objects.filter(pk=handover_id).first()
    if row is None:
        return
    with open_tenant(row.to_tenant_id):
        endpoints = list(
            WebhookEndpoint.objects.filter(events__contains=[row.type]).only("id", "disabled_at")
        )
        if endpoints:
            _write(EventType(row.type), row.key, row.data, endpoints, row.occurred_at)
    with open_tenant(tenant_id):
        WebhookHandover.objects.filter(pk=handover_id).delete()


def emit_test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """A test for one endpoint, on the same way as everything else."""
    now = timezone.now()
    data = _data(current_tenant_id(), endpoint.pk, ("webhook-detail", endpoint.pk), {})
    message = WebhookMessage.objects.create(
        type=EventType.TEST, key=f"{endpoint.pk} {now.isoformat()}", data=data, occurred_at=now
    )
    delivery: WebhookDelivery = WebhookDelivery.objects.create(endpoint=endpoint, message=message)
    ring_deliveries([delivery.pk])
    return delivery


def ring_deliveries(delivery_ids: Iterable[UUID]) -> None:
    """Asks a worker for deliveries once they are committed."""
    _ring("delivery", list(delivery_ids))


def _check(event: EventType, fields: dict[str, object]) -> None:
    if fields.keys() != EVENTS[event].fields.keys():
        raise TypeError(f"{event} has the fields {sorted(EVENTS[event].fields)}, not {sorted(fields)}")


def _write(
    event: EventType, key: str, data: dict[str, Any], endpoints: Iterable[WebhookEndpoint], at: datetime
) -> None:
    try:
        with savepoint():
            message = WebhookMessage.objects.create(type=event, key=key, data=data, occurred_at=at)
    except IntegrityError:
        return  # told already
    rows = [_delivery(endpoint, message) for endpoint in endpoints]
    WebhookDelivery.objects.bulk_create(rows)
    ring_deliveries(row.pk for row in rows if row.state == DeliveryState.PENDING)


def _delivery(endpoint: WebhookEndpoint, message: WebhookMessage) -> WebhookDelivery:
    if endpoint.disabled_at is None:
        return WebhookDelivery(endpoint=endpoint, message=message)
    return WebhookDelivery(
        endpoint=endpoint,
        message=message,
        state=DeliveryState.DEAD,
        settled_at=timezone.now(),
        error=DISABLED,
    )


def _ring(kind: str, row_ids: list[UUID]) -> None:
    if row_ids:
        tenant_id = current_tenant_id()
        after_commit(
            partial(webhook_waits.send, WebhookDelivery, kind=kind, tenant_id=tenant_id, row_ids=row_ids)
        )


def _data(tenant_id: UUID, object_id: UUID, page: Page, fields: dict[str, object]) -> dict[str, Any]:
    said = {name: _plain(value) for name, value in fields.items()}
    return {"tenant": str(tenant_id), "id": str(object_id), "url": site_link(*page), **said}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, date | UUID):
        return str(value)
    return value
