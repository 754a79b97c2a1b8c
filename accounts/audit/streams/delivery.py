"""Delivers streams: each entry at least once, in the order of the leaves.

A worker takes the row by a lease, sends a batch outside of any transaction, and moves the position when the receiver
has taken it. One that dies between the two is followed by another that sends the batch again under the same id.
A receiver that fails is tried again after a wait that doubles, up to an hour; nobody else waits for it.
"""

from __future__ import annotations

import random
from datetime import timedelta
from uuid import UUID

import structlog
from django.db.models import F, Q
from django.utils import timezone

from accounts.audit import proofs
from accounts.audit.streams.models import AuditStream, StreamState
from accounts.audit.streams.senders import SECONDS, Sender, send
from accounts.errors import PortalError
from accounts.sealing import SealBrokenError
from accounts.tenancy.scope import open_tenant

BATCH = 200
LEASE = timedelta(seconds=6 * SECONDS)
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 5.0, 3600.0
DELIVER_STREAM = "tasks.stream.deliver_stream"

log = structlog.get_logger()


def deliver_batch(*, tenant_id: UUID, stream_id: UUID, sender: Sender = send) -> bool:
    """Delivers the next batch, if the stream is due and nobody else has it; says whether more waits."""
    with open_tenant(tenant_id):
        stream = _claim(stream_id)
        leaves = list(proofs.leaves(stream.position, stream.position + BATCH)) if stream else []
    if stream is None:
        return False
    try:
        if leaves:
            sender(stream, leaves)
    except (PortalError, SealBrokenError) as error:
        _settle(tenant_id, stream, failed=str(error))
        return False
    _settle(tenant_id, stream, delivered=len(leaves))
    return len(leaves) == BATCH


def _claim(stream_id: UUID) -> AuditStream | None:
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    due = AuditStream.objects.filter(free, pk=stream_id, due_at__lte=now).exclude(state=StreamState.PAUSED)
    taken = due.update(lease_until=now + LEASE, fence=F("fence") + 1)
    return AuditStream.objects.get(pk=stream_id) if taken else None


def _settle(tenant_id: UUID, stream: AuditStream, *, delivered: int = 0, failed: str = "") -> None:
    """Frees the row, unless somebody else took it meanwhile or it was moved (each raises the fence)."""
    now = timezone.now()
    with open_tenant(tenant_id):
        mine = AuditStream.objects.filter(pk=stream.pk, fence=stream.fence)
        if failed:
            failures = stream.failures + 1
            mine.exclude(state=StreamState.PAUSED).update(state=StreamState.FAILING)
            mine.update(
                lease_until=None,
                failures=failures,
                last_error=failed[:300],
                due_at=now + wait_after(failures),
            )
            log.warning("audit_stream.failed", stream=str(stream.pk), failures=failures, error=failed)
            return
        mine.exclude(state=StreamState.PAUSED).update(state=StreamState.ACTIVE)
        moved = {"position": stream.position + delivered, "delivered_at": now} if delivered else {}
        mine.update(lease_until=None, failures=0, last_error="", due_at=now, **moved)


def wait_after(failures: int) -> timedelta:
    """How long to wait after so many failures in a row: doubling up to an hour, less up to half of it by chance."""
    longest = min(FIRST_WAIT_SECONDS * 2 ** min(failures - 1, 20), LONGEST_WAIT_SECONDS)
    return timedelta(seconds=longest * random.uniform(0.5, 1))  # noqa: S311 (spreads load)
