"""The sealer's statements: sets of rows at a time, through a psycopg connection as portal_sealer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from accounts.audit.models import AuditEntry
from accounts.audit.tree import GrowingTree, StoredTree, Tile

Connection = psycopg.Connection[Any]
FIRST_ID = UUID(int=0)


class EntryRow(NamedTuple):
    """An entry that is to be sealed."""

    id: UUID
    tenant_id: UUID
    transaction_id: int
    body: bytes
    mac: bytes
    mac_key_id: str
    act: str
    outcome: str
    object_id: str
    actor_id: str


@dataclass(frozen=True, slots=True)
class Position:
    """How far the sealer is: accounts.audit.models.AuditSealer."""

    epoch: int
    xid: int
    id: UUID
    catching_up_from: int | None
    mixed_until: int

    def after(self, found: Sequence[EntryRow], *, full: bool) -> Position:
        """The position once these entries are sealed; `full` where there may be more."""
        last = (found[-1].transaction_id, found[-1].id) if found else (self.xid, self.id)
        if self.catching_up_from is None or full:
            return replace(self, xid=last[0], id=last[1])
        return Position(self.epoch, self.catching_up_from, FIRST_ID, None, max(self.mixed_until, last[0]))


_ENTRIES = """
    SELECT id, tenant_id, transaction_id::text::bigint, body, mac, mac_key_id, act, outcome, object_id, actor_id
    FROM accounts_auditentry WHERE (transaction_id, id) > (%s::text::xid8, %s) {} ORDER BY transaction_id, id LIMIT %s
"""
_SETTLED = _ENTRIES.format("AND transaction_id < %s::text::xid8")
_ALL = _ENTRIES.format("")


def take_entries(connection: Connection, position: Position, limit: int) -> list[EntryRow]:
    """The next entries in the order of (transaction_id, id), as far as no running transaction can add one before them.

    In the pass that begins an epoch: all that are visible. Some may be sealed already (`without_sealed`).
    """
    start = [str(position.xid), position.id]
    with connection.cursor(binary=True) as cursor:
        if position.catching_up_from is not None:
            cursor.execute(_ALL, [*start, limit])
        else:
            # Asked before the entries: their snapshot is then the later one, and sees all that is settled by now.
            cursor.execute(_SETTLED, [*start, str(oldest_running(connection)), limit])
        return [EntryRow(*row) for row in cursor.fetchall()]


def without_sealed(connection: Connection, found: Sequence[EntryRow]) -> list[EntryRow]:
    """Those that have no leaf yet."""
    ids = [row.id for row in found]
    rows = connection.execute("SELECT id FROM accounts_auditleaf WHERE id = ANY(%s)", [ids], binary=True)
    sealed = {row[0] for row in rows}
    return [row for row in found if row.id not in sealed]


def oldest_running(connection: Connection) -> int:
    """The oldest transaction that is still running: every one before it has ended."""
    row = connection.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text").fetchone()
    return int(row[0]) if row else 0


def oldest_unsettled(connection: Connection, position: Position) -> datetime | None:
    """When the oldest visible entry beyond the position was recorded."""
    row = connection.execute(
        "SELECT min(recorded_at) FROM accounts_auditentry WHERE (transaction_id, id) > (%s::text::xid8, %s)"
        " AND NOT EXISTS (SELECT FROM accounts_auditleaf WHERE accounts_auditleaf.id = accounts_auditentry.id)",
        [str(position.xid), position.id],
    ).fetchone()
    return row[0] if row else None


def load_position(connection: Connection) -> Position | None:
    row = connection.execute(
        "SELECT epoch, position_xid::text::bigint, position_id, catching_up_from::text::bigint,"
        " mixed_until::text::bigint FROM accounts_auditsealer WHERE id = 1"
    ).fetchone()
    return Position(*row) if row else None


def save_position(connection: Connection, position: Position, at: datetime) -> None:
    catching = None if position.catching_up_from is None else str(position.catching_up_from)
    values = [position.epoch, str(position.xid), position.id, catching, str(position.mixed_until), at]
    connection.execute(
        "INSERT INTO accounts_auditsealer"
        " (id, epoch, position_xid, position_id, catching_up_from, mixed_until, seen_at)"
        " VALUES (1, %s, %s::text::xid8, %s, %s::text::xid8, %s::text::xid8, %s)"
        " ON CONFLICT (id) DO UPDATE SET epoch = EXCLUDED.epoch, position_xid = EXCLUDED.position_xid,"
        " position_id = EXCLUDED.position_id, catching_up_from = EXCLUDED.catching_up_from,"
        " mixed_until = EXCLUDED.mixed_until, seen_at = EXCLUDED.seen_at",
        values,
    )


def save_seen(connection: Connection, at: datetime) -> None:
    connection.execute("UPDATE accounts_auditsealer SET seen_at = %s WHERE id = 1", [at])


def load_tree(connection: Connection, tenant_id: UUID) -> GrowingTree:
    """A tenant's tree as it stands."""

    def fetch(level: int, first: int, count: int) -> list[bytes]:
        if level == 0:
            return _hashes(connection, _OWN_LEAVES, [tenant_id, first, first + count])
        return _hashes(connection, _OWN_TILES, [tenant_id, level, first, first + count])

    size = _size(
        connection, "SELECT max(leaf_index) FROM accounts_auditleaf WHERE tenant_id = %s", [tenant_id]
    )
    return GrowingTree(size, StoredTree(fetch).peaks(size))


