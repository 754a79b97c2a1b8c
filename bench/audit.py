"""The audit log: what sealing costs the writers, how far it lags, how fast it catches up, and whether kills hurt it.

``appends``: eight processes append to one tenant's log for some seconds, each entry in its own transaction with the
tenant set. ``sealed`` is the portal's entry (canonical JSON, MAC, transaction id) with the sealer running; ``plain``
is the same row as plain JSON in a copy of the table without MAC, transaction id and their index. Rounds alternate.
``lag``: entries at a steady rate, five in a transaction; from each commit to the moment when another session sees the entry's leaf.
``catch up``: entries sealed a second by a sealer that finds them waiting. ``kills``: tests/faults/sealing.py.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import kit
import psycopg
from django.db import connections

WRITERS = 8
TOGETHER = 5
"""Entries in a transaction where lag is measured: one each would be more transactions than two cores commit."""
GOALS = {"appends": 0.75, "lag p99 (s)": 2.0, "catch up (rows/s)": 10_000}
DETAILS = {
    "collector": "s3",
    "region": "us-east-1",
    "sha256": "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54",
}
PLAIN = """
create table accounts_plainentry (like accounts_auditentry including all);
drop index if exists accounts_plainentry_transaction_id_id_idx;
alter table accounts_plainentry drop column transaction_id, drop column mac, drop column mac_key_id;
alter table accounts_plainentry add foreign key (tenant_id) references accounts_tenant deferrable initially deferred;
alter table accounts_plainentry enable row level security; alter table accounts_plainentry force row level security;
create policy serving_roles on accounts_plainentry for all to portal_app using (true) with check (true);
create policy tenant_isolation on accounts_plainentry as restrictive for all to portal_app
  using (tenant_id = (select nullif(current_setting('portal.tenant', true), '')::uuid))
  with check (tenant_id = (select nullif(current_setting('portal.tenant', true), '')::uuid));
