"""Small reads at a fixed rate, with a million findings in the tenant and ten million in others.

    .venv/bin/python bench/reads.py [--keep DIR] [--own N] [--others N] [--rate 200] [--seconds 60] [--quick]

The portal's web, worker and sealer processes run as they do in production; requests are sent at their times whether
the one before was answered or not (open loop), each over a kept-alive connection with a client's token, and a latency
counts from the time at which the request should have been sent. --keep fills DIR once (some minutes, 17 GB) and
uses it again the next time. The generator runs on the same machine: its CPU is printed too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import kit
import psutil
import pushing
import standing

GOAL_MS, WARMING_SECONDS, CONNECTIONS = 20.0, 5.0, 16


class Answers(NamedTuple):
    """What came back: milliseconds from the intended sending of each, how many of each status, bytes of the last."""

    taken: list[float]
    statuses: Counter[int]
    size: int


class Line:
    """One kept-alive connection."""

    def __init__(self, port: int, token: str) -> None:
        self._port, self._token = port, token
        self._pair: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> tuple[int, int]:
        """Status and size of the answer, asked for once more where the server had closed the connection."""
        for again in (True, False):
            try:
                return await self._get(path)
            except (OSError, asyncio.IncompleteReadError):
                self._pair = None
                if not again:
                    raise
        raise AssertionError

    async def _get(self, path: str) -> tuple[int, int]:
        if self._pair is None:
            self._pair = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._pair
        said = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self._token}\r\n\r\n"
        writer.write(said.encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        size = int(head.partition("content-length:")[2].partition("\r\n")[0])
        await reader.readexactly(size)
        if "connection: close" in head:
            writer.close()
            self._pair = None
        return int(head.split(" ", 2)[1]), size


async def send_at_rate(
    lines: list[Line], path: Callable[[int], str], *, rate: float, seconds: float
) -> Answers:
    """Sends a request each 1/rate seconds; one for which no connection is free waits, and its clock runs."""
    free: asyncio.Queue[Line] = asyncio.Queue()
    for line in lines:
        free.put_nowait(line)
    answers = Answers([], Counter(), 0)
    began, sizes = time.perf_counter(), deque([0], maxlen=1)

    async def ask(turn: int, due: float) -> None:
        line = await free.get()
        status, size = await line.get(path(turn))
        answers.taken.append((time.perf_counter() - due) * 1000)
        answers.statuses[status] += 1
        sizes.append(size)
        free.put_nowait(line)

    async with asyncio.TaskGroup() as group:
        for turn in range(int(rate * seconds)):
            due = began + turn / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(ask(turn, due))
    return answers._replace(size=sizes[0])


def measure(
    portal: Any, name: str, path: Callable[[int], str], *, rate: float, seconds: float
) -> dict[str, Any]:
    """One kind of request, after warming; CPU in milliseconds a request of each process."""
    token = portal.token()
    lines = [Line(portal.port, token) for _ in range(CONNECTIONS)]

    async def both() -> tuple[Answers, dict[str, float], float]:
        await send_at_rate(lines, path, rate=rate, seconds=WARMING_SECONDS)
        before, own, began = _cpu(portal), time.process_time(), time.perf_counter()
        answers = await send_at_rate(lines, path, rate=rate, seconds=seconds)
        wall = time.perf_counter() - began
        after = {each: seconds - before[each] for each, seconds in _cpu(portal).items()}
        return answers, after | {"generator": time.process_time() - own}, wall

    answers, cpu, wall = asyncio.run(both())
    many = len(answers.taken)
    return {
        "read": name, "requests": many, "bytes": answers.size,
        **{f"p{int(share * 100)}_ms": kit.quantile(answers.taken, share) for share in (0.5, 0.95, 0.99)},
        "max_ms": max(answers.taken), "statuses": dict(answers.statuses),
        **{f"{each}_cpu_ms": seconds * 1000 / many for each, seconds in cpu.items()},
        "web_core_share": cpu["web"] / wall, "load_1m": round(os.getloadavg()[0], 1),
    }  # fmt: skip


def _cpu(portal: Any) -> dict[str, float]:
    """Seconds of CPU so far of the portal's processes, and of its PostgreSQL."""
    found = {name: _of_tree(portal.pid(name)) for name in ("web", "worker", "sealer")}
    return found | {"postgres": kit.postgres_cpu_seconds(portal.state)}


