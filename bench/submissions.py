"""Submissions: findings a second, the raw limit beside it, a large upload. Small reads are bench/reads.py.

    .venv/bin/python bench/submissions.py [--only findings|upload] [--quick]

findings: prowler-like OCSF documents of 10,000 are pushed over HTTP to one web and one worker process; from the first
byte to the moment when the last is in the statuses. Beside it PostgreSQL's COPY of the same rows into the same tables.
upload: bytes that don't compress, from a socket into the vault, against the speed of hashing them; the web process's
memory above idle.
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


def make_bodies(documents: int) -> list[bytes]:
    """Documents of 10,000 findings each, half of them failing; the same ones every time."""
    chance = random.Random(5)
    return [
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


def measure_findings(portal: Any, bodies: list[bytes]) -> dict[str, Any]:
    """Documents one after another by two senders, then the second time unchanged."""
    documents = len(bodies)
    first = push_all(portal, bodies, "first")
    again = push_all(portal, bodies, "again")
    return {
        "findings": documents * BATCH, "document_mib": round(len(bodies[0]) / MIB, 1),
        "new_per_second": documents * BATCH / first, "unchanged_per_second": documents * BATCH / again,
        "copy_per_second": _copy_limit(portal.state),
    }  # fmt: skip


def push_all(portal: Any, bodies: list[bytes], turn: str) -> float:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=["findings", "upload"])
    parser.add_argument("--quick", action="store_true", help="3 documents, 256 MiB")
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    parts = [given.only] if given.only else ["findings", "upload"]
    for part in parts:
        with kit.own_state(redis=True) as state:
            kit.set_up_django()
            portal = pushing.make_portal(state)
            names = ("web", "worker") if part == "findings" else ("web",)
            with portal.up(*names):
                figures[part] = _measure(part, portal, quick=given.quick)
    for part, found in figures.items():
        kit.print_table(
            part, ["", ""], [[name, f"{value:,.2f}" if isinstance(value, float) else str(value)] for name, value in found.items()],
        )  # fmt: skip
    kit.print_json("submissions", **figures)


def _measure(part: str, portal: Any, *, quick: bool) -> dict[str, Any]:
    if part == "findings":
        return measure_findings(portal, make_bodies(3 if quick else 20))
    return measure_upload(portal, size=256 * MIB if quick else 5 << 30)


if __name__ == "__main__":
    main()
