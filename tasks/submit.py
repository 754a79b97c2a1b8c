"""Submitted documents: read, checked for PHI, and joined to findings."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from accounts.audit.events import Act
from accounts.tenancy.scope import open_tenant
from assessments.sharing.publishing import plan_publishing
from assessments.submitted.processing import process_submission as process
from tasks.base import RowTask


@shared_task(base=RowTask, act=Act.SUBMISSION_ACCEPT, kind="submission")
def process_submission(*, tenant_id: UUID, row_id: UUID) -> None:
    """Takes a document to its end; sent twice, the second does nothing."""
    if process(tenant_id=tenant_id, submission_id=row_id):
        with open_tenant(tenant_id):
            plan_publishing(rings=True)
