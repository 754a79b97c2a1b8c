"""Questions to the log for pages of other apps: what some people did, and how membership changed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from accounts.audit.events import Act, ActorKind
from accounts.audit.models import AuditEntry

MEMBERSHIP = (Act.MEMBER_ADD, Act.MEMBER_ROLE_CHANGE, Act.MEMBER_REMOVE)


class Trace(NamedTuple):
    """An entry, as it was recorded. `details` are the act's own."""

    id: UUID
    at: datetime
    act: str
    outcome: str
    object_type: str
    object_id: str
    actor_id: str
    actor_name: str
    address: str
    details: dict[str, Any]


def acts_of(actor_ids: Iterable[UUID], *, since: datetime, most: int) -> list[Trace]:
    """What people did in the open tenant since a time, newest first, at most so many."""
    rows = AuditEntry.objects.filter(
        actor_id__in=[str(each) for each in actor_ids], occurred_at__gte=since
    ).order_by("-occurred_at", "-id")
    return [_trace(row) for row in rows[:most]]


def membership_changes(since: datetime, until: datetime, most: int) -> list[Trace]:
    """How members and their roles changed in [since, until), oldest first, at most so many."""
    rows = AuditEntry.objects.filter(act__in=MEMBERSHIP, occurred_at__gte=since, occurred_at__lt=until)
    return [_trace(row) for row in rows.order_by("occurred_at", "id")[:most]]


def acts_about(object_ids: Iterable[UUID], *, leaving_out: Iterable[Act] = (), most: int) -> list[Trace]:
    """What was done to things, by anybody who stands in the open tenant's log, newest first, at most so many."""
    rows = AuditEntry.objects.filter(object_id__in=[str(each) for each in object_ids])
    found = rows.exclude(act__in=list(leaving_out)).order_by("-id")
    return [_trace(row) for row in found[:most]]


def partner_acts(partner_id: UUID, *, act: Act, object_ids: Iterable[UUID], most: int) -> list[Trace]:
    """When another tenant's people did an act to things of the open one, newest first, among its last `most` acts.

    An entry may be named by something else that the same request read; what it read besides stands in it.
    """
    rows = AuditEntry.objects.filter(actor_kind=ActorKind.PARTNER, actor_id=str(partner_id))
    wanted = {(str(act), str(each)) for each in object_ids}
    traces = map(_trace, rows.order_by("-occurred_at", "-id")[:most])
    return [trace for trace in traces if wanted & _done_in(trace)]


def _done_in(trace: Trace) -> set[tuple[str, str]]:
    also = trace.details.get("also", [])
    return {(trace.act, trace.object_id), *((each["act"], each["object"]["id"]) for each in also)}


def _trace(entry: AuditEntry) -> Trace:
    details = json.loads(bytes(entry.body))["details"]
    return Trace(
        entry.pk, entry.occurred_at, entry.act, entry.outcome, entry.object_type, entry.object_id, entry.actor_id,
        entry.actor_name, entry.address or "", details,
    )  # fmt: skip
