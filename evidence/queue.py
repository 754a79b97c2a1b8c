"""Rings workers for rows that wait. The row is the queue: a lost ring is repeated by the sweeper."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

if TYPE_CHECKING:
    from collections.abc import Iterable

log = structlog.get_logger()

COLLECT_UNIT = "tasks.collect.collect_unit"
PROBE_CONNECTION = "tasks.collect.probe_connection"


def ring_after_commit(task: str, tenant_id: UUID, row_ids: Iterable[UUID]) -> None:
    """Rings for rows once they are committed, so that no worker looks before they are there."""
    transaction.on_commit(partial(ring, task, tenant_id, list(row_ids)))


def ring(task: str, tenant_id: UUID, row_ids: Iterable[UUID], *, after: float = 0) -> None:
    """Rings now, or after some seconds. A broker that is down is logged and left to the sweeper."""
    try:
        for row_id in row_ids:
            about = {"tenant_id": str(tenant_id), "row_id": str(row_id)}
            current_app.send_task(task, kwargs=about, countdown=after or None)
    except (OperationalError, ConnectionError) as error:
        log.warning("broker_down", task=task, error=str(error))
