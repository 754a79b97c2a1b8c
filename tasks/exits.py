"""Certificates of return or destruction, signed in the background."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from accounts.audit.events import Act
from assessments.exits.services.certifying import SIGN
from assessments.exits.services.certifying import sign_certificate as sign
from evidence.queue import ring
from tasks.base import RowTask


@shared_task(base=RowTask, act=Act.EXIT_SIGN, kind="exit_certificate")
def sign_certificate(*, tenant_id: UUID, row_id: UUID) -> None:
    """Signs a certificate; one that has to wait for the log is looked at again after some seconds."""
    seconds = sign(tenant_id=tenant_id, certificate_id=row_id)
    if seconds:
        ring(SIGN, tenant_id, [row_id], after=seconds)
