"""A sealer that is killed, and a PostgreSQL that is stopped at once, while writers append: and what must then hold.

Used by test_sealing_kills.py with a few kills and by bench/audit.py with two hundred. Writers are threads as
portal_app; each keeps an entry until the database has acknowledged it, however often it must be sent again.
"""

from __future__ import annotations

import multiprocessing
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from portal.embedded import Role, ensure_postgres, postgres, postgres_address
from tests.accounts.audit import rfc9162

WRITERS = 4
PATIENCE = 600
SECRET = "a signing key for the log that is killed"
PREPARED = ["tests.faults.sealing_process"]
"""Imported once, by the process from which each sealer is forked: a sealer then starts in milliseconds."""


class Roots:
    """RFC 9162's tree head after each leaf, without keeping the leaves."""

    def __init__(self) -> None:
        self._stack: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> bytes:
        self._stack.append((1, leaf))
        while len(self._stack) > 1 and self._stack[-1][0] == self._stack[-2][0]:
            (width, right), (_, left) = self._stack.pop(), self._stack.pop()
            self._stack.append((2 * width, rfc9162.node(left, right)))
        root = self._stack[-1][1]
        for _, left in reversed(self._stack[:-1]):
            root = rfc9162.node(left, root)
        return root


@dataclass
class Outcome:
    """What a run came to."""

    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    leaves: int = 0
    gaps: int = 0
    checkpoints: int = 0
    wrong: int = 0
    retries: int = 0
    outages: list[float] = field(default_factory=list)


