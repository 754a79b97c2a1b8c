"""Telling the people of who receives a notice."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from accounts.audit.events import Act
from assessments.notices.receiving import receive_notice as tell_of_notice
from tasks.base import RowTask


@shared_task(base=RowTask, act=Act.NOTICE_RECEIVE, kind="notice")
def receive_notice(*, tenant_id: UUID, row_id: UUID) -> None:
    """Mails the receiving tenant's people; sent twice, the second does nothing."""
    tell_of_notice(tenant_id=tenant_id, notice_id=row_id)
