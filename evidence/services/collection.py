"""Runs and their units: started, claimed with a lease, collected, sealed, finished once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, NotFound
from accounts.tenancy.scope import current_tenant_id, open_tenant
from accounts.webhooks.emitting import emit
from accounts.webhooks.events import EventType
from evidence import vault
from evidence.aws.errors import AwsCallFailed, WrongAccount
from evidence.aws.reader import Collected
from evidence.aws.reader import collect_unit as read_aws
from evidence.aws.session import AwsSession, Limits, open_session
from evidence.collectors.base import Scope, collectors
from evidence.models import (
    AwsConnection,
    CollectionRun,
    CollectionUnit,
    ConnectionState,
    RunState,
    RunVerdict,
    UnitState,
)
from evidence.queue import COLLECT_UNIT, ring_after_commit
from evidence.services.entry import aws_access
from evidence.services.snapshots import keep_snapshot
from evidence.types import GLOBAL, Gap, GapReason

log = structlog.get_logger()

MEDIA_TYPE = "application/json"
MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class UnitDone:
    """What became of a unit: whether this call finished it, and whether that finished its run."""

    unit: CollectionUnit | None
    run_finished: bool = False


def start_run(*, connection_id: UUID, trigger: str, rings: bool = True) -> CollectionRun:
    """Starts a run of every collector in every region of the connection and rings the workers (unless told not to).

    `trigger`: "first", "person", "client", "schedule" or "command". Raises NotFound, and Conflict where the connection
    is not verified or is being collected.
    """
    aws: AwsConnection | None = AwsConnection.objects.filter(pk=connection_id, removed_at=None).first()
    if aws is None:
        raise NotFound("There is no such connection.")
    if aws.state != ConnectionState.VERIFIED:
        raise Conflict("Verify the connection before collecting from it.")
    places = _places(aws)
    try:
        with transaction.atomic():
            run = CollectionRun.objects.create(
                connection=aws, trigger=trigger, started_at=timezone.now(), units_total=len(places)
            )
    except IntegrityError as error:
        raise Conflict("This connection is being collected already.") from error
    units = CollectionUnit.objects.bulk_create(
        CollectionUnit(run=run, collector=name, region=region) for name, region in places
    )
    AwsConnection.objects.filter(pk=aws.pk).update(
        next_run_at=timezone.now() + timedelta(hours=settings.COLLECT_EVERY_HOURS)
    )
    record(Act.COLLECTION_START, object_type="run", object_id=run.pk, connection=str(aws.pk), trigger=trigger)
    if rings:
        ring_after_commit(COLLECT_UNIT, current_tenant_id(), [unit.pk for unit in units])
    return run


def _places(aws: AwsConnection) -> list[tuple[str, str]]:
    return [
        (name, region)
        for name, collector in collectors().items()
        for region in ([GLOBAL] if collector.scope is Scope.GLOBAL else aws.regions)
    ]


def start_due_run(*, connection_id: UUID) -> CollectionRun | None:
    """Starts the run that is due by schedule; None where it isn't (any more)."""
    aws = (
        AwsConnection.objects.select_for_update()
        .filter(pk=connection_id, next_run_at__lte=timezone.now())
        .first()
    )
    if aws is None or aws.state != ConnectionState.VERIFIED:
        return None
    try:
        return start_run(connection_id=aws.pk, trigger="schedule")
    except Conflict:
        AwsConnection.objects.filter(pk=aws.pk).update(
            next_run_at=timezone.now() + timedelta(hours=settings.COLLECT_EVERY_HOURS)
        )
        return None


def list_unfinished_units(*, run_id: UUID) -> list[UUID]:
    """The units of a run that still wait, in the order they were planned."""
    return list(
        CollectionUnit.objects.filter(run=run_id).exclude(state=UnitState.DONE).values_list("pk", flat=True)
    )


def collect_unit(*, tenant_id: UUID, unit_id: UUID) -> UnitDone:
    """Claims a unit, reads AWS outside of any transaction, seals the answer and writes it down once.

    Another copy of the same message, or a worker whose lease ran out, changes nothing.
    """
    claimed = _claim(tenant_id, unit_id)
    if claimed is None:
        return UnitDone(None)
    unit, aws = claimed
    if unit.attempt > MOST_ATTEMPTS:
        return _finish(tenant_id, unit, None, [_gave_up(unit)], None)
    with _lease_kept(tenant_id, unit):
        collected, gaps = _read(unit, aws)
        # The database may have restarted while AWS was read: the next query looks first.
        connection.close_if_unusable_or_obsolete()
        sealed = _seal(tenant_id, collected) if collected else None
    return _finish(tenant_id, unit, collected, gaps, sealed)


def _claim(tenant_id: UUID, unit_id: UUID) -> tuple[CollectionUnit, AwsConnection] | None:
    free = Q(state=UnitState.PENDING) | Q(state=UnitState.CLAIMED, lease_until__lt=Now())
    with open_tenant(tenant_id):
        taken = CollectionUnit.objects.filter(free, pk=unit_id).update(
            state=UnitState.CLAIMED, lease_until=_lease_end(), fence=F("fence") + 1, attempt=F("attempt") + 1
        )
        if not taken:
            return None
        unit = CollectionUnit.objects.select_related("run__connection").get(pk=unit_id)
        return unit, unit.run.connection


def _lease_end() -> Any:
    # The database's clock, since the claimants' clocks may differ.
    return Now() + timedelta(seconds=settings.COLLECT_LEASE_SECONDS)


