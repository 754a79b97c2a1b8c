"""Verifies up to 65,536 neighbouring entries of a tenant's log, with their tiles and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.types.string import ByteaBinaryLoader

from accounts.audit.verification.entries import COLUMNS, SealedRow, find_fault, name_id
from accounts.audit.verification.merkle import TILE, Unit, hash_leaf
from accounts.audit.verification.notes import Key, NoteFault, read_head

Connection = psycopg.Connection[Any]
BATCH = 8192
MOST_FAULTS = 20
"""Of a unit that are told; the others are counted."""


class Task(NamedTuple):
    """The entries [start, end) of a tenant's log, where `start` is a multiple of UNIT."""

    tenant: UUID
    start: int
    end: int


class Fault(NamedTuple):
    """What is wrong, in a sentence, and from which entry on (of the log of checkpoints: which checkpoint)."""

    entry: int
    sentence: str


class Claim(NamedTuple):
    """What a checkpoint says is the root over the tree's first `size` leaves, and the root of those in the unit."""

    size: int
    root: bytes
    local: bytes


class UnitReport(NamedTuple):
    """`root` is None where leaves are missing, so that it can't be computed."""

    task: Task
    root: bytes | None
    claims: list[Claim]
    faults: list[Fault]
    fault_count: int


class Judge(NamedTuple):
    """What entries and checkpoints are judged by: MAC keys by their id, and the keys that sign."""

    mac_keys: Mapping[str, bytes]
    keys: Sequence[Key]


class _CheckpointRow(NamedTuple):
    size: int
    root: bytes
    note: str
    epoch: int
    created_at: datetime
    global_index: int
    global_leaf: bytes | None


_LEAVES = f"""
    SELECT {COLUMNS} FROM accounts_auditleaf l LEFT JOIN accounts_auditentry e ON e.id = l.id
    WHERE l.tenant_id = %s AND l.leaf_index >= %s AND l.leaf_index < %s ORDER BY l.leaf_index
"""  # noqa: S608 (constants)
_CHECKPOINTS = """
    SELECT c.size, c.root, c.note, c.epoch, c.created_at, c.global_index, g.leaf_hash FROM accounts_auditcheckpoint c
    LEFT JOIN accounts_auditgloballeaf g ON g.index = c.global_index
    WHERE c.tenant_id = %s AND c.size > %s AND c.size <= %s ORDER BY c.size
"""
_TILES = """
    SELECT level, index, hash FROM accounts_audittile WHERE tenant_id = %s
    AND (level = 1 AND index >= %s AND index < %s OR level = 2 AND index = %s AND %s)
"""


def verify_unit(connection: Connection, task: Task, judge: Judge) -> UnitReport:
    """Verifies the unit in the connection's transaction."""
    faults: list[Fault] = []
    hashes = _verify_entries(connection, task, judge, faults)
    if len(hashes) < task.end - task.start:
        missing = task.start + len(hashes)
        faults.append(Fault(missing, f"entry {missing} is missing: nothing has its place in the log"))
        return _report(task, None, [], faults)
    unit = Unit(hashes)
    _verify_tiles(connection, task, unit, faults)
    claims = _verify_checkpoints(connection, task, judge, unit, faults)
    return _report(task, unit.root(len(hashes)), claims, faults)


def _report(task: Task, root: bytes | None, claims: list[Claim], faults: list[Fault]) -> UnitReport:
    return UnitReport(task, root, claims, sorted(faults)[:MOST_FAULTS], len(faults))


def _verify_entries(connection: Connection, task: Task, judge: Judge, faults: list[Fault]) -> list[bytes]:
    """The hashes of the unit's leaves, up to the first gap."""
    hashes: list[bytes] = []
    for start in range(task.start, task.end, BATCH):
        with connection.cursor(binary=True) as cursor:
            # Sixteen bytes are compared in a fraction of the time that UUID objects take.
            cursor.adapters.register_loader("uuid", ByteaBinaryLoader)
            cursor.execute(_LEAVES, [task.tenant, start, min(start + BATCH, task.end)])
            for row in map(SealedRow._make, cursor):
                if row.leaf_index != task.start + len(hashes):
                    return hashes
                hashes.append(row.leaf_hash)
                fault = find_fault(row, judge.mac_keys)
                if fault is not None:
                    who = f" ({name_id(row.id)})" if row.id else ""
                    faults.append(Fault(row.leaf_index, f"entry {row.leaf_index}{who} {fault}"))
    return hashes


def _verify_tiles(connection: Connection, task: Task, unit: Unit, faults: list[Fault]) -> None:
    first, complete = task.start // TILE, len(unit.tiles) == TILE
    rows = connection.execute(
        _TILES, [task.tenant, first, first + len(unit.tiles), first // TILE, complete], binary=True
    )
    stored = {(level, index): digest for level, index, digest in rows}
    expected = {(1, first + number): digest for number, digest in enumerate(unit.tiles)}
    if complete:
        expected[2, first // TILE] = unit.root(len(unit.hashes))
    for (level, index), digest in expected.items():
        start = index * TILE**level
        told = any(start <= fault.entry < start + TILE**level for fault in faults)
        if stored.get((level, index)) != digest and not told:
            what = f"stored tile {level}/{index} over the entries {start} to {start + TILE**level - 1}"
            wrong = "is missing" if (level, index) not in stored else "is not the root of their leaves"
            faults.append(Fault(start, f"the {what} {wrong}"))


def _verify_checkpoints(
    connection: Connection, task: Task, judge: Judge, unit: Unit, faults: list[Fault]
) -> list[Claim]:
    claims: list[Claim] = []
    before = -1
    rows = connection.execute(_CHECKPOINTS, [task.tenant, task.start, task.end], binary=True)
    for row in map(_CheckpointRow._make, rows):
        try:
            claims.append(Claim(row.size, _judge(row, task, judge), unit.root(row.size - task.start)))
            if row.global_index <= before:
                raise NoteFault("stands before an older one in the log of checkpoints")  # noqa: TRY301
        except NoteFault as fault:
            faults.append(Fault(row.size - 1, f"the checkpoint of {row.size} entries {fault}"))
        before = row.global_index
    return claims


def _judge(row: _CheckpointRow, task: Task, judge: Judge) -> bytes:
    """The root that the checkpoint claims. Raises NoteFault."""
    head = read_head(row.note, judge.keys)
    if head.origin != f"surety/{task.tenant}":
        raise NoteFault(f"is of another log, {head.origin}")
    if (head.size, head.root, head.epoch, head.time) != (row.size, row.root, row.epoch, row.created_at):
        raise NoteFault("does not say what its row says: it was changed, or replaced by another")
    if row.global_leaf is None:
        raise NoteFault("is not in the log of checkpoints")
    if hash_leaf(head.text) != row.global_leaf:
        raise NoteFault("is not the one in the log of checkpoints")
    return head.root
