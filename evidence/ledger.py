"""What was looked at, and what was not: the read side of evidence. Silence is never a pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Count, Func, IntegerField, Min, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.errors import NotFound
from evidence.collectors.base import collectors
from evidence.keyset import Page, page_by_time
from evidence.models import AwsConnection, CollectionRun, CollectionUnit, RunState, Snapshot, UnitState
from evidence.types import GapReason

RUNS_SHOWN = 30


class _GapCount(Func):
    function = "jsonb_array_length"
    output_field = IntegerField()


@dataclass(frozen=True, slots=True)
class ConnectionHealth:
    """A connection with its newest finished run, its gaps (calls without answer), and the run in progress."""

    connection: AwsConnection
    last: CollectionRun | None
    running: CollectionRun | None
    gaps: int


@dataclass(frozen=True, slots=True)
class SeenGap:
    """A call without an answer, as one unit recorded it. `action` is the IAM action that would permit it."""

    collector: str
    region: str
    operation: str
    key: str
    reason: str
    code: str
    message: str
    action: str

    @property
    def reason_label(self) -> str:
        """The reason in words."""
        return GapReason(self.reason).label


@dataclass(frozen=True)
class Coverage:
    """The units of one run by collector and region."""

    run: CollectionRun | None
    units: tuple[CollectionUnit, ...] = field(default=())

    @cached_property
    def regions(self) -> list[str]:
        """The columns: global first."""
        return sorted({unit.region for unit in self.units}, key=lambda region: (region != "global", region))

    @cached_property
    def rows(self) -> list[tuple[str, list[CollectionUnit | None]]]:
        """A row per collector: its unit in each region, None where it isn't collected there."""
        found = {(unit.collector, unit.region): unit for unit in self.units}
        names = sorted({unit.collector for unit in self.units})
        return [(name, [found.get((name, region)) for region in self.regions]) for name in names]

    @cached_property
    def gaps(self) -> list[SeenGap]:
        """Every gap, by collector and region."""
        return [gap for unit in self.units for gap in gaps_of(unit)]

    @cached_property
    def gap_groups(self) -> list[GapGroup]:
        """The gaps, the same call once."""
        return group_gaps(self.gaps)

    @cached_property
    def missing_actions(self) -> list[tuple[str, int]]:
        """The IAM actions that AWS denied, with how many calls each would answer, most first."""
        counts: dict[str, int] = {}
        for gap in self.gaps:
            if gap.reason == GapReason.DENIED and gap.action:
                counts[gap.action] = counts.get(gap.action, 0) + 1
        return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `seconds_left` is None until the pace can be told."""

    run: CollectionRun
    done: int
    total: int
    calls: int
    gaps: int
    seconds_left: int | None


def gaps_of(unit: CollectionUnit) -> list[SeenGap]:
    """A unit's gaps."""
    return [_seen_gap(unit, gap) for gap in unit.gaps]


def _seen_gap(unit: CollectionUnit, gap: Mapping[str, Any]) -> SeenGap:
    said = {name: gap.get(name, "") for name in ("operation", "key", "reason", "code", "message", "action")}
    return SeenGap(unit.collector, gap.get("region") or unit.region, **said)


@dataclass(frozen=True, slots=True)
class GapGroup:
    """The same call without an answer, for the same reason, about several keys. `first` speaks for all."""

    first: SeenGap
    keys: tuple[str, ...]
    count: int

    @property
    def missing_action(self) -> str:
        """The IAM action to grant; "" where the call wasn't denied, or no action is known."""
        return self.first.action if self.first.reason == GapReason.DENIED else ""


def group_gaps(gaps: Iterable[SeenGap]) -> list[GapGroup]:
    """Gaps by collector, region, operation and reason, in the order they come."""
    groups: dict[tuple[str, ...], list[SeenGap]] = {}
    for gap in gaps:
        groups.setdefault((gap.collector, gap.region, gap.operation, gap.reason, gap.code), []).append(gap)
    return [
        GapGroup(same[0], tuple(gap.key for gap in same if gap.key), len(same)) for same in groups.values()
    ]


