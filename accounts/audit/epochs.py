"""Epochs: whether the database is still the one that was sealed, compared with itself and with the anchor.

A new epoch begins where PostgreSQL's system identifier or timeline has changed (a restore, a move, a failover) or where
the newest anchor holds more than the database, or something else. Every tenant's log says so, in an entry.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog

from accounts.audit import rows
from accounts.audit.anchor import AnchorStore, newest_note
from accounts.audit.events import Act, ActOutcome
from accounts.audit.keys import public_keys
from accounts.audit.log import compose
from accounts.audit.notes import GLOBAL_ORIGIN, NoteError, open_note, read_checkpoint, tenant_origin
from accounts.audit.rows import Connection, Position

BUNDLE = ".json"
logger = structlog.get_logger(__name__)


class Reason(StrEnum):
    """Why an epoch began. The value is stored."""

    FIRST = "first"
    CLUSTER = "cluster changed"
    TIMELINE = "timeline changed"
    TAIL_MISSING = "tail missing"
    TAIL_DIFFERS = "tail differs"


LOSSES = (Reason.TAIL_MISSING, Reason.TAIL_DIFFERS)


@dataclass(frozen=True, slots=True)
class AnchoredHead:
    """The newest anchor: the epoch and size of its name, its note, and the sizes of the tenants' trees in it."""

    epoch: int
    size: int
    note: str
    tenants: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Epoch:
    number: int
    system_identifier: str
    timeline: int


def look_at_anchor(store: AnchorStore, *, beyond: int) -> AnchoredHead | None:
    """The newest anchor, with what tenants' trees it has beyond a size of the global log.

    Raises AnchorUnavailableError.
    """
    found = newest_note(store)
    if found is None:
        return None
    name, note = found
    epoch, size = int(name.split("/")[0]), int(name.rpartition("/")[2])
    return AnchoredHead(epoch, size, note, _tenants(store, name, beyond) if size > beyond else {})


def _tenants(store: AnchorStore, name: str, beyond: int) -> dict[str, int]:
    sizes: dict[str, int] = {}
    following: str | None = name
    while following:
        try:
            bundle = json.loads(store.get(following + BUNDLE))
            found = [read_checkpoint(each["text"]) for each in bundle["checkpoints"]]
            following = bundle["previous"] if bundle["first"] > beyond else None
        except (ValueError, KeyError, TypeError):
            logger.exception("audit_anchor_malformed", alarm=True, name=following)
            return sizes
        for checkpoint in found:
            sizes[checkpoint.origin] = max(checkpoint.size, sizes.get(checkpoint.origin, 0))
    return sizes


def open_epoch(connection: Connection, head: AnchoredHead | None, *, conflict: bool = False) -> Position:
    """The sealer's position in the epoch that holds, a new one where needed. Commits.

    `head` is the newest anchor, None where there is none or it can't be known now. `conflict`: the anchor has refused
    to take this log's head, since another stands in its place.
    """
    with connection.transaction():
        last, size = _last_epoch(connection), rows.load_global_tree(connection).size
        system_identifier, timeline = _identity(connection)
        reason = _judge(connection, head, size) or (Reason.TAIL_DIFFERS if conflict else None)
        reason = reason or _moved(last, system_identifier, timeline)
        position = rows.load_position(connection)
        if reason is None and position is not None:
            return position
        reason = reason or Reason.CLUSTER
        number = max(last.number if last else 0, head.epoch if head else 0) + 1
        connection.execute(
            "INSERT INTO accounts_auditepoch (number, started_at, reason, system_identifier, timeline, size,"
            " anchored_epoch, anchored_size) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [number, datetime.now(UTC), reason, system_identifier, timeline, size,
             head.epoch if head else None, head.size if head else None],
        )  # fmt: skip
        return _begin(connection, number, reason, head)


def _begin(connection: Connection, number: int, reason: Reason, head: AnchoredHead | None) -> Position:
    position = Position(number, 0, rows.FIRST_ID, rows.oldest_running(connection), 0)
    rows.save_position(connection, position, datetime.now(UTC))
    if reason is not Reason.FIRST:
        _tell_tenants(connection, number, reason, head.tenants if head else {})
    say = logger.error if reason in LOSSES else logger.warning if reason is not Reason.FIRST else logger.info
    say("audit_epoch", epoch=number, reason=str(reason), anchored_size=head.size if head else None)
    return position


def _identity(connection: Connection) -> tuple[str, int]:
    """PostgreSQL's system identifier, made by initdb, and the timeline, which each recovery counts up."""
    row = connection.execute(
        "SELECT system_identifier::text, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint"
        " FROM pg_control_system()"
    ).fetchone()
    assert row is not None  # noqa: S101 (a function that returns one row)
    return str(row[0]), int(row[1])


def _last_epoch(connection: Connection) -> _Epoch | None:
    row = connection.execute(
        "SELECT number, system_identifier, timeline FROM accounts_auditepoch ORDER BY number DESC LIMIT 1"
    ).fetchone()
    return None if row is None else _Epoch(*row)


def _moved(last: _Epoch | None, system_identifier: str, timeline: int) -> Reason | None:
    if last is None:
        return Reason.FIRST
    if last.system_identifier != system_identifier:
        return Reason.CLUSTER
    return Reason.TIMELINE if last.timeline != timeline else None


def _judge(connection: Connection, head: AnchoredHead | None, size: int) -> Reason | None:
    """What is wrong with the database by the anchor, unless an epoch has begun for it already."""
    if head is None or _is_reported(connection, head):
        return None
    if head.size > size:
        return Reason.TAIL_MISSING
    return None if _stands(connection, head) else Reason.TAIL_DIFFERS


def _is_reported(connection: Connection, head: AnchoredHead) -> bool:
    found = connection.execute(
        "SELECT FROM accounts_auditepoch WHERE reason = ANY(%s) AND anchored_epoch = %s AND anchored_size = %s",
        [list(LOSSES), head.epoch, head.size],
    )
    return found.fetchone() is not None


def _stands(connection: Connection, head: AnchoredHead) -> bool:
    """Whether the log's own key signed the anchored head and the database still has the tree under it."""
    try:
        checkpoint = read_checkpoint(open_note(head.note, public_keys(connection)))
    except NoteError:
        return False
    root = rows.stored_global_tree(connection).root(head.size)
    return (checkpoint.origin, checkpoint.size, checkpoint.root) == (GLOBAL_ORIGIN, head.size, root)


def _tell_tenants(connection: Connection, number: int, reason: Reason, anchored: dict[str, int]) -> None:
    tenants = connection.execute(
        "SELECT tenant_id, max(size) FROM accounts_auditcheckpoint GROUP BY tenant_id ORDER BY tenant_id"
    ).fetchall()
    rows.insert_entries(
        connection,
        [
            compose(
                Act.LOG_EPOCH, tenant_id=tenant_id, object_type="epoch", object_id=number,
                outcome=ActOutcome.FAILED if reason in LOSSES else ActOutcome.DONE,
                details=_details(reason, size, anchored.get(tenant_origin(tenant_id))),
            )
            for tenant_id, size in _ids(tenants)
        ],
    )  # fmt: skip


def _ids(found: list[tuple[Any, ...]]) -> list[tuple[UUID, int]]:
    return [(tenant_id, size) for tenant_id, size in found]


def _details(reason: Reason, size: int, anchored: int | None) -> dict[str, Any]:
    missing = max(0, anchored - size) if anchored is not None else 0
    return {"reason": str(reason), "sealed": size, "anchored": anchored, "missing": missing}
