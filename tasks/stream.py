"""Delivery of the audit log's streams."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from accounts.audit.streams.delivery import DELIVER_STREAM, deliver_batch
from evidence.queue import ring
from tasks.base import RowTask


@shared_task(base=RowTask)
def deliver_stream(*, tenant_id: UUID, row_id: UUID) -> None:
    """Delivers a batch, and rings for the next while there is more."""
    if deliver_batch(tenant_id=tenant_id, stream_id=row_id):
        ring(DELIVER_STREAM, tenant_id, [row_id])
