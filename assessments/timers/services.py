"""Sets timers and lets them act.

A handler runs in the tenant's transaction that marks its timer done, so that what it writes is written once. What it
does outside of the database (a message) can happen twice if the worker is killed at the wrong moment, never not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from accounts.tenancy.scope import current_tenant_id, open_tenant
from assessments.timers.models import Timer
from evidence.queue import ring_after_commit

RING_TIMER = "tasks.timers.ring_timer"
FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=1), timedelta(hours=6)

Handler = Callable[[UUID], datetime | None]
"""Given the row's id, in its tenant; returns when it wants to be called again, if at all."""


def set_timer(kind: str, row_id: UUID, due_at: datetime) -> Timer:
    """Calls the handler of the kind for the row at a time, which may have passed; an earlier timer of both is moved."""
    timer, _made = Timer.objects.update_or_create(
        kind=kind, row_id=row_id, defaults={"due_at": due_at, "ring_at": due_at, "attempts": 0}
    )
    if due_at <= timezone.now():
        ring_after_commit(RING_TIMER, current_tenant_id(), [timer.pk])
    return timer


def clear_timer(kind: str, row_id: UUID) -> None:
    """Stops the timer of a kind and row, if there is one."""
    Timer.objects.filter(kind=kind, row_id=row_id).update(ring_at=None)


def run_timer(*, tenant_id: UUID, timer_id: UUID, handlers: Mapping[str, Handler]) -> bool:
    """Calls a due timer's handler; whether it was due. A handler that raises is tried again, later each time.

    Raises what the handler raised, and KeyError for a kind that has no handler.
    """
    try:
        with open_tenant(tenant_id):
            due = Timer.objects.filter(pk=timer_id, ring_at__lte=timezone.now())
            timer = due.select_for_update(skip_locked=True).first()
            if timer is None:
                return False
            again = handlers[timer.kind](timer.row_id)
            # The handler may have set it anew by itself.
            Timer.objects.filter(pk=timer_id, ring_at=timer.ring_at).update(
                ring_at=again, due_at=again or timer.due_at, attempts=0
            )
            return True
    except BaseException:
        _postpone(tenant_id, timer_id)
        raise


def _postpone(tenant_id: UUID, timer_id: UUID) -> None:
    with open_tenant(tenant_id):
        timer = Timer.objects.select_for_update().filter(pk=timer_id, ring_at__isnull=False).first()
        if timer is not None:
            timer.attempts = min(timer.attempts + 1, 20)
            timer.ring_at = timezone.now() + min(LONGEST_RETRY, FIRST_RETRY * 2 ** (timer.attempts - 1))
            timer.save(update_fields=["attempts", "ring_at"])
