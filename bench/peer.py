"""A peer beside ours: the same prowler-like documents pushed to the portal and to a DefectDojo that runs somewhere.

    DEFECTDOJO_TOKEN=... .venv/bin/python bench/peer.py --url http://127.0.0.1:8080 [--documents 3] [--only ours|peer]
        [--pids 11,12,13]

Two senders each, until everything is visible; then the same documents again, unchanged. DefectDojo keeps only
what fails, so its figures are given by findings in the documents and by findings kept. `settled` is when its Celery
worker has nothing left to do (search index, grades), after everything was visible. CPU is of all processes and of
PostgreSQL; for DefectDojo that of the processes named. docs/benchmarks.md says how to run one from its source.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import kit
import psutil
import pushing
import submissions

SCAN_TYPE = (
    "AWS Prowler V3"  # its reader of prowler's OCSF, for versions 3 and later; told by the file's name
)
PATIENCE_SECONDS = 3600
WARM = pushing.document([pushing.Finding("warm", "arn:aws:s3:::warm", "FAIL", pushing.BEGAN)])


class DefectDojo:
    """One product and engagement of a DefectDojo, which each document is a test of."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._name = url.rstrip("/"), f"bench-{uuid.uuid4().hex[:8]}"
        self._headers = {"Authorization": f"Token {token}"}

    def add(self, body: bytes) -> int:
        """Imports a document; its test's id."""
        made = self._push(
            "import-scan", body, {"auto_create_context": "true", "product_type_name": self._name}
        )
        return int(made["test"])

    def add_again(self, test: int, body: bytes) -> None:
        """Imports it into its test once more; nothing may be new."""
        delta = self._push("reimport-scan", body, {"test": str(test)})["statistics"]["delta"]
        changed = {kind: delta[kind]["total"]["total"] for kind in ("created", "closed", "reactivated")}
        if any(changed.values()):
            raise RuntimeError(f"not unchanged: {changed}")

    def count(self, test: int) -> int:
        """The findings of a test that its interface shows."""
        return int(self._get(f"findings/?test={test}&limit=1")["count"])

    def settle(self) -> float:
        """When its worker had nothing left to do: one of the default kind doesn't answer while it works."""
        idle: list[float] = []
        while len(idle) < 2:  # what it did last may have led to more
            asked = time.monotonic()
            status = self._get("celery/status/")
            idle = [*idle, asked] if status["worker_status"] and not status["queue_length"] else []
        return idle[0]

    def _push(self, where: str, body: bytes, more: dict[str, str]) -> dict[str, Any]:
        fields = {"scan_type": SCAN_TYPE, "product_name": self._name, "engagement_name": self._name, **more}
        file = {"file": ("prowler.ocsf.json", body, "application/json")}
        return self._ask("POST", f"{where}/", data=fields, files=file)

    def _get(self, what: str) -> dict[str, Any]:
        return self._ask("GET", what)

    def _ask(self, method: str, what: str, **more: Any) -> dict[str, Any]:
        """By a connection of its own: uWSGI's HTTP keeps none alive."""
        url = f"{self._url}/api/v2/{what}"
        answer = httpx.request(method, url, headers=self._headers, timeout=PATIENCE_SECONDS, **more)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def measure_peer(dojo: DefectDojo, bodies: list[bytes], *, senders: int, pids: list[int]) -> dict[str, Any]:
    """After one finding that lets it load its code."""
    dojo.add(WARM)
    dojo.settle()
    failing = [sum(each["status_code"] == "FAIL" for each in json.loads(body)) for body in bodies]
    tests: dict[int, int] = {}

    def add(number: int) -> None:
        tests[number] = dojo.add(bodies[number])
        _await_visible(dojo, tests[number], failing[number])

    def add_again(number: int) -> None:
        dojo.add_again(tests[number], bodies[number])
        _await_visible(dojo, tests[number], failing[number])

    findings, kept = len(bodies) * submissions.BATCH, sum(failing)
    figures: dict[str, Any] = {"findings": findings, "kept": kept}
    for turn, function in (("new", add), ("unchanged", add_again)):
        cpu, began = _cpu_seconds(pids), time.monotonic()
        _send(function, len(bodies), senders)
        seconds, settled = time.monotonic() - began, dojo.settle() - began
        figures |= {
            f"{turn}_per_second": findings / seconds, f"{turn}_kept_per_second": kept / seconds,
            f"{turn}_settled_per_second": findings / settled,
            **({f"{turn}_cpu_ms_each": (_cpu_seconds(pids) - cpu) * 1000 / findings} if pids else {}),
        }  # fmt: skip
    return figures


def _await_visible(dojo: DefectDojo, test: int, wanted: int) -> None:
    until = time.monotonic() + 600
    while (found := dojo.count(test)) < wanted:
        if time.monotonic() > until:
            raise RuntimeError(f"{found} findings of {wanted}")
        time.sleep(0.1)


def _send(function: Callable[[int], None], documents: int, senders: int) -> None:
    waiting = list(range(documents))
    failed: list[Exception] = []

    def send() -> None:
        while waiting:
            with contextlib.suppress(IndexError):
                number = waiting.pop()
                try:
                    function(number)
                except (RuntimeError, httpx.HTTPError) as error:
                    failed.append(error)

    threads = [threading.Thread(target=send) for _ in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def measure_ours(bodies: list[bytes]) -> dict[str, Any]:
    """As submissions.measure_findings, after one finding."""
    findings = len(bodies) * submissions.BATCH
    figures: dict[str, Any] = {"findings": findings}
    with kit.own_state(redis=True) as state:
        kit.set_up_django()
        portal = pushing.make_portal(state)
        with portal.up("web", "worker"):
            submissions.push_all(portal, [WARM], "warm")
            server = int((state / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
            pids = [portal.pid("web"), portal.pid("worker"), server]
            for turn in ("new", "unchanged"):
                cpu = _cpu_seconds(pids)
                seconds = submissions.push_all(portal, bodies, turn)
                figures |= {
                    f"{turn}_per_second": findings / seconds,
                    f"{turn}_cpu_ms_each": (_cpu_seconds(pids) - cpu) * 1000 / findings,
                }  # fmt: skip
    return figures


def _cpu_seconds(pids: list[int]) -> float:
    """Of processes and their children so far, those that ended included."""
    total = 0.0
    for pid in pids:
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += sum(each.cpu_times()[:4])
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", required=True, help="of a DefectDojo; its token is in DEFECTDOJO_TOKEN")
    parser.add_argument("--documents", type=int, default=3, help="of 10,000 findings each")
    parser.add_argument("--senders", type=int, default=2, help="to the peer; we have two")
    parser.add_argument("--pids", default="", help="the peer's web, worker and PostgreSQL, for its CPU")
    parser.add_argument("--only", choices=["ours", "peer"])
    given = parser.parse_args()
    dojo = DefectDojo(given.url, os.environ["DEFECTDOJO_TOKEN"])
    bodies = submissions.make_bodies(given.documents)
    figures: dict[str, Any] = {}
    if given.only != "peer":
        figures["ours"] = measure_ours(bodies)
    if given.only != "ours":
        pids = [int(each) for each in given.pids.split(",") if each]
        figures["peer"] = measure_peer(dojo, bodies, senders=given.senders, pids=pids)
    for who, found in figures.items():
        kit.print_table(who, ["", ""], [[name, value] for name, value in found.items()])
    kit.print_json("peer", **figures)


if __name__ == "__main__":
    main()
