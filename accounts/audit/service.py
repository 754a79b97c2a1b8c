"""The sealer's process: seals each second, anchors each minute, outlives restarts of PostgreSQL, raises alarms.

One seals at a time: it holds a session's advisory lock, and others wait for it. What the anchor takes long for happens
on a thread of its own, so that sealing goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
import structlog

from accounts.audit import rows
from accounts.audit.anchor import AnchorConflictError, AnchorStore, AnchorUnavailableError
from accounts.audit.anchoring import anchor_waiting, waiting_heads
from accounts.audit.epochs import AnchoredHead, look_at_anchor, open_epoch
from accounts.audit.keys import Signer
from accounts.audit.rows import Connection
from accounts.audit.sealer import Sealer

_SEALER_LOCK = 0x53757265_01
LAG_ALARM_SECONDS = 10
ANCHOR_ALARM_SECONDS = 300
ANCHOR_RETRY_SECONDS = 15
LOOK_SECONDS = 5
WATCH_SECONDS = 5
ALARM_AGAIN_SECONDS = 60
STANDBY_SECONDS = 1
STOP_LOOK_SECONDS = 0.1
RECONNECT_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5)
logger = structlog.get_logger(__name__)

Job = Future[AnchoredHead | None] | Future[int]


class AnotherSealerError(RuntimeError):
    """Another sealer holds the lock."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the sealer seals and anchors, in seconds."""

    seal: float = 1
    anchor: float = 60


class _Stop:
    """A flag that a signal's handler may set while it is waited for.

    threading.Event would make the handler wait for a lock that the interrupted code holds. Python sees a signal that
    comes just before a wait only when the wait is over, so that long ones are made of short ones.
    """

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        self._set = True

    def is_set(self) -> bool:
        return self._set

    def wait(self, seconds: float) -> bool:
        """Whether it was set within so many seconds."""
        until = time.monotonic() + seconds
        while not self._set and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, STOP_LOOK_SECONDS))
        return self._set


class SealerService:
    """Runs the sealer until `stop`. `connect` opens a connection as portal_sealer, in autocommit."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        signers: Sequence[Signer],
        store: AnchorStore,
        pace: Pace | None = None,
    ) -> None:
        self._connect, self._signers, self._store = connect, signers, store
        self._pace = pace or Pace()
        self._stop = _Stop()

    def stop(self) -> None:
        """Ends `run` after what it is doing. May be called from a signal's handler."""
        self._stop.set()

    def run(self) -> None:
        """Seals until `stop`. Raises WrongKeyError; a new process then reads the keys again."""
        failures = 0
        with ThreadPoolExecutor(1, "anchor") as pool:
            while not self._stop.is_set():
                try:
                    with closing(self._connect()) as connection:
                        self._wait_for_turn(connection)
                        failures = 0
                        self._serve(connection, pool)
                except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                    logger.warning("audit_sealer_without_database", error=str(error).strip())
                    self._stop.wait(RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)])
                    failures += 1

    def run_once(self) -> int:
        """Seals and anchors what there is now; how many entries.

        Raises AnotherSealerError, AnchorUnavailableError (what was sealed stays so), WrongKeyError, psycopg.Error.
        """
        with closing(self._connect()) as connection:
            if not _try_lock(connection):
                raise AnotherSealerError("Another sealer is at work.")
            head = look_at_anchor(self._store, beyond=rows.load_global_tree(connection).size)
            sealer = Sealer(connection, open_epoch(connection, head), self._signers)
            entries, more = 0, True
            while more:
                done = sealer.seal()
                entries, more = entries + done.entries, done.full
            sealer.sign_head()
            anchor_waiting(connection, self._store, sealer.position.epoch)
            return entries

    def _wait_for_turn(self, connection: Connection) -> None:
        while not _try_lock(connection):
            if self._stop.wait(STANDBY_SECONDS):
                return

    def _serve(self, connection: Connection, pool: ThreadPoolExecutor) -> None:
        size = rows.load_global_tree(connection).size
        anchoring = Anchoring(self._connect, self._store, pool, self._pace.anchor)
        head = anchoring.look(beyond=size)
        sealer = Sealer(connection, open_epoch(connection, head), self._signers)
        watch, due = Watch(), time.monotonic()
        logger.info("audit_sealer_started", epoch=sealer.position.epoch)
        while not self._stop.is_set():
            done = sealer.seal()
            anchoring.tick(connection, sealer)
            watch.tick(connection, sealer)
            if not done.full:
                due = max(due + self._pace.seal, time.monotonic())
                self._stop.wait(due - time.monotonic())


