"""Verifies whole logs: each tenant's, and the log of all checkpoints with its anchors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from accounts.audit.verification.merkle import TILE, UNIT, Unit, join_peaks, peaks_of, root_of
from accounts.audit.verification.notes import Head, Key, NoteFault, read_head
from accounts.audit.verification.units import Connection, Fault, Task, UnitReport

GLOBAL_ORIGIN = "surety/checkpoints"
CHECKPOINTS = "log of checkpoints"

RunUnits = Callable[[Iterable[Task]], Iterable[UnitReport]]
"""Verifies units, and reports in the order of the tasks."""


class Verdict(NamedTuple):
    """What was found of one log. `faults` begin with the first by entry; `fault_count` counts those not told too."""

    name: str
    entries: int
    checkpoints: int
    faults: Sequence[Fault]
    fault_count: int


class Anchored(NamedTuple):
    """The newest note of the anchor store, and where it stands."""

    location: str
    note: str


class TenantLog(NamedTuple):
    """How far a tenant's log goes, by its leaves and by its checkpoints, and what has no leaf though it should."""

    tenant: UUID
    leaves: int
    covered: int
    unsealed: int
    oldest_unsealed: datetime | None


_TENANTS = """
    WITH leaves AS (SELECT tenant_id, max(leaf_index) + 1 AS size FROM accounts_auditleaf GROUP BY tenant_id),
    checkpoints AS (SELECT tenant_id, max(size) AS size FROM accounts_auditcheckpoint GROUP BY tenant_id),
    unsealed AS (
        SELECT tenant_id, count(*) AS count, min(recorded_at) AS oldest FROM accounts_auditentry e
        WHERE recorded_at < now() - make_interval(secs => %s)
        AND NOT EXISTS (SELECT FROM accounts_auditleaf l WHERE l.id = e.id) GROUP BY tenant_id
    )
    SELECT tenant_id, coalesce(l.size, 0), coalesce(c.size, 0), coalesce(u.count, 0), u.oldest
    FROM leaves l FULL JOIN checkpoints c USING (tenant_id) FULL JOIN unsealed u USING (tenant_id) ORDER BY tenant_id
"""
_TILE_COUNTS = "SELECT tenant_id, level, count(*) FROM accounts_audittile GROUP BY tenant_id, level"


def list_logs(connection: Connection, *, patience: float) -> list[TenantLog]:
    """Every tenant's log. `patience`: seconds that an entry may be without a leaf."""
    return [TenantLog._make(row) for row in connection.execute(_TENANTS, [patience])]


def verify_tenants(
    connection: Connection, logs: Sequence[TenantLog], run: RunUnits, names: Mapping[UUID, str]
) -> Iterator[Verdict]:
    """A verdict on each log."""
    tiles: dict[UUID, dict[int, int]] = {}
    for tenant, level, count in connection.execute(_TILE_COUNTS):
        tiles.setdefault(tenant, {})[level] = count
    by_tenant = {log.tenant: log for log in logs}
    tasks = [task for log in logs for task in _tasks(log)]
    for tenant, reports in groupby(run(tasks), key=lambda report: report.task.tenant):
        log, found = by_tenant.pop(tenant), list(reports)
        upper = list(_judge_upper(connection, tenant, found))
        yield _judge_tenant(log, found, tiles.get(tenant, {}), names.get(tenant, str(tenant)), upper)
    for log in by_tenant.values():  # without a leaf or a checkpoint
        yield _judge_tenant(log, [], {}, names.get(log.tenant, str(log.tenant)), [])


def _tasks(log: TenantLog) -> Iterator[Task]:
    size = max(log.leaves, log.covered)
    for start in range(0, size, UNIT):
        yield Task(log.tenant, start, min(start + UNIT, size))


def _judge_tenant(
    log: TenantLog, reports: Sequence[UnitReport], tiles: Mapping[int, int], name: str, upper: Sequence[Fault]
) -> Verdict:
    faults = [fault for report in reports for fault in report.faults]
    count = sum(report.fault_count for report in reports)
    own = [*_judge_claims(reports), *_judge_extent(log, tiles), *upper]
    checkpoints = sum(len(report.claims) for report in reports)
    return Verdict(name, log.leaves, checkpoints, sorted([*faults, *own]), count + len(own))