def connections() -> QuerySet[AwsConnection]:
    """The connections that were not removed, by name."""
    found: QuerySet[AwsConnection] = AwsConnection.objects.filter(removed_at=None).order_by("name", "id")
    return found


def find_connection(connection_id: UUID) -> AwsConnection:
    """The connection. Raises NotFound for one of another tenant, or none, or a removed one."""
    found: AwsConnection | None = connections().filter(pk=connection_id).first()
    if found is None:
        raise NotFound("There is no such connection.")
    return found


def connection_health() -> list[ConnectionHealth]:
    """Every connection with its newest runs, by name."""
    rows = list(connections().annotate(last_run=Subquery(_runs_of_outer(RunState.FINISHED)[:1])))
    finished = CollectionRun.objects.in_bulk([row.last_run for row in rows if row.last_run])
    running = {run.connection_id: run for run in CollectionRun.objects.filter(state=RunState.RUNNING)}
    gaps = _gaps_by_run(finished)
    return [
        ConnectionHealth(row, finished.get(row.last_run), running.get(row.pk), gaps.get(row.last_run, 0))
        for row in rows
    ]


def _runs_of_outer(state: RunState) -> QuerySet[Any, Any]:
    runs = CollectionRun.objects.filter(connection=OuterRef("pk"), state=state)
    return runs.order_by("-started_at").values("pk")


def _gaps_by_run(run_ids: Iterable[UUID]) -> dict[UUID, int]:
    units = CollectionUnit.objects.filter(run__in=list(run_ids)).values("run")
    return dict(units.annotate(gap_total=Sum(_GapCount("gaps"))).values_list("run", "gap_total"))


def runs_of(connection: AwsConnection) -> list[CollectionRun]:
    """The newest runs, each with `gap_total` and `seconds`, its duration once finished."""
    gaps = (
        CollectionUnit.objects.filter(run=OuterRef("pk"))
        .values("run")
        .annotate(n=Sum(_GapCount("gaps")))
        .values("n")
    )
    runs = CollectionRun.objects.filter(connection=connection).annotate(gap_total=Coalesce(Subquery(gaps), 0))
    return list(runs.order_by("-started_at")[:RUNS_SHOWN])


def running_run(connection: AwsConnection) -> CollectionRun | None:
    """The run in progress."""
    run: CollectionRun | None = CollectionRun.objects.filter(
        connection=connection, state=RunState.RUNNING
    ).first()
    return run


def latest_coverage(connection: AwsConnection) -> Coverage:
    """What the newest finished run saw and didn't see."""
    runs = CollectionRun.objects.filter(connection=connection, state=RunState.FINISHED)
    run = runs.order_by("-started_at").first()
    return Coverage(run, tuple(_units(run)) if run else ())


def _units(run: CollectionRun) -> QuerySet[CollectionUnit]:
    units: QuerySet[CollectionUnit] = run.units.select_related("snapshot").order_by("collector", "region")
    return units


def latest_units(
    names: Iterable[str], connection_id: UUID | None = None, *, with_blobs: bool = False
) -> list[CollectionUnit]:
    """The units of some collectors in the newest finished run of one connection, or of each."""
    rows = connections().annotate(last_run=Subquery(_runs_of_outer(RunState.FINISHED)[:1]))
    if connection_id is not None:
        rows = rows.filter(pk=connection_id)
    runs = [run for run in rows.values_list("last_run", flat=True) if run]
    units = CollectionUnit.objects.filter(run__in=runs, collector__in=list(names))
    beside = ("snapshot", "run__connection", *(("snapshot__blob",) if with_blobs else ()))
    return list(units.select_related(*beside).order_by("collector", "region"))