@contextmanager
def _lease_kept(tenant_id: UUID, unit: CollectionUnit) -> Iterator[None]:
    """Renews the lease while the unit is worked on; when the process dies, the lease runs out."""
    done = threading.Event()
    keeper = threading.Thread(target=_keep_lease, args=(tenant_id, unit, done), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def _keep_lease(tenant_id: UUID, unit: CollectionUnit, done: threading.Event) -> None:
    try:
        while not done.wait(settings.COLLECT_LEASE_SECONDS / 3):
            _renew_lease(tenant_id, unit)
    finally:
        connection.close()


def _renew_lease(tenant_id: UUID, unit: CollectionUnit) -> None:
    try:
        with open_tenant(tenant_id):
            CollectionUnit.objects.filter(pk=unit.pk, fence=unit.fence).update(lease_until=_lease_end())
    except (InterfaceError, OperationalError) as error:
        # A database that restarts may be back before the lease is over.
        connection.close()
        log.warning("lease_not_renewed", unit=str(unit.pk), error=str(error))


def _read(unit: CollectionUnit, aws: AwsConnection) -> tuple[Collected | None, list[Gap]]:
    collector = collectors().get(unit.collector)
    if collector is None:
        return None, [_not_read(unit, GapReason.UNSUPPORTED, "The collector is gone.")]
    if aws.state == ConnectionState.REMOVED:
        return None, [
            _not_read(unit, GapReason.NOT_COLLECTED, "The connection was removed before this was read.")
        ]
    try:
        session = _enter(aws)
        collected = read_aws(
            session, collector, unit.region, pool=call_pool(), deadline_seconds=settings.COLLECT_UNIT_SECONDS
        )
    except AwsCallFailed as error:
        return None, [error.gap]
    except WrongAccount as error:
        return None, [Gap("sts", "GetCallerIdentity", unit.region, GapReason.FAILED, message=str(error))]
    return collected, list(collected.gaps)


def _enter(aws: AwsConnection) -> AwsSession:
    session = open_session(aws_access(aws), Limits(concurrency=settings.COLLECT_CONCURRENCY))
    # Our own credentials, where they are what enters, may belong to another account than at the last run.
    if (found := session.account_id()) != aws.aws_account_id:
        raise WrongAccount(aws.aws_account_id, found)
    return session


def _not_read(unit: CollectionUnit, reason: GapReason, message: str) -> Gap:
    return Gap(unit.collector, "*", unit.region, reason, message=message)


@cache
def call_pool() -> ThreadPoolExecutor:
    """The threads that make calls side by side, shared by all units of this process."""
    return ThreadPoolExecutor(max_workers=settings.COLLECT_CONCURRENCY, thread_name_prefix="aws")


def _seal(tenant_id: UUID, collected: Collected) -> vault.Sealed | vault.Kept:
    content = json.dumps(
        collected.payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()
    with open_tenant(tenant_id):
        known = vault.find_blob(content)
    # An unchanged answer is known already: nothing new is stored.
    return vault.Kept(known) if known else vault.seal(content, tenant_id=tenant_id, media_type=MEDIA_TYPE)


def _gave_up(unit: CollectionUnit) -> Gap:
    message = (
        f"Given up after {MOST_ATTEMPTS} attempts: each time the worker died or couldn't keep what it read."
    )
    return _not_read(unit, GapReason.FAILED, message)


def _finish(
    tenant_id: UUID, unit: CollectionUnit, collected: Collected | None, gaps: list[Gap],
    sealed: vault.Sealed | vault.Kept | None,
) -> UnitDone:  # fmt: skip
    with open_tenant(tenant_id):
        # The run's row first: two last units must not both think that another one is still open.
        run = CollectionRun.objects.select_for_update().get(pk=unit.run_id)
        held = CollectionUnit.objects.select_for_update().filter(
            pk=unit.pk, fence=unit.fence, state=UnitState.CLAIMED
        )
        if not held.exists():
            log.info("lease_lost", unit=str(unit.pk), fence=unit.fence)
            return UnitDone(None)
        if collected and sealed:
            unit.snapshot = keep_snapshot(unit=unit, collected=collected, blob=sealed.keep())
            unit.api_calls, unit.seconds_in_aws = dict(collected.calls), collected.seconds_in_aws
            unit.collected_at = collected.finished_at
        unit.gaps = [gap_as_json(gap) for gap in gaps]
        unit.state, unit.lease_until = UnitState.DONE, None
        unit.save()
        return UnitDone(unit, run_finished=_finish_run(run, timezone.now()))


def _finish_run(run: CollectionRun, at: datetime) -> bool:
    if run.state == RunState.FINISHED or run.units.exclude(state=UnitState.DONE).exists():
        return False
    run.state, run.finished_at, run.verdict = RunState.FINISHED, at, _verdict(run)
    run.save(update_fields=["state", "finished_at", "verdict"])
    record(
        Act.COLLECTION_FINISH,
        object_type="run",
        object_id=run.pk,
        verdict=str(run.verdict),
        units=run.units_total,
    )
    emit(
        EventType.RUN_FINISHED, run.pk, page=("connection-detail", run.connection_id), at=at,
        connection=run.connection_id, verdict=str(run.verdict), units=run.units_total,
    )  # fmt: skip
    return True


def _verdict(run: CollectionRun) -> RunVerdict:
    if not run.units.exclude(snapshot=None).exists():
        return RunVerdict.FAILED
    return RunVerdict.PARTIAL if run.units.exclude(gaps=[]).exists() else RunVerdict.COMPLETE


def gap_as_json(gap: Gap) -> dict[str, str]:
    """A gap with AWS's own words, as a unit keeps it."""
    return {name: str(value) for name, value in asdict(gap).items()}