def _judge_claims(reports: Sequence[UnitReport]) -> Iterator[Fault]:
    """The first checkpoint whose root is not that of the leaves; all later ones are wrong with it."""
    units: list[bytes] = []
    good = 0
    for report in reports:
        peaks = peaks_of(units)
        for claim in report.claims:
            if join_peaks(peaks, claim.local) != claim.root:
                if any(good <= fault.entry < claim.size for each in reports for fault in each.faults):
                    return  # told already, and closer
                among = (
                    f"one of the entries {good} to {claim.size - 1} was moved, exchanged, removed or invented"
                )
                yield Fault(
                    good, f"the checkpoint of {claim.size} entries has another root than they: {among}"
                )
                return
            good = claim.size
        if report.root is None:
            return
        units.append(report.root)


def _judge_upper(connection: Connection, tenant: UUID, reports: Sequence[UnitReport]) -> Iterator[Fault]:
    """The stored tiles over whole units."""
    units = [report.root for report in reports if report.root is not None]
    if len(units) < TILE:
        return
    rows = connection.execute(
        "SELECT level, index, hash FROM accounts_audittile WHERE tenant_id = %s AND level > 2",
        [tenant],
        binary=True,
    )
    stored = {(level, index): digest for level, index, digest in rows}
    for (level, index), digest in _upper_tiles(units).items():
        if stored.get((level, index)) != digest:
            yield Fault(
                index * TILE**level, f"the stored tile {level}/{index} is not the root of its entries"
            )