def sealed_units(names: Iterable[str]) -> list[CollectionUnit]:
    """As latest_units, those alone that sealed a snapshot, each with its blob."""
    return [unit for unit in latest_units(names, with_blobs=True) if unit.snapshot and unit.collected_at]


def collected_at_by_collector() -> dict[str, datetime]:
    """When what is known of each collector's was collected: the oldest of the newest finished runs' units."""
    rows = connections().annotate(last_run=Subquery(_runs_of_outer(RunState.FINISHED)[:1]))
    runs = [run for run in rows.values_list("last_run", flat=True) if run]
    units = CollectionUnit.objects.filter(run__in=runs, collected_at__isnull=False).values("collector")
    return dict(units.annotate(oldest=Min("collected_at")).values_list("collector", "oldest"))


def read_progress(connection: AwsConnection, run_id: UUID) -> Progress:
    """How far a run of the connection is. Raises NotFound."""
    run = CollectionRun.objects.filter(pk=run_id, connection=connection).first()
    if run is None:
        raise NotFound("There is no such run.")
    units = list(run.units.values_list("state", "api_calls", _GapCount("gaps")))
    done = sum(state == UnitState.DONE for state, _calls, _gaps in units)
    calls = sum(sum(made.values()) for _state, made, _gaps in units)
    total = max(run.units_total, len(units))
    return Progress(run, done, total, calls, sum(gaps for *_, gaps in units), _seconds_left(run, done, total))


def _seconds_left(run: CollectionRun, done: int, total: int) -> int | None:
    if run.state == RunState.FINISHED or not done:
        return None
    passed = (timezone.now() - run.started_at).total_seconds()
    return max(1, round(passed / done * (total - done)))


@dataclass(frozen=True, slots=True)
class Freshness:
    """When the evidence in force was collected: by the newest finished run of each connection."""

    oldest: datetime | None
    newest: datetime | None


def freshness(health: Iterable[ConnectionHealth]) -> Freshness:
    """How old the evidence is, over the connections given."""
    times = [row.last.finished_at for row in health if row.last and row.last.finished_at]
    return Freshness(min(times, default=None), max(times, default=None))


def list_snapshots(
    *, collector: str = "", region: str = "", connection_id: UUID | None = None, after: str = ""
) -> Page:
    """Snapshots, newest first, each with `last_seen_at` and its connection and blob."""
    seen = CollectionUnit.objects.filter(snapshot=OuterRef("pk"), collected_at__isnull=False).order_by(
        "-collected_at"
    )
    rows = Snapshot.objects.select_related("connection", "blob").annotate(
        last_seen_at=Subquery(seen.values("collected_at")[:1])
    )
    given = {"collector": collector, "region": region, "connection": connection_id}
    return page_by_time(
        rows.filter(**{name: value for name, value in given.items() if value}), "collected_at", after
    )


def find_snapshot(snapshot_id: UUID) -> Snapshot:
    """The snapshot with its connection, run and blob. Raises NotFound."""
    found: Snapshot | None = (
        Snapshot.objects.select_related("connection", "run", "blob").filter(pk=snapshot_id).first()
    )
    if found is None:
        raise NotFound("There is no such snapshot.")
    return found


@dataclass(frozen=True, slots=True)
class Sightings:
    """How often the same answer was given, and the newest units that saw it."""

    count: int
    newest: list[CollectionUnit]


def sightings_of(snapshot: Snapshot) -> Sightings:
    """When the snapshot's answer was seen."""
    units = snapshot.sightings.filter(collected_at__isnull=False)
    total = units.aggregate(n=Count("pk"))["n"]
    return Sightings(total, list(units.select_related("run").order_by("-collected_at")[:20]))


def collector_choices() -> list[tuple[str, str]]:
    """Every collector's name and title, by title."""
    return sorted(
        ((name, collector.title) for name, collector in collectors().items()), key=lambda item: item[1]
    )
