"""Evaluation of finished runs: the one place where evidence and assessments meet."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from accounts.audit.events import Act
from accounts.tenancy.scope import open_tenant
from assessments.services import evaluate_run as evaluate
from assessments.sharing.publishing import plan_publishing
from tasks.base import RowTask

EVALUATE_RUN = "tasks.assess.evaluate_run"


@shared_task(base=RowTask, act=Act.EVALUATION_FINISH, kind="run")
def evaluate_run(*, tenant_id: UUID, row_id: UUID) -> None:
    """Evaluates a run; sent twice, the second does nothing."""
    if evaluate(tenant_id=tenant_id, run_id=row_id):
        with open_tenant(tenant_id):
            plan_publishing(rings=True)