def _upper_tiles(units: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
    found: dict[tuple[int, int], bytes] = {}
    level, row = 3, list(units)
    while len(row) >= TILE:
        whole = range(0, len(row) // TILE * TILE, TILE)
        row = [root_of(row[start : start + TILE]) for start in whole]
        found |= {(level, index): digest for index, digest in enumerate(row)}
        level += 1
    return found


def _judge_extent(log: TenantLog, tiles: Mapping[int, int]) -> Iterator[Fault]:
    if log.leaves > log.covered:
        sentence = (
            f"the entries {log.covered} to {log.leaves - 1} are in no checkpoint: the newest is missing"
        )
        yield Fault(log.covered, sentence)
    for level, count in tiles.items():
        if count > log.leaves // TILE**level:
            yield Fault(log.leaves, f"there are {count} stored tiles of level {level}, more than the log has")
    if log.unsealed:
        seconds = f"{log.unsealed} entries since {log.oldest_unsealed:%Y-%m-%d %H:%M:%S} UTC have no place in the log"
        yield Fault(log.leaves, f"{seconds}: the sealer is behind, or their leaves were removed")


class _AnchorRow(NamedTuple):
    size: int
    epoch: int
    note: str


_ANCHORS = "SELECT size, epoch, note FROM accounts_auditanchor ORDER BY size"
_ORPHANS = """
    SELECT count(*), min(g.index) FROM accounts_auditgloballeaf g
    WHERE NOT EXISTS (SELECT FROM accounts_auditcheckpoint c WHERE c.global_index = g.index)
"""
_LOSSES = """
    SELECT number, reason, size, coalesce(anchored_size, 0) FROM accounts_auditepoch
    WHERE reason IN ('tail missing', 'tail differs') ORDER BY number
"""


def verify_checkpoints(
    connection: Connection, keys: Sequence[Key], anchored: Anchored | None, known_losses: Collection[int] = ()
) -> Verdict:
    """The log of all checkpoints: its leaves, tiles and anchors, and the anchor store's newest note."""
    size = _scalar(connection, "SELECT coalesce(max(index) + 1, 0) FROM accounts_auditgloballeaf")
    anchors = [_AnchorRow._make(row) for row in connection.execute(_ANCHORS)]
    faults = list(_judge_orphans(connection))
    heads = _read_anchors(anchors, keys, faults)
    stored = _read_stored(anchored, keys, anchors, size, faults)
    roots = _roots(connection, size, {head.size for _place, head in [*heads, *stored]}, faults)
    for place, head in [*heads, *stored]:
        if head.size > size:
            missing = f"{head.size - size} of the {head.size} checkpoints that it covers are missing here"
            faults.append(Fault(size, f"{place} knows more: {missing}"))
        elif roots.get(head.size, head.root) != head.root:
            faults.append(Fault(0, f"{place} has another root: checkpoints were changed since it was made"))
    faults += _judge_losses(connection, known_losses)
    return Verdict(CHECKPOINTS, size, len(anchors), sorted(faults), len(faults))


def _judge_orphans(connection: Connection) -> Iterator[Fault]:
    row = connection.execute(_ORPHANS).fetchone()
    if row and row[0]:
        sentence = (
            f"{row[0]} checkpoints in it, from number {row[1]} on, are in no tenant's log: they were removed"
        )
        yield Fault(row[1], sentence)


def _judge_losses(connection: Connection, known: Collection[int]) -> Iterator[Fault]:
    for number, reason, size, anchored in connection.execute(_LOSSES):
        if number not in known:
            said = f"epoch {number} began with {size} checkpoints where {anchored} were anchored ({reason})"
            yield Fault(size, f"{said}; what the database lost is told by the anchor store alone")


def _read_anchors(
    anchors: Sequence[_AnchorRow], keys: Sequence[Key], faults: list[Fault]
) -> list[tuple[str, Head]]:
    found = []
    for row in anchors:
        place = f"the anchor of {row.size} checkpoints"
        try:
            head = read_head(row.note, keys)
            if (head.origin, head.size, head.epoch) != (GLOBAL_ORIGIN, row.size, row.epoch):
                raise NoteFault("does not say what its row says")  # noqa: TRY301
            found.append((place, head))
        except NoteFault as fault:
            faults.append(Fault(0, f"{place} {fault}"))
    return found


def _read_stored(
    anchored: Anchored | None,
    keys: Sequence[Key],
    anchors: Sequence[_AnchorRow],
    size: int,
    faults: list[Fault],
) -> list[tuple[str, Head]]:
    if anchored is None:
        return []
    place = f"the anchor store's newest note, {anchored.location},"
    try:
        head = read_head(anchored.note, keys)
        if head.origin != GLOBAL_ORIGIN:
            raise NoteFault(f"is of another log, {head.origin}")  # noqa: TRY301
    except NoteFault as fault:
        faults.append(Fault(0, f"{place} {fault}"))
        return []
    same = next((row.note for row in anchors if row.size == head.size), None)
    if same not in {anchored.note, None if head.size > size else anchored.note}:
        faults.append(Fault(0, f"{place} is not the note that was anchored at {head.size} checkpoints"))
    return [(place, head)]


def _roots(
    connection: Connection, size: int, wanted: Collection[int], faults: list[Fault]
) -> dict[int, bytes]:
    """The roots of the log of checkpoints at the sizes that are wanted; its tiles are compared on the way."""
    found: dict[int, bytes] = {}
    units: list[bytes] = []
    tiles = {
        (level, index): digest
        for level, index, digest in connection.execute(
            "SELECT level, index, hash FROM accounts_auditglobaltile", binary=True
        )
    }
    for start in range(0, size, UNIT):
        rows = connection.execute(
            "SELECT index, leaf_hash FROM accounts_auditgloballeaf WHERE index >= %s AND index < %s ORDER BY index",
            [start, start + UNIT],
            binary=True,
        ).fetchall()
        gap = next((start + n for n, (index, _) in enumerate(rows) if index != start + n), None)
        if gap is not None or start + len(rows) < min(size, start + UNIT):
            gap = start + len(rows) if gap is None else gap
            faults.append(Fault(gap, f"the checkpoint of number {gap} is missing in it"))
            return found
        unit, peaks = Unit([digest for _, digest in rows]), peaks_of(units)
        found |= {
            at: join_peaks(peaks, unit.root(at - start)) for at in wanted if start < at <= start + len(rows)
        }
        faults += _judge_tiles(start, unit, tiles)
        units.append(unit.root(len(rows)))
    for place, digest in _upper_tiles(units).items():
        if tiles.pop(place, None) != digest:
            faults.append(Fault(0, f"its stored tile {place[0]}/{place[1]} is not the root of its leaves"))
    faults += [Fault(0, f"it has a stored tile {level}/{index} that it can't have") for level, index in tiles]
    return found


def _judge_tiles(start: int, unit: Unit, tiles: dict[tuple[int, int], bytes]) -> Iterator[Fault]:
    """Takes the unit's tiles out of `tiles`."""
    first = start // TILE
    expected = {(1, first + number): digest for number, digest in enumerate(unit.tiles)}
    if len(unit.tiles) == TILE:
        expected[2, first // TILE] = root_of(unit.tiles)
    for (level, index), digest in expected.items():
        if tiles.pop((level, index), None) != digest:
            yield Fault(index * TILE**level, f"its stored tile {level}/{index} is not the root of its leaves")


def _scalar(connection: Connection, statement: str) -> int:
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0


__all__ = ["Anchored", "TenantLog", "Verdict", "list_logs", "verify_checkpoints", "verify_tenants"]
