"""Writes the audit log: `record` is the one verb.

The body of an entry is canonical JSON (RFC 8785) with a keyed MAC (HMAC-SHA256) whose key the database does
not hold, so that an entry can't be invented or changed by who only has the database. An entry is written in the
transaction of its act: if it can't be written, the act doesn't happen. A request makes one entry in a tenant's log
(accounts.audit.gathering); in background work each record is one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import rfc8785
from django.conf import settings
from django.db import Error, transaction

from accounts.audit.actors import SYSTEM, Actor, acting, current_actor
from accounts.audit.events import Act, ActOutcome
from accounts.audit.gathering import Noted, Notes, current_request
from accounts.audit.models import AuditEntry
from accounts.audit.store import keep_entries, keep_entry
from accounts.errors import Unavailable
from accounts.tenancy.models import new_id
from accounts.tenancy.scope import before_leaving, current_tenant_id, find_ending, open_tenant

__all__ = [
    "SYSTEM", "Actor", "acting", "canonical_body", "compose", "current_actor", "entry_mac", "is_genuine", "one_act",
    "record", "record_at_end", "record_in_each", "record_noted", "record_owed", "rfc3339", "verify_entry",
    "was_recorded", "write_notes",
]  # fmt: skip

NOT_RECORDED = "The audit log can't be written, so nothing was done or shown. Try again shortly."
_together: ContextVar[dict[UUID, Notes] | None] = ContextVar("together", default=None)
_TICK = timedelta(milliseconds=20)


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
    evidence. In a request the entry is filled and saved at the end of the tenant's transaction, one for all that
    was recorded, which raises SecondEntryError or Unavailable. Raises NoTenantError where no tenant is open.
    """
    return record_noted(
        Noted(act, object_type, str(object_id), outcome, on_behalf_of, details, actor or current_actor())
    )


def record_noted(noted: Noted) -> AuditEntry:
    """Records what was noted before; as `record`."""
    notes, request = _notes(), current_request()
    notes.add(noted)
    if request is not None:
        request.attempted.setdefault(current_tenant_id(), noted)
    elif _together.get() is None:
        _write(notes.entry, [noted])
    return notes.entry


def record_in_each(done: Mapping[UUID, Noted]) -> None:
    """Records a thing in the log of each of many tenants, none of which is open: one round trip, one commit.

    Raises SecondEntryError, Unavailable.
    """
    request, entries = current_request(), {}
    with transaction.atomic():
        for tenant_id, noted in done.items():
            if request is not None:
                request.mark_written(tenant_id)
            entries[tenant_id] = _new_entry(tenant_id)
            _fill(entries[tenant_id], noted, [])
        try:
            keep_entries(entries)
        except Error as error:
            raise Unavailable(NOT_RECORDED) from error


def record_at_end(act: Act, *, object_type: str, object_id: object) -> None:
    """Records a reading before the request's answer goes out, unless the request does something more telling."""
    noted, request = Noted(act, object_type, str(object_id)), current_request()
    if request is None:
        record_noted(noted)
    else:
        request.owed[current_tenant_id()] = noted


def record_owed() -> None:
    """Records what the request is called, where nothing more telling was recorded in the open tenant."""
    request = current_request()
    if request is not None and not _notes().holding():
        record_noted(request.owed[current_tenant_id()])


@contextmanager
def one_act() -> Iterator[None]:
    """One transaction; what is recorded inside is one entry in each tenant's log.

    For what a request or a command does outside of a tenant, or in more than one.
    """
    if _together.get() is not None:
        with transaction.atomic():
            yield
        return
    together: dict[UUID, Notes] = {}
    token = _together.set(together)
    with transaction.atomic():
        try:
            yield
        finally:
            _together.reset(token)
        for tenant_id, notes in together.items():
            with open_tenant(tenant_id):
                write_notes(notes)


def write_notes(notes: Notes) -> None:
    """Writes what holds of the notes as the open tenant's one entry. Raises SecondEntryError, Unavailable."""
    holding, request = notes.holding(), current_request()
    if not holding:
        return
    if request is not None:
        request.mark_written(current_tenant_id())
    try:
        _write(notes.entry, holding)
    except Error as error:
        raise Unavailable(NOT_RECORDED) from error


class _Ending:
    """Writes what a request noted in a tenant when it leaves the tenant."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes

    def __call__(self) -> None:
        write_notes(self.notes)


def _notes() -> Notes:
    """Where a record goes: to what is done as one act, else to the open tenant's transaction."""
    together = _together.get()
    if together is not None:
        return together.setdefault(current_tenant_id(), _new_notes())
    if current_request() is None:
        return _new_notes()
    ending = find_ending(_Ending)
    if ending is None:
        before_leaving(ending := _Ending(_new_notes()))
    return ending.notes