def _of_tree(pid: int) -> float:
    parent = psutil.Process(pid)
    return float(
        sum(sum(each.cpu_times()[: 4 if each == parent else 2]) for each in (parent, *parent.children()))
    )


def push_one(portal: Any) -> str:
    """A document that a worker has read; the submission's id."""
    body = pushing.document([pushing.Finding("check_1", "arn:aws:s3:::one", "PASS", pushing.BEGAN)])
    said = json.loads(pushing.Sender(portal).push(body, os.urandom(8).hex(), stream="one"))
    return str(said["id"])


def reads_of(portal: Any, submission: str) -> dict[str, Callable[[int], str]]:
    """The small reads by name, each an address for the nth request."""
    from accounts.tenancy.scope import open_tenant
    from assessments.models import Finding

    with open_tenant(portal.tenant):
        findings = list(Finding.objects.values_list("pk", flat=True).order_by("resource_key")[:2000])
    days = [(datetime.now(UTC) - timedelta(days=day)).date().isoformat() for day in range(2, 50)]
    citations = standing.cited()
    return {
        "a safeguard's status": lambda turn: f"/api/v1/safeguards/{citations[turn % len(citations)]}",
        "the same, of a past day": lambda turn: (
            f"/api/v1/safeguards/164.312(b)?as_of={days[turn % len(days)]}"
        ),
        "a finding": lambda turn: f"/api/v1/findings/{findings[turn % len(findings)]}",
        "a submission": lambda _turn: f"/api/v1/submissions/{submission}",
    }


def prepare(state: Path, *, own: int, others: int) -> Any:
    """The portal over the state, filled unless it is already."""
    mark = state / "filled.json"
    if mark.exists():
        known = json.loads(mark.read_text())
        if (known["own"], known["others"]) != (own, others):
            sys.exit(
                f"{state} is filled with {known['own']:,} and {known['others']:,} findings: choose another."
            )
        return pushing.make_portal(state, UUID(known["tenant"]))
    portal = pushing.make_portal(state)
    standing.fill(state, portal.tenant, own=own, others=others)
    mark.write_text(json.dumps({"tenant": str(portal.tenant), "own": own, "others": others}))
    return portal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--own", type=int, default=1_000_000, help="findings in the tenant that is asked about"
    )
    parser.add_argument(
        "--others", type=int, default=10_000_000, help=f"findings in {standing.OTHERS} other tenants"
    )
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="of the first kind; a third of it for the rest"
    )
    parser.add_argument("--keep", type=Path, help="a directory that is filled once and stays")
    parser.add_argument("--quick", action="store_true", help="20,000 findings in each, 6 seconds; no goal")
    given = parser.parse_args()
    if given.quick:
        given.own, given.others, given.seconds = 20_000, 20_000, 6.0
    found: list[dict[str, Any]] = []
    with kit.own_state(redis=True, keep=given.keep) as state:
        kit.set_up_django()
        portal = prepare(state, own=given.own, others=given.others)
        print(f"{_gigabytes(state):.1f} GB on disk", flush=True)
        portal.environment = {}
        with portal.up("web", "worker", "sealer"):
            for name, path in reads_of(portal, push_one(portal)).items():
                seconds = given.seconds / (3 if found else 1)
                found.append(measure(portal, name, path, rate=given.rate, seconds=seconds))
    names = [each for each in found[0] if each not in {"read", "statuses"}]
    rows = [[name, *(each[name] for each in found)] for name in names]
    kit.print_table("Small reads", ["", *(each["read"] for each in found)], rows)
    kit.print_json("reads", own=given.own, others=given.others, rate=given.rate, reads=found)
    if any(set(each["statuses"]) != {200} for each in found):
        sys.exit("some answers are no 200")
    if not given.quick and found[0]["p99_ms"] > GOAL_MS:
        sys.exit(f"p99 is over {GOAL_MS:.0f} ms")


def _gigabytes(folder: Path) -> float:
    found = subprocess.run(["du", "-sk", str(folder)], stdout=subprocess.PIPE, text=True, check=False).stdout
    return int(found.split()[0]) / 1e6


if __name__ == "__main__":
    main()
