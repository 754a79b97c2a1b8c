"""What all tasks have in common: they name a row of a tenant and can be sent any number of times."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import Task

from accounts.audit.events import ActorKind
from accounts.audit.log import Actor, acting

WORKER = Actor(kind=ActorKind.SYSTEM, name="worker")


class RowTask(Task[Any, None]):
    """A task about one row: called as `task(tenant_id=..., row_id=...)`, both as text."""

    abstract = True

    def __call__(self, *args: Any, tenant_id: str, row_id: str, **kwargs: Any) -> None:
        with acting(WORKER):
            super().__call__(*args, tenant_id=UUID(tenant_id), row_id=UUID(row_id), **kwargs)
