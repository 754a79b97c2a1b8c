"""Writes the audit log: `record` is the one verb.

The body of an entry is canonical JSON (RFC 8785) with a keyed MAC (HMAC-SHA256) whose key the database does
not hold, so that an entry can't be invented or changed by who only has the database. An entry is written in the
transaction of its act: if it can't be written, the act doesn't happen.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import rfc8785
from django.conf import settings

from accounts.audit.events import Act, ActorKind, ActOutcome
from accounts.audit.models import AuditEntry
from accounts.audit.store import keep_entry
from accounts.tenancy.models import new_id
from accounts.tenancy.scope import current_tenant_id


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, from where. `session` is a digest of the session's key, never the key."""

    kind: ActorKind = ActorKind.SYSTEM
    id: str = ""
    name: str = "system"
    address: str = ""
    session: str = ""
    request_id: str = ""


SYSTEM = Actor()
_actor: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)


def current_actor() -> Actor:
    """Who acts now: the system, until the middleware or a task says otherwise."""
    return _actor.get()


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Names the actor of the entries recorded inside."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def record(
    act: Act,
    *,
    object_type: str = "",
    object_id: object = "",
    outcome: ActOutcome = ActOutcome.DONE,
    actor: Actor | None = None,
    on_behalf_of: str = "",
    **details: Any,
) -> AuditEntry:
    """Records an act in the open tenant's log.

    `details` are JSON values (text, integers, booleans, None, lists, mappings) and hold neither secrets nor
    evidence. Raises NoTenantError where no tenant is open.
    """
    entry = compose(
        act, tenant_id=current_tenant_id(), object_type=object_type, object_id=object_id, outcome=outcome,
        actor=actor or current_actor(), on_behalf_of=on_behalf_of, details=details,
    )  # fmt: skip
    return keep_entry(entry)


def compose(
    act: Act, *, tenant_id: UUID, object_type: str = "", object_id: object = "", outcome: ActOutcome = ActOutcome.DONE,
    actor: Actor = SYSTEM, on_behalf_of: str = "", details: Mapping[str, Any],
) -> AuditEntry:  # fmt: skip
    """An entry that is still to be inserted; `record` is for all who have a tenant open."""
    entry_id, now = new_id(), datetime.now(UTC)
    body = canonical_body(
        id=str(entry_id), tenant=str(tenant_id), at=now, act=act, object_type=object_type,
        object_id=str(object_id), outcome=outcome, actor=actor, on_behalf_of=on_behalf_of, details=details,
    )  # fmt: skip
    return AuditEntry(
        id=entry_id, tenant_id=tenant_id, occurred_at=now, act=act, outcome=outcome, object_type=object_type,
        object_id=str(object_id), actor_kind=actor.kind, actor_id=actor.id, actor_name=actor.name,
        address=actor.address or None, request_id=actor.request_id, body=body,
        mac=entry_mac(body, settings.AUDIT_MAC_KEY_ID), mac_key_id=settings.AUDIT_MAC_KEY_ID,
    )  # fmt: skip


def canonical_body(
    *, id: str, tenant: str, at: datetime, act: Act, object_type: str, object_id: str, outcome: ActOutcome,  # noqa: A002
    actor: Actor, on_behalf_of: str, details: Mapping[str, Any],
) -> bytes:  # fmt: skip
    """An entry as canonical JSON (RFC 8785), times in RFC 3339 with microseconds."""
    return rfc8785.dumps(
        {
            "v": 1, "id": id, "tenant": tenant, "at": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "act": str(act), "outcome": str(outcome), "object": {"type": object_type, "id": object_id},
            "actor": {"kind": str(actor.kind), "id": actor.id, "name": actor.name, "address": actor.address,
                      "session": actor.session},
            "on_behalf_of": on_behalf_of, "request": actor.request_id, "details": dict(details),
        }
    )  # fmt: skip


def entry_mac(body: bytes, key_id: str) -> bytes:
    """HMAC-SHA256 of an entry's body under the log's key of that id. Raises KeyError where it isn't configured."""
    key = (
        settings.AUDIT_MAC_KEY
        if key_id == settings.AUDIT_MAC_KEY_ID
        else settings.AUDIT_MAC_KEYS_RETIRED[key_id]
    )
    return hmac.new(key, body, hashlib.sha256).digest()


class EntryColumns(NamedTuple):
    """What an entry's row says, as far as its body says it too."""

    id: UUID
    tenant_id: UUID | None
    act: str
    outcome: str
    object_id: str
    actor_id: str


def verify_entry(entry: AuditEntry) -> bool:
    """Whether the entry is what was recorded: its MAC holds and its columns agree with its body."""
    columns = EntryColumns(
        entry.id, entry.tenant_id, entry.act, entry.outcome, entry.object_id, entry.actor_id
    )
    return is_genuine(columns, bytes(entry.body), bytes(entry.mac), entry.mac_key_id)


def is_genuine(columns: EntryColumns, body: bytes, mac: bytes, mac_key_id: str) -> bool:
    """As verify_entry, for rows that were read without the ORM."""
    try:
        if not hmac.compare_digest(entry_mac(body, mac_key_id), mac):
            return False
    except KeyError:
        return False
    said = json.loads(body)
    return columns == (
        UUID(said["id"]), UUID(said["tenant"]), said["act"], said["outcome"], said["object"]["id"], said["actor"]["id"]
    )  # fmt: skip