class Anchoring:
    """Takes heads to the anchor, one job at a time on the pool's thread, once the database is compared with it."""

    def __init__(
        self, connect: Callable[[], Connection], store: AnchorStore, pool: ThreadPoolExecutor, seconds: float
    ) -> None:
        self._connect, self._store, self._pool, self._seconds = connect, store, pool, seconds
        self._due = time.monotonic()
        self._job: Job | None = None
        self._compared = False
        self._alarms = Alarms()

    def look(self, *, beyond: int) -> AnchoredHead | None:
        """The newest anchor; None too where it doesn't answer soon: `tick` then compares with it when it does."""
        job = self._pool.submit(look_at_anchor, self._store, beyond=beyond)
        wait([job], LOOK_SECONDS)
        if not job.done():
            self._job = job
            return None
        try:
            return self._head(job)
        except AnchorUnavailableError as error:
            self._retry(error)
            return None

    def tick(self, connection: Connection, sealer: Sealer) -> None:
        """Does what is due, and waits for nothing."""
        if self._job is not None and self._job.done():
            job, self._job = self._job, None
            (self._pushed if self._compared else self._looked)(job, connection, sealer)
        if self._job is None and time.monotonic() >= self._due:
            self._start(connection, sealer)

    def _start(self, connection: Connection, sealer: Sealer) -> None:
        self._due = time.monotonic() + self._seconds
        sealer.sign_head()
        if not self._compared:
            size = rows.load_global_tree(connection).size
            self._job = self._pool.submit(look_at_anchor, self._store, beyond=size)
        elif waiting_heads(connection):
            self._job = self._pool.submit(self._push, sealer.position.epoch)

    def _push(self, epoch: int) -> int:
        with closing(self._connect()) as connection:
            return anchor_waiting(connection, self._store, epoch)

    def _head(self, job: Job) -> AnchoredHead | None:
        head = job.result()
        self._compared = True
        self._due = time.monotonic()
        return head if isinstance(head, AnchoredHead) else None

    def _looked(self, job: Job, connection: Connection, sealer: Sealer) -> None:
        try:
            sealer.position = open_epoch(connection, self._head(job))
        except AnchorUnavailableError as error:
            self._retry(error)

    def _pushed(self, job: Job, connection: Connection, sealer: Sealer) -> None:
        try:
            job.result()
        except AnchorConflictError as error:
            logger.error("audit_anchor_conflict", alarm=True, error=str(error))  # noqa: TRY400 (the frames say nothing)
            sealer.position = open_epoch(connection, None, conflict=True)
        except AnchorUnavailableError as error:
            self._retry(error)
            waiting = waiting_heads(connection)
            age = (datetime.now(UTC) - waiting[0].created_at).total_seconds() if waiting else 0
            if age > ANCHOR_ALARM_SECONDS:
                self._alarms.say("audit_anchor_down", seconds=round(age), waiting=len(waiting))

    def _retry(self, error: AnchorUnavailableError) -> None:
        logger.warning("audit_anchor_unavailable", error=str(error))
        self._due = time.monotonic() + min(ANCHOR_RETRY_SECONDS, self._seconds)


class Watch:
    """Every few seconds: says that the sealer lives, and how old the oldest entry is that waits for it."""

    def __init__(self) -> None:
        self._due = time.monotonic()
        self._alarms = Alarms()

    def tick(self, connection: Connection, sealer: Sealer) -> None:
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + WATCH_SECONDS
        now = datetime.now(UTC)
        rows.save_seen(connection, now)
        oldest = rows.oldest_unsettled(connection, sealer.position)
        lag = (now - oldest).total_seconds() if oldest else 0
        if lag > LAG_ALARM_SECONDS:
            self._alarms.say("audit_seal_lag", seconds=round(lag))


class Alarms:
    """Says each alarm at most once a minute. Alarms are log lines of level error with `"alarm": true`."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def say(self, event: str, **details: object) -> None:
        if time.monotonic() >= self._said.get(event, 0):
            self._said[event] = time.monotonic() + ALARM_AGAIN_SECONDS
            logger.error(event, alarm=True, **details)


def _try_lock(connection: Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_SEALER_LOCK]).fetchone()
    return bool(row and row[0])
