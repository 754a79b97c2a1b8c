"""What all tasks have in common: they name a row of a tenant and can be sent any number of times."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import Task
from django.utils import timezone

from accounts.audit.events import Act, ActorKind, ActOutcome
from accounts.audit.log import Actor, acting, record, was_recorded
from accounts.tenancy.scope import open_tenant

SAYS_SO_EVERY = timedelta(hours=1)
WORKER = Actor(kind=ActorKind.SYSTEM, id="worker", name="worker")


class RowTask(Task[Any, None]):
    """A task about one row: called as `task(tenant_id=..., row_id=...)`, both as text.

    Its services record what they do, an entry an act. `act` and `kind` name a task that failed, whose own entry was
    undone with its work; one that is tried again and again says so once an hour.
    """

    abstract = True
    act: Act | None = None
    kind = ""

    def __call__(self, *args: Any, tenant_id: str, row_id: str, **kwargs: Any) -> None:
        with acting(WORKER):
            super().__call__(*args, tenant_id=UUID(tenant_id), row_id=UUID(row_id), **kwargs)

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: dict[str, str], einfo: Any) -> None:  # noqa: ARG002 (Celery gives it)
        """Records the failure in a transaction of its own."""
        if self.act is None:
            return
        with acting(WORKER), open_tenant(UUID(kwargs["tenant_id"])):
            row, since = kwargs["row_id"], timezone.now() - SAYS_SO_EVERY
            if not was_recorded(self.act, object_id=row, outcome=ActOutcome.FAILED, since=since):
                record(
                    self.act, object_type=self.kind, object_id=row, outcome=ActOutcome.FAILED,
                    error=type(exc).__name__,
                )  # fmt: skip