def load_global_tree(connection: Connection) -> GrowingTree:
    """The log of checkpoints as it stands."""
    size = _size(connection, "SELECT max(index) FROM accounts_auditgloballeaf", [])
    return GrowingTree(size, stored_global_tree(connection).peaks(size))


def stored_global_tree(connection: Connection) -> StoredTree:
    def fetch(level: int, first: int, count: int) -> list[bytes]:
        if level == 0:
            return _hashes(connection, _GLOBAL_LEAVES, [first, first + count])
        return _hashes(connection, _GLOBAL_TILES, [level, first, first + count])

    return StoredTree(fetch)


_OWN_LEAVES = (
    "SELECT leaf_hash FROM accounts_auditleaf WHERE tenant_id = %s AND leaf_index >= %s AND leaf_index < %s"
    " ORDER BY leaf_index"
)
_OWN_TILES = (
    "SELECT hash FROM accounts_audittile WHERE tenant_id = %s AND level = %s AND index >= %s AND index < %s"
    " ORDER BY index"
)
_GLOBAL_LEAVES = (
    "SELECT leaf_hash FROM accounts_auditgloballeaf WHERE index >= %s AND index < %s ORDER BY index"
)
_GLOBAL_TILES = (
    "SELECT hash FROM accounts_auditglobaltile WHERE level = %s AND index >= %s AND index < %s ORDER BY index"
)


def _size(connection: Connection, statement: str, arguments: Sequence[Any]) -> int:
    row = connection.execute(statement, arguments).fetchone()
    return 0 if row is None or row[0] is None else int(row[0]) + 1


def _hashes(connection: Connection, statement: str, arguments: Sequence[Any]) -> list[bytes]:
    rows = connection.execute(statement, arguments, binary=True)
    return [bytes(row[0]) for row in rows]


@dataclass(frozen=True, slots=True)
class NewLeaf:
    """A row of AuditLeaf."""

    entry_id: UUID
    tenant_id: UUID
    index: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class NewCheckpoint:
    """A row of AuditCheckpoint."""

    id: UUID
    tenant_id: UUID
    size: int
    root: bytes
    note: str
    global_index: int
    leaf_hash: bytes
    """Of the note's text in the global log."""


def insert_leaves(connection: Connection, leaves: Sequence[NewLeaf], at: datetime) -> None:
    _insert(
        connection,
        "INSERT INTO accounts_auditleaf (id, tenant_id, leaf_index, leaf_hash, sealed_at)"
        " SELECT *, %s::timestamptz FROM unnest(%b::uuid[], %b::uuid[], %b::bigint[], %b::bytea[])",
        [at],
        [(each.entry_id, each.tenant_id, each.index, each.hash) for each in leaves],
    )


def insert_tiles(connection: Connection, tiles: Sequence[tuple[UUID, UUID, Tile]]) -> None:
    """Of (row's id, tenant's id, tile)."""
    _insert(
        connection,
        "INSERT INTO accounts_audittile (id, tenant_id, level, index, hash)"
        " SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::smallint[], %b::bigint[], %b::bytea[])",
        [],
        [(row_id, tenant_id, tile.level, tile.index, tile.root) for row_id, tenant_id, tile in tiles],
    )


def insert_checkpoints(
    connection: Connection, made: Sequence[NewCheckpoint], epoch: int, at: datetime
) -> None:
    """With their leaves in the global log."""
    _insert(
        connection,
        "INSERT INTO accounts_auditcheckpoint"
        " (epoch, created_at, id, tenant_id, size, root, note, global_index) SELECT %s::int, %s::timestamptz, *"
        " FROM unnest(%b::uuid[], %b::uuid[], %b::bigint[], %b::bytea[], %b::text[], %b::bigint[])",
        [epoch, at],
        [(each.id, each.tenant_id, each.size, each.root, each.note, each.global_index) for each in made],
    )
    _insert(
        connection,
        "INSERT INTO accounts_auditgloballeaf (index, leaf_hash) SELECT * FROM unnest(%b::bigint[], %b::bytea[])",
        [],
        [(each.global_index, each.leaf_hash) for each in made],
    )


def insert_global_tiles(connection: Connection, tiles: Iterable[Tile]) -> None:
    _insert(
        connection,
        "INSERT INTO accounts_auditglobaltile (level, index, hash)"
        " SELECT * FROM unnest(%b::smallint[], %b::bigint[], %b::bytea[])",
        [],
        [(tile.level, tile.index, tile.root) for tile in tiles],
    )


def insert_entries(connection: Connection, entries: Iterable[AuditEntry]) -> None:
    """What the sealer itself has to say in tenants' logs."""
    fields = [field for field in AuditEntry._meta.concrete_fields if not field.has_db_default()]
    columns, places = ", ".join(str(field.column) for field in fields), ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO accounts_auditentry ({columns}) VALUES ({places})"  # noqa: S608 (the model's own columns)
    for entry in entries:
        connection.execute(statement, [getattr(entry, field.attname) for field in fields])


def _insert(
    connection: Connection, statement: str, arguments: Sequence[Any], rows: Sequence[Sequence[Any]]
) -> None:
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        connection.execute(statement, [*arguments, *columns])
