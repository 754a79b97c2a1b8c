"""Evidence packages, made in the background."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from assessments.packages.build import build_package as build
from assessments.packages.services import BUILD_PACKAGE
from evidence.queue import ring
from tasks.base import RowTask


@shared_task(base=RowTask)
def build_package(*, tenant_id: UUID, row_id: UUID) -> None:
    """Makes a package; one that has to wait is looked at again after some seconds, by whoever is free then."""
    seconds = build(tenant_id=tenant_id, package_id=row_id)
    if seconds:
        ring(BUILD_PACKAGE, tenant_id, [row_id], after=seconds)