class KilledLog:
    """A state directory's audit log with a sealer that can be killed. The state's PostgreSQL runs and is migrated.

    It must be durable: with asynchronous commits an immediate stop loses what was acknowledged.
    """

    def __init__(self, state: Path, tenants: list[UUID], *, secret: str = SECRET) -> None:
        self.state, self.tenants, self._secret = state, tenants, secret
        self._acknowledged: list[UUID] = []
        self._stop = threading.Event()
        self.outcome = Outcome()
        self._lock = threading.Lock()
        self._context: Any = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PREPARED)

    def run(self, *, kills: int, postgres_share: float, seed: int) -> Outcome:
        """Kills at random moments while writers append, lets the sealer finish, and checks everything."""
        chance = random.Random(seed)
        with self._writers(), self._sealer():
            for _ in range(kills):
                time.sleep(chance.uniform(0.02, 0.5))
                if chance.random() < postgres_share:
                    self._stop_postgres()
                else:
                    self._kill_sealer()
        self._finish()
        return self._check()

    @contextmanager
    def _sealer(self) -> Iterator[None]:
        self._running = self._start_sealer()
        try:
            yield
        finally:
            self._running.kill()
            self._running.join()

    def _start_sealer(self) -> Any:
        from tests.faults.sealing_process import seal

        dsn = postgres_address(self.state).dsn(Role.SEALER)
        process = self._context.Process(target=seal, args=(dsn, self._secret, str(self.state / "anchor")))
        process.start()
        return process

    def _kill_sealer(self) -> None:
        self._running.kill()
        self._running.join()
        code = self._running.exitcode
        assert code == -signal.SIGKILL, f"the sealer ended by itself: {code}"
        self.outcome.kills["sealer"] += 1
        self._running = self._start_sealer()

    def _stop_postgres(self) -> None:
        began = time.monotonic()
        postgres._pg_ctl(self.state, "stop", "-m", "immediate")
        ensure_postgres(self.state)
        self.outcome.outages.append(time.monotonic() - began)
        self.outcome.kills["postgres"] += 1

    @contextmanager
    def _writers(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._write, args=(seed,)) for seed in range(WRITERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _write(self, seed: int) -> None:
        from accounts.audit.events import Act
        from accounts.audit.log import compose

        chance, entry = random.Random(seed), None
        while not self._stop.is_set():
            try:
                with psycopg.connect(
                    postgres_address(self.state).dsn(Role.APP), autocommit=True
                ) as connection:
                    while not self._stop.is_set():
                        entry = entry or compose(
                            Act.EVIDENCE_READ, tenant_id=chance.choice(self.tenants), object_id=f"{seed}",
                            details={"n": chance.randrange(10**9)},
                        )  # fmt: skip
                        self._send(connection, entry)
                        entry = None
            except psycopg.OperationalError:
                with self._lock:
                    self.outcome.retries += 1
                time.sleep(0.02)

    def _send(self, connection: psycopg.Connection[Any], entry: Any) -> None:
        """The idempotency key is the entry's id: what was committed unheard is not written again."""
        from accounts.audit.rows import insert_entries

        with connection.transaction():
            connection.execute("select set_config('portal.tenant', %s, true)", [str(entry.tenant_id)])
            known = connection.execute("select 1 from accounts_auditentry where id = %s", [entry.pk])
            if known.fetchone() is None:
                insert_entries(connection, [entry])
        with self._lock:
            self._acknowledged.append(entry.pk)

    def _finish(self) -> None:
        deadline = time.monotonic() + PATIENCE
        with self._sealer():
            while self.query("select count(*) n from accounts_auditentry e where not exists"
                             " (select from accounts_auditleaf l where l.id = e.id)")[0]["n"]:  # fmt: skip
                assert time.monotonic() < deadline, "the sealer does not come to an end"
                time.sleep(0.05)

    def query(self, statement: Any, *arguments: Any) -> list[dict[str, Any]]:
        """As the superuser."""
        dsn = postgres_address(self.state).dsn(Role.SUPERUSER)
        with psycopg.connect(dsn, row_factory=dict_row) as database:
            return database.execute(statement, arguments).fetchall()

    def _check(self) -> Outcome:
        found = self.outcome
        rows = self.query(
            "select id from accounts_auditentry where act = 'evidence.read' and tenant_id = any(%s)",
            self.tenants,
        )
        stored = Counter(row["id"] for row in rows)
        acknowledged = Counter(self._acknowledged)
        found.acknowledged, found.stored = len(acknowledged), len(stored)
        found.lost = len(acknowledged - stored)
        # At the end each writer may have one that was committed unheard.
        found.doubled = max(0, len(stored - acknowledged) - WRITERS)
        keys = [bytes(row["public_key"]) for row in self.query("select public_key from accounts_auditkey")]
        log = [
            bytes(row["leaf_hash"])
            for row in self.query("select leaf_hash from accounts_auditgloballeaf order by index")
        ]
        for tenant in self.tenants:
            self._check_tenant(tenant, keys, log)
        return found

    def _check_tenant(self, tenant: UUID, keys: list[bytes], log: list[bytes]) -> None:
        from accounts.audit.notes import NoteError, open_note, read_checkpoint

        leaves = self.query(
            "select leaf_index, leaf_hash, body from accounts_auditleaf l join accounts_auditentry e using (tenant_id, id)"
            " where l.tenant_id = %s order by leaf_index", tenant,
        )  # fmt: skip
        roots, tree = [b""], Roots()
        for index, row in enumerate(leaves):
            digest = rfc9162.leaf(bytes(row["body"]))
            self.outcome.gaps += row["leaf_index"] != index
            self.outcome.wrong += digest != bytes(row["leaf_hash"])
            roots.append(tree.add(digest))
        self.outcome.leaves += len(leaves)
        for row in self.query("select * from accounts_auditcheckpoint where tenant_id = %s", tenant):
            self.outcome.checkpoints += 1
            try:
                text = open_note(row["note"], keys)
            except NoteError:
                self.outcome.wrong += 1
                continue
            right = read_checkpoint(text).root == roots[row["size"]]
            self.outcome.wrong += not right or log[row["global_index"]] != rfc9162.leaf(text.encode())
