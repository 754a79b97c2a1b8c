"""What a tenant tells of its subcontractors is computed anew, and the next level up is rung for."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from accounts.audit.events import Act
from accounts.tenancy.scope import open_tenant
from assessments.chain import telling
from tasks.base import RowTask


@shared_task(base=RowTask, act=Act.CHAIN_TELL, kind="chain")
def refresh_chain(*, tenant_id: UUID, row_id: UUID) -> None:  # noqa: ARG001 (the tenant is the row)
    """Computes one tenant; sent twice, the second changes nothing."""
    with open_tenant(tenant_id):
        telling.ring_upwards(telling.refresh_chain())
