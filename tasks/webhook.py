"""Webhooks: deliveries, events handed over to another tenant, and the end of old ones."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task

from accounts.webhooks import delivery, emitting
from evidence.queue import ring
from tasks.base import RowTask

RINGS = {
    "delivery": "tasks.webhook.deliver_webhook",
    "handover": "tasks.webhook.hand_over",
    "old": "tasks.webhook.purge",
}


@shared_task(base=RowTask)
def deliver_webhook(*, tenant_id: UUID, row_id: UUID) -> None:
    """Tries a delivery, and rings for what is due next at its endpoint."""
    for following in delivery.deliver(tenant_id=tenant_id, delivery_id=row_id):
        ring(RINGS["delivery"], tenant_id, [following.delivery_id], after=following.after)


@shared_task(base=RowTask)
def hand_over(*, tenant_id: UUID, row_id: UUID) -> None:
    """Hands an event over to the tenant that it is for; sent twice, the second does nothing."""
    emitting.hand_over(tenant_id=tenant_id, handover_id=row_id)


@shared_task(base=RowTask)
def purge(*, tenant_id: UUID, row_id: UUID) -> None:  # noqa: ARG001 (the tenant is the row)
    """Removes what is old."""
    delivery.purge(tenant_id=tenant_id)


def ring_waiting(kind: str, tenant_id: UUID, row_ids: list[UUID], **_: Any) -> None:
    """Hears accounts.signals.webhook_waits."""
    ring(RINGS[kind], tenant_id, row_ids)
