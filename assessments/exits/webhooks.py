"""Webhooks of both parties hear how far an exit is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from accounts.tenancy.scope import current_tenant_id
from accounts.webhooks.emitting import Page, emit, emit_to
from accounts.webhooks.events import EventType
from assessments.exits.models import Exit


def emit_exit(event: EventType, exit_: Exit, *, key: UUID | None = None, **fields: object) -> None:
    """Tells the open tenant, and the other party unless the exit is by hand; once for each `key` (the exit's id)."""
    said: dict[str, Any] = {"partnership": exit_.partnership_id, "due_at": exit_.due_at, **fields}
    own, told_for = current_tenant_id(), str(key or exit_.pk)
    sides: dict[UUID, tuple[str, Page]] = {
        exit_.downstream_id: ("downstream", ("exit-received", exit_.pk)),
        exit_.upstream_id: ("upstream", ("exit-detail", exit_.pk)),  # of an exit by hand, both in one
    }
    for tenant_id, (side, page) in sides.items():
        if tenant_id == own:
            emit(event, exit_.pk, page=page, key=told_for, side=side, **said)
        else:
            emit_to(tenant_id, event, exit_.pk, page=page, key=told_for, side=side, **said)