def _new_notes() -> Notes:
    return Notes(_new_entry(current_tenant_id()))


def _new_entry(tenant_id: UUID) -> AuditEntry:
    entry = AuditEntry(id=new_id(), tenant_id=tenant_id, occurred_at=datetime.now(UTC))
    # The page looks entries up by their ids, which hold the time in milliseconds: both say the same.
    begins = datetime.fromtimestamp((entry.id.int >> 80) / 1000, UTC)
    if abs(begins - entry.occurred_at) < _TICK:
        entry.occurred_at = min(max(entry.occurred_at, begins), begins + timedelta(microseconds=999))
    return entry


def _write(entry: AuditEntry, done: Sequence[Noted]) -> None:
    """Fills and saves an entry. The first thing done names it; the others stand in its details."""
    _fill(entry, done[0], [other.as_also() for other in done[1:]])
    keep_entry(entry)


def _fill(entry: AuditEntry, noted: Noted, also: Sequence[Mapping[str, Any]]) -> None:
    actor = noted.actor
    proven = {"proven": actor.proven} if actor.proven else {}
    details = {**proven, **noted.details, **({"also": list(also)} if also else {})}
    entry.act, entry.outcome = noted.act, noted.outcome
    entry.object_type, entry.object_id = noted.object_type, noted.object_id
    entry.actor_kind, entry.actor_id, entry.actor_name = actor.kind, actor.id, actor.name
    entry.address, entry.request_id = actor.address or None, actor.request_id
    entry.body = canonical_body(
        id=str(entry.pk), tenant=str(entry.tenant_id), at=entry.occurred_at, act=noted.act,
        object_type=noted.object_type, object_id=noted.object_id, outcome=noted.outcome, actor=actor,
        on_behalf_of=noted.on_behalf_of or actor.on_behalf_of, details=details,
    )  # fmt: skip
    entry.mac = entry_mac(entry.body, settings.AUDIT_MAC_KEY_ID)
    entry.mac_key_id = settings.AUDIT_MAC_KEY_ID


def compose(
    act: Act, *, tenant_id: UUID, object_type: str = "", object_id: object = "", outcome: ActOutcome = ActOutcome.DONE,
    actor: Actor = SYSTEM, on_behalf_of: str = "", details: Mapping[str, Any],
) -> AuditEntry:  # fmt: skip
    """An entry that is still to be inserted; `record` is for all who have a tenant open."""
    entry = _new_entry(tenant_id)
    _fill(entry, Noted(act, object_type, str(object_id), outcome, on_behalf_of, details, actor), [])
    return entry


def was_recorded(act: Act, *, object_id: object, outcome: ActOutcome, since: datetime) -> bool:
    """Whether the open tenant's log holds such an entry, so that what is tried again and again says so rarely."""
    found = AuditEntry.objects.filter(act=act, object_id=str(object_id), outcome=outcome)
    return found.filter(occurred_at__gt=since).exists()


def canonical_body(
    *, id: str, tenant: str, at: datetime, act: Act, object_type: str, object_id: str, outcome: ActOutcome,  # noqa: A002
    actor: Actor, on_behalf_of: str, details: Mapping[str, Any],
) -> bytes:  # fmt: skip
    """An entry as canonical JSON (RFC 8785), times in RFC 3339 with microseconds."""
    return rfc8785.dumps(
        {
            "v": 1, "id": id, "tenant": tenant, "at": rfc3339(at),
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
    body = bytes(entry.body)
    return is_genuine(columns, body, bytes(entry.mac), entry.mac_key_id) and _tells(entry, json.loads(body))


def _tells(entry: AuditEntry, said: dict[str, Any]) -> bool:
    actor = said["actor"]
    shown = (entry.object_type, entry.actor_kind, entry.actor_name, entry.address or "", entry.request_id)
    wanted = (said["object"]["type"], actor["kind"], actor["name"], actor["address"], said["request"])
    return shown == wanted and rfc3339(entry.occurred_at) == said["at"]


def is_genuine(columns: EntryColumns, body: bytes, mac: bytes, mac_key_id: str) -> bool:
    """As verify_entry, for rows that were read without the ORM."""
    try:
        if not hmac.compare_digest(entry_mac(body, mac_key_id), mac):
            return False
    except KeyError:
        return False
    said = json.loads(body)
    return (str(columns.id), str(columns.tenant_id), *columns[2:]) == (
        said["id"], said["tenant"], said["act"], said["outcome"], said["object"]["id"], said["actor"]["id"]
    )  # fmt: skip


def rfc3339(at: datetime) -> str:
    """A time as entries say it: UTC, with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
