"""The sweeper: rings again for rows that wait, and starts what is due. Losing every message costs a delay only."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts.audit.log import acting
from accounts.audit.streams.delivery import DELIVER_STREAM
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import (
    due_chains,
    due_notices,
    due_packages,
    due_streams,
    due_submissions,
    due_timers,
    due_webhooks,
    due_work,
)
from assessments.chain.telling import REFRESH_CHAIN
from assessments.notices.sending import RECEIVE_NOTICE
from assessments.packages.services import BUILD_PACKAGE
from assessments.timers.services import RING_TIMER
from evidence import vault
from evidence.queue import COLLECT_UNIT, PROBE_CONNECTION, ring
from evidence.services import start_due_run
from evidence.submissions.services import PROCESS_SUBMISSION
from tasks.assess import EVALUATE_RUN
from tasks.base import WORKER
from tasks.webhook import RINGS as WEBHOOK_RINGS

RINGS = {"unit": COLLECT_UNIT, "evaluation": EVALUATE_RUN, "probe": PROBE_CONNECTION}


@shared_task
def ring_for_due_work() -> None:
    """Looks once over all tenants for work without a worker."""
    for kind, tenant_id, row_id in due_work(timezone.now()):
        if kind in RINGS:
            ring(RINGS[kind], tenant_id, [row_id])
            continue
        with acting(WORKER), open_tenant(tenant_id):
            start_due_run(connection_id=row_id)
    for tenant_id, row_id in due_packages(timezone.now()):
        ring(BUILD_PACKAGE, tenant_id, [row_id])
    for tenant_id, row_id in due_streams(timezone.now()):
        ring(DELIVER_STREAM, tenant_id, [row_id])
    for tenant_id, row_id in due_submissions(timezone.now()):
        ring(PROCESS_SUBMISSION, tenant_id, [row_id])
    for tenant_id, row_id in due_timers(timezone.now()):
        ring(RING_TIMER, tenant_id, [row_id])
    for tenant_id in due_chains(timezone.now()):
        ring(REFRESH_CHAIN, tenant_id, [tenant_id])
    for tenant_id, row_id in due_notices(timezone.now()):
        ring(RECEIVE_NOTICE, tenant_id, [row_id])
    for kind, tenant_id, row_id in due_webhooks(timezone.now()):
        ring(WEBHOOK_RINGS[kind], tenant_id, [row_id])


@shared_task
def sweep_vault() -> None:
    """Takes back what killed writers left in the vault's store."""
    vault.sweep_unfinished()
