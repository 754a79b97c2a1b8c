"""Verifies units in several processes, all of which see the database as it was at one moment."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

import psycopg
from psycopg import sql

from accounts.audit.verification.notes import read_key
from accounts.audit.verification.units import Connection, Judge, Task, UnitReport, verify_unit
from accounts.audit.verification.whole import RunUnits

_here: tuple[Connection, Judge] | None = None


@contextmanager
def open_snapshot(address: str) -> Iterator[tuple[Connection, str]]:
    """A connection that sees one moment and changes nothing, and the name by which others see the same moment."""
    with psycopg.connect(address) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        row = connection.execute(
            "SELECT pg_export_snapshot(), set_config('TimeZone', 'UTC', true)"
        ).fetchone()
        assert row is not None  # noqa: S101 (a function that returns one row)
        yield connection, str(row[0])


@contextmanager
def unit_runner(
    address: str, snapshot: str, *, processes: int, mac_keys: Mapping[str, bytes], vkeys: Sequence[str]
) -> Iterator[RunUnits]:
    """Something that verifies units in `processes` processes, which end with the context."""
    # Spawned, since a forked process would share its parent's connections.
    with ProcessPoolExecutor(
        processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_open,
        initargs=(address, snapshot, dict(mac_keys), list(vkeys)),
    ) as pool:

        def run(tasks: Iterable[Task]) -> Iterable[UnitReport]:
            return pool.map(_verify, tasks)

        yield run


def _open(address: str, snapshot: str, mac_keys: dict[str, bytes], vkeys: list[str]) -> None:
    global _here  # noqa: PLW0603 (a worker process has one)
    connection = psycopg.connect(address)
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
    _here = connection, Judge(mac_keys, [read_key(vkey) for vkey in vkeys])


def _verify(task: Task) -> UnitReport:
    assert _here is not None  # noqa: S101 (the initializer has run)
    return verify_unit(_here[0], task, _here[1])