grant select, insert on accounts_plainentry to portal_app;
"""


class Database:
    """Addresses of the benchmark's own PostgreSQL, for processes that are forked."""

    def __init__(self, state: Path) -> None:
        from portal.embedded import Role, postgres_address

        address = postgres_address(state)
        self.superuser = address.dsn(Role.SUPERUSER)

    def ask(self, statement: Any, *arguments: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            found = connection.execute(statement, arguments)
            return found.fetchall() if found.description else []


def actor() -> Any:
    from accounts.audit.events import ActorKind
    from accounts.audit.log import Actor

    return Actor(
        ActorKind.PERSON, "01a20260-e998-7796-9ecb-561265aed0cf", "Olivia Grant", "192.0.2.7", "5f083f0a", "r"
    )


def insert_sealed(tenant: UUID) -> UUID:
    """As every view does it."""
    return insert_several(tenant, 1)[0]


def insert_several(tenant: UUID, count: int) -> list[UUID]:
    """As a task does it that seals several documents."""
    from accounts.audit.events import Act
    from accounts.audit.log import record
    from accounts.tenancy.scope import open_tenant

    with open_tenant(tenant):
        return [
            record(
                Act.EVIDENCE_READ, object_type="snapshot", object_id="01a20260", actor=actor(), **DETAILS
            ).pk
            for _ in range(count)
        ]


def insert_plain(tenant: UUID) -> None:
    """The same values by the same ORM; the body by json.dumps, without a MAC."""
    from datetime import UTC, datetime

    from accounts.tenancy.models import new_id
    from accounts.tenancy.scope import open_tenant

    with open_tenant(tenant):
        who, entry_id, now = actor(), new_id(), datetime.now(UTC)
        body = json.dumps(
            {"v": 1, "id": str(entry_id), "tenant": str(tenant), "at": now.isoformat(), "act": "evidence.read",
             "outcome": "done", "object": {"type": "snapshot", "id": "01a20260"}, "on_behalf_of": "", "request": "r",
             "actor": {"kind": who.kind, "id": who.id, "name": who.name, "address": who.address, "session": who.session},
             "details": DETAILS}
        )  # fmt: skip
        plain_model().objects.create(
            id=entry_id, occurred_at=now, act="evidence.read", outcome="done", object_type="snapshot",
            object_id="01a20260", actor_kind=who.kind, actor_id=who.id, actor_name=who.name, address=who.address,
            request_id=who.request_id, body=body.encode(),
        )  # fmt: skip


@cache
def plain_model() -> Any:
    """AuditEntry without what makes it provable."""
    from accounts.audit.models import AuditEntry
    from accounts.tenancy.models import TenantModel

    fields = {
        field.name: field.clone()
        for field in AuditEntry._meta.local_concrete_fields
        if field.name not in {"id", "tenant", "transaction_id", "mac", "mac_key_id"}
    }
    meta = type("Meta", (), {"app_label": "bench", "db_table": "accounts_plainentry", "managed": False})
    return type("PlainEntry", (TenantModel,), {"__module__": "bench.audit", "Meta": meta, **fields})


def append(tenant: UUID, insert: Callable[[UUID], Any], begin: float, seconds: float, counted: Any) -> None:
    insert(tenant)
    time.sleep(max(0, begin - time.time()))
    number = 0
    while time.time() < begin + seconds:
        insert(tenant)
        number += 1
    counted.put(number)


def appended(tenant: UUID, insert: Callable[[UUID], Any], seconds: float) -> float:
    """Appends a second of all writers."""
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    counted: Any = fork.Queue()
    begin = time.time() + 1
    writers = [
        fork.Process(target=append, args=(tenant, insert, begin, seconds, counted)) for _ in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    total = sum(counted.get() for _ in writers)
    for writer in writers:
        writer.join()
    return float(total / seconds)


@contextmanager
def sealer(state: Path) -> Iterator[None]:
    """The portal's own process."""
    process = subprocess.Popen(
        [kit.PYTHON, "manage.py", "seal_log"], cwd=kit.CHECKOUT, stderr=subprocess.DEVNULL,
        env=kit.clean_environment(state, SURETY_DATABASE_ROLE="sealer"),
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def wait_until_sealed(database: Database) -> None:
    while database.ask(
        "select 1 from accounts_auditentry e where transaction_id >= coalesce((select position_xid from"
        " accounts_auditsealer), '0') and not exists (select from accounts_auditleaf l where l.id = e.id) limit 1"
    ):
        time.sleep(0.05)


def measure_appends(
    state: Path, database: Database, tenant: UUID, *, rounds: int, seconds: float
) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {"plain": [], "sealed": []}
    with sealer(state):
        insert_sealed(tenant)
        wait_until_sealed(database)
        for number in range(rounds):
            order = ("plain", "sealed") if number % 2 else ("sealed", "plain")
            for name in order:
                rates[name].append(
                    appended(tenant, {"plain": insert_plain, "sealed": insert_sealed}[name], seconds)
                )
                wait_until_sealed(database)
    return rates


def measure_lag(
    state: Path, database: Database, tenant: UUID, *, rate: int, seconds: float
) -> dict[str, float]:
    seen: list[tuple[float, int]] = []
    stop = threading.Event()
    done: dict[UUID, float] = {}
    with sealer(state):
        insert_sealed(tenant)
        wait_until_sealed(database)
        watcher = threading.Thread(target=watch, args=(database, tenant, seen, stop))
        watcher.start()
        begin = time.time() + 1
        fork = multiprocessing.get_context("fork")
        written: Any = fork.Queue()
        connections.close_all()
        writers = [
            fork.Process(target=steadily, args=(tenant, begin, seconds, rate / 4, written)) for _ in range(4)
        ]
        for writer in writers:
            writer.start()
        for _ in writers:
            done |= written.get()
        for writer in writers:
            writer.join()
        wait_until_sealed(database)
        time.sleep(0.2)
        stop.set()
        watcher.join()
    return lags(database, tenant, done, seen, seconds)


def steadily(tenant: UUID, begin: float, seconds: float, rate: float, written: Any) -> None:
    """Appends when each entry is due, behind or not; when each was committed."""
    done = {}
    for number in range(0, int(rate * seconds), TOGETHER):
        time.sleep(max(0, begin + number / rate - time.time()))
        written_now = insert_several(tenant, TOGETHER)
        done |= dict.fromkeys(written_now, time.time())
    written.put(done)


def watch(database: Database, tenant: UUID, seen: list[tuple[float, int]], stop: threading.Event) -> None:
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        while not stop.is_set():
            row = connection.execute(
                "select max(leaf_index) from accounts_auditleaf where tenant_id = %s", [tenant]
            ).fetchone()
            seen.append((time.time(), row[0] if row and row[0] is not None else -1))
            stop.wait(0.02)


def lags(
    database: Database, tenant: UUID, done: dict[UUID, float], seen: list[tuple[float, int]], seconds: float
) -> dict[str, float]:
    import bisect

    indexes = dict(database.ask("select id, leaf_index from accounts_auditleaf where tenant_id = %s", tenant))
    sizes = [size for _at, size in seen]
    found = [max(0.0, seen[bisect.bisect_left(sizes, indexes[entry])][0] - at) for entry, at in done.items()]
    took = max(done.values()) - min(done.values())
    return {
        "entries": len(found), "rate": len(found) / max(took, seconds), "p50": kit.median(found),
        "p99": kit.quantile(found, 0.99), "max": max(found),
    }  # fmt: skip


def measure_catching_up(state: Path, tenant: UUID, *, entries: int) -> float:
    """Entries a second, from the sealer's first transaction to the last leaf."""
    from accounts.audit.epochs import open_epoch
    from accounts.audit.events import Act
    from accounts.audit.keys import make_signer
    from accounts.audit.log import compose
    from accounts.audit.models import AuditEntry
    from accounts.audit.sealer import Sealer
    from accounts.tenancy.scope import open_tenant
    from portal.embedded import Role, postgres_address
    from portal.embedded.files import read_or_create_secret

    for _ in range(entries // 1000):
        with open_tenant(tenant):
            AuditEntry.objects.bulk_create(
                compose(Act.EVIDENCE_READ, tenant_id=tenant, actor=actor(), details=DETAILS)
                for _ in range(1000)
            )
    signer = make_signer(read_or_create_secret(state, "AUDIT_SIGNING_KEY"))
    with psycopg.connect(postgres_address(state).dsn(Role.SEALER), autocommit=True) as connection:
        sealing, total, began = (
            Sealer(connection, open_epoch(connection, None), [signer]),
            0,
            time.perf_counter(),
        )
        while (done := sealing.seal()).full or done.entries:
            total += done.entries
        return total / (time.perf_counter() - began)


def measure_kills(kills: int) -> dict[str, Any]:
    from tests.faults.sealing import KilledLog

    with kit.own_state() as state:
        kit.set_up_django()
        tenants = [kit.make_tenant("killed-1"), kit.make_tenant("killed-2")]
        began = time.monotonic()
        found = KilledLog(state, tenants).run(kills=kills, postgres_share=0.2, seed=20261122)
        outages = found.outages or [0.0]
        return {
            **vars(found), "kills": dict(found.kills), "outages": f"median {kit.median(outages):.2f} s, longest {max(outages):.2f} s",
            "seconds": round(time.monotonic() - began),
        }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, twenty kills")
    parser.add_argument("--only", choices=["appends", "kills"])
    arguments = parser.parse_args()
    rounds, seconds, entries, kills = (3, 3.0, 20_000, 20) if arguments.quick else (7, 6.0, 50_000, 200)
    figures: dict[str, Any] = {"load_before": os.getloadavg()}
    if arguments.only != "kills":
        figures |= sealing(rounds=rounds, seconds=seconds, entries=entries)
    if arguments.only is None:  # in a process of its own, since this one's Django knows another database
        quick = ["--quick"] if arguments.quick else []
        subprocess.run([kit.PYTHON, __file__, "--only", "kills", *quick], check=True)
    if arguments.only == "kills":
        figures["kills"] = measure_kills(kills)
        kit.print_table(
            "Kills", ["", "found"], [[name, str(value)] for name, value in figures["kills"].items()]
        )
    kit.print_json("audit", **figures)
    if missed(figures):
        sys.exit(f"missed: {', '.join(missed(figures))}")


def sealing(*, rounds: int, seconds: float, entries: int) -> dict[str, Any]:
    with kit.own_state() as state:
        kit.set_up_django()
        database, tenant = Database(state), kit.make_tenant("hot")
        database.ask(PLAIN)
        rates = measure_appends(state, database, tenant, rounds=rounds, seconds=seconds)
        lag = measure_lag(state, database, kit.make_tenant("steady"), rate=1000, seconds=rounds * 4)
        caught = measure_catching_up(state, tenant, entries=entries)
    pairs = [sealed / plain for sealed, plain in zip(rates["sealed"], rates["plain"], strict=True)]
    ratio = kit.median(rates["sealed"]) / kit.median(rates["plain"])
    rows = [[name, kit.median(found), min(found), max(found)] for name, found in rates.items()]
    kit.print_table(f"Appends a second, {WRITERS} writers, one tenant", ["", "median", "least", "most"], rows)
    kit.print_table(
        "Sealing", ["", "found", "goal"],
        [["appends, sealed to plain", ratio, ">= 0.75"], ["  median of the rounds' ratios", kit.median(pairs), ""],
         ["lag at 1,000 a second: p50 s", lag["p50"], ""], ["lag: p99 s", lag["p99"], "<= 2"], ["lag: longest s", lag["max"], ""],
         ["rate that was held, entries/s", lag["rate"], "1,000"], ["catching up, entries/s", caught, ">= 10,000"]],
    )  # fmt: skip
    return {"appends": rates, "ratio": ratio, "ratios": pairs, "lag": lag, "catch_up": caught}


def missed(figures: dict[str, Any]) -> list[str]:
    kills = figures.get("kills", {})
    found = {
        "appends": figures.get("ratio", 1) < GOALS["appends"],
        "lag": figures.get("lag", {"p99": 0})["p99"] > GOALS["lag p99 (s)"],
        "catch up": figures.get("catch_up", 1e9) < GOALS["catch up (rows/s)"],
        "kills": any(kills.get(name) for name in ("lost", "doubled", "gaps", "wrong")),
    }
    return [name for name, is_missed in found.items() if is_missed]


if __name__ == "__main__":
    main()
