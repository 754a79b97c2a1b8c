"""Submissions: findings a second, the raw limit beside it, a large upload, small reads among a million findings.

    .venv/bin/python bench/submissions.py [--only findings|upload|reads] [--quick]

findings: prowler-like OCSF documents of 10,000 are pushed over HTTP to one web and one worker process; from the first
byte to the moment when the last is in the statuses. Beside it PostgreSQL's COPY of the same rows into the same tables.
upload: bytes that don't compress, from a socket into the vault, against the speed of hashing them; the web process's
memory above idle. reads: a safeguard's status at 200 requests a second, with findings in the tenant and in others.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.client
import os
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import kit
import psutil
import pushes
import pushing

BATCH = 10_000
MIB = 1 << 20


def measure_findings(portal: Any, *, documents: int) -> dict[str, Any]:
    """Documents one after another by two senders, then the second time unchanged."""
    chance = random.Random(5)
    bodies = [
        pushing.document([
            pushing.Finding(
                f"check_{chance.randrange(300)}", f"arn:aws:s3:::bucket-{number}-{each}",
                chance.choice(["PASS", "FAIL"]), pushing.BEGAN,
                ("164.312(b)",) if each % 3 else ("164.312(a)(1)", "164.312(c)(1)"),
            )
            for each in range(BATCH)
        ])
        for number in range(documents)
    ]  # fmt: skip
    first = _push_all(portal, bodies, "first")
    again = _push_all(portal, bodies, "again")
    return {
        "findings": documents * BATCH, "document_mib": round(len(bodies[0]) / MIB, 1),
        "new_per_second": documents * BATCH / first, "unchanged_per_second": documents * BATCH / again,
        "copy_per_second": _copy_limit(portal.state),
    }  # fmt: skip


def _push_all(portal: Any, bodies: list[bytes], turn: str) -> float:
    began = time.monotonic()
    waiting = list(enumerate(bodies))

    def send() -> None:
        sender = pushing.Sender(portal)
        while waiting:
            with contextlib.suppress(IndexError):
                number, body = waiting.pop()
                sender.push(body, f"{turn}-{number}", stream="bench")

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = pushes.wait_for_workers(portal, 1200)
    if set(states) != {"accepted"}:
        raise RuntimeError(states)
    return time.monotonic() - began


def _copy_limit(state: Any) -> float:
    """Rows a second by COPY into the two tables with all their indexes and constraints, rolled back.

    As the superuser, since COPY writes to no table with row-level security: the raw limit has less to do than we.
    """
    import psycopg

    from portal.embedded import Role, postgres_address

    rows, seconds = 0, 0.0
    with psycopg.connect(postgres_address(state).dsn(Role.SUPERUSER)) as database:
        for table, changes in (
            ("assessments_finding", {"id": "uuidv7()", "resource_key": "left('x' || resource_key, 32)"}),
            ("assessments_findingperiod", {"id": "uuidv7()"}),
        ):
            columns = _columns(database, table)
            fresh = ", ".join(changes.get(name, name) for name in columns)
            with database.cursor().copy(
                f"copy (select {fresh} from {table} limit {BATCH * 5}) to stdout"
            ) as out:
                data = b"".join(out)
            if table.endswith("period"):
                database.execute("delete from assessments_findingperiod")
            began = time.perf_counter()
            with database.cursor().copy(f"copy {table} ({', '.join(columns)}) from stdin") as into:
                into.write(data)
            seconds += time.perf_counter() - began
            rows = max(rows, data.count(b"\n"))
        database.rollback()
    return rows / seconds


def _columns(database: Any, table: str) -> list[str]:
    found = database.execute(
        "select column_name from information_schema.columns where table_name = %s order by ordinal_position",
        [table],
    )
    return [row[0] for row in found]


def measure_upload(portal: Any, *, size: int) -> dict[str, Any]:
    """One document of random bytes, made as it is sent."""
    piece = os.urandom(MIB)
    began = time.perf_counter()
    digest = hashlib.sha256()
    for _ in range(size // MIB):
        digest.update(piece)
    hashing = size / MIB / (time.perf_counter() - began)
    processes = [
        psutil.Process(portal.pid("web")),
        *psutil.Process(portal.pid("web")).children(recursive=True),
    ]
    sender = pushing.Sender(portal)
    sender.push(b'{"class_uid": 1}', "warm")
    idle = max(each.memory_info().rss for each in processes)
    peak, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            peak.append(max(each.memory_info().rss for each in processes))

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    _upload(portal, sender, piece, size)
    speed = size / MIB / (time.perf_counter() - began)
    ended.set()
    watcher.join()
    return {
        "gib": size / MIB / 1024, "mib_per_second": speed, "hashing_mib_per_second": hashing, "share": speed / hashing,
        "mib_above_idle": (max(peak) - idle) / MIB,
    }  # fmt: skip


def _upload(portal: Any, sender: Any, piece: bytes, size: int) -> None:
    headers = sender._headers(b"", "large")
    del headers["Content-Digest"]
    headers |= {"Content-Length": str(size), "Content-Type": "application/octet-stream"}

    def pieces() -> Iterator[bytes]:
        for _ in range(size // MIB):
            yield piece

    connection = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=600)
    with contextlib.closing(connection):
        connection.request("POST", "/api/v1/submissions?format=document", pieces(), headers)
        answer = connection.getresponse()
        said = answer.read()
    if answer.status != 201:
        raise RuntimeError(said[:300])


def measure_reads(portal: Any, *, own: int, others: int, seconds: float) -> dict[str, Any]:
    """A safeguard's status, 200 times a second."""
    _fill(portal.tenant, own)
    for number in range(10):
        _fill(kit.make_tenant(f"other-{number}"), others // 10)
    taken: list[float] = []
    lock, began = threading.Lock(), time.perf_counter() + 2
    rate, threads_many = 200.0, 8

    def read(place: int) -> None:
        sender = pushing.Sender(portal)
        connection = sender._open()
        headers = {"Authorization": f"Bearer {portal.token()}"}
        for turn in range(place, int(rate * seconds), threads_many):
            due = began + turn / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            connection.request("GET", "/api/v1/safeguards/164.312(b)", headers=headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(answer.status)
            with lock:
                taken.append((time.perf_counter() - due) * 1000)

    threads = [threading.Thread(target=read, args=(place,)) for place in range(threads_many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        "own_findings": own, "others_findings": others, "requests": len(taken), "p50_ms": kit.quantile(taken, 0.5),
        "p99_ms": kit.quantile(taken, 0.99),
    }  # fmt: skip


def _fill(tenant: Any, number: int) -> None:
    """Findings as they would stand, written by SQL, and their check's numbers."""
    from django.db import connection
    from django.utils import timezone

    from accounts.tenancy.scope import open_tenant
    from assessments.models import SubmittedCheck
    from assessments.statuses import take_turn, write_statuses
    from evidence.models import SubmissionStream

    with open_tenant(tenant), connection.cursor() as cursor:
        stream = SubmissionStream.objects.create(producer="prowler", name="filled")
        cursor.execute(
            "insert into assessments_finding (id, tenant_id, source, stream_id, seen_at, muted, check_id, resource_key,"
            " resource_arn, resource_name, resource_kind, region, scope, severity, outcome, observed, missing_action,"
            " first_seen_at, since) select uuidv7(), %s, 'prowler', %s, now(), false, 'prowler:check_' || n %% 300,"
            " md5(n::text), 'arn:aws:s3:::b' || n, 'b' || n, 'bucket', 'us-east-1', 'us-east-1', 'high',"
            " case n %% 2 when 0 then 'PASS' else 'FAIL' end, 'said', '', now(), now() from generate_series(1, %s) n",
            [tenant, stream.pk, number],
        )
        SubmittedCheck.objects.bulk_create(
            SubmittedCheck(
                stream=stream, check_id=f"prowler:check_{each}", severity="high", citations=["164.312(b)"],
                passed=number // 600, failed=number // 600, weighing=number // 600,
            )
            for each in range(300)
        )  # fmt: skip
        take_turn()
        write_statuses(timezone.now())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=["findings", "upload", "reads"])
    parser.add_argument("--quick", action="store_true", help="3 documents, 256 MiB, 20,000 findings")
    parser.add_argument("--others", type=int, default=10_000_000, help="findings of other tenants (reads)")
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    parts = [given.only] if given.only else ["findings", "upload", "reads"]
    for part in parts:
        with kit.own_state(redis=True) as state:
            kit.set_up_django()
            portal = pushing.make_portal(state)
            names = ("web", "worker") if part == "findings" else ("web",)
            with portal.up(*names):
                figures[part] = _measure(part, portal, quick=given.quick, others=given.others)
    for part, found in figures.items():
        kit.print_table(
            part, ["", ""], [[name, f"{value:,.2f}" if isinstance(value, float) else str(value)] for name, value in found.items()],
        )  # fmt: skip
    kit.print_json("submissions", **figures)


def _measure(part: str, portal: Any, *, quick: bool, others: int) -> dict[str, Any]:
    if part == "findings":
        return measure_findings(portal, documents=3 if quick else 20)
    if part == "upload":
        return measure_upload(portal, size=256 * MIB if quick else 5 << 30)
    own, others, seconds = (20_000, 20_000, 5.0) if quick else (1_000_000, others, 30.0)
    return measure_reads(portal, own=own, others=others, seconds=seconds)


if __name__ == "__main__":
    main()
