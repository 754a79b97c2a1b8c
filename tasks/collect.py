"""Collection: one task a unit, and the probe of a connection."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from accounts.audit.events import Act
from evidence.queue import ring
from evidence.services import collect_unit as collect
from evidence.services import probe_connection as probe
from tasks.assess import EVALUATE_RUN
from tasks.base import RowTask


@shared_task(base=RowTask, act=Act.COLLECTION_FINISH, kind="unit")
def collect_unit(*, tenant_id: UUID, row_id: UUID) -> None:
    """Collects a unit; the one that finishes its run rings for the evaluation."""
    done = collect(tenant_id=tenant_id, unit_id=row_id)
    if done.unit and done.run_finished:
        ring(EVALUATE_RUN, tenant_id, [done.unit.run_id])


@shared_task(base=RowTask, act=Act.CONNECTION_VERIFY, kind="connection")
def probe_connection(*, tenant_id: UUID, row_id: UUID) -> None:
    """Probes a connection as a person asked."""
    probe(tenant_id=tenant_id, connection_id=row_id)
