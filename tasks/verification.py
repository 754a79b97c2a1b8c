"""Verifications, signed and delivered in the background."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from assessments.verifications.services.delivering import DELIVER
from assessments.verifications.services.delivering import deliver_packet as deliver
from evidence.queue import ring
from tasks.base import RowTask


@shared_task(base=RowTask)
def deliver_packet(*, tenant_id: UUID, row_id: UUID) -> None:
    """Signs and delivers a packet; one that has to wait for the log is looked at again after some seconds."""
    seconds = deliver(tenant_id=tenant_id, packet_id=row_id)
    if seconds:
        ring(DELIVER, tenant_id, [row_id], after=seconds)
