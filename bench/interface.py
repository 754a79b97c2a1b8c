"""Requests made up out of the interface's description, each answer compared with it.

They go over HTTP to the real web process with PostgreSQL, with tokens that it made; two portals, one for each process
that asks. Goal: no answer of 500 or more, none that the description doesn't have. The same test runs in `make test`,
with ten thousand requests that are the same each time; here each round has others.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import kit

TEST = "tests/api/test_made_up.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=150, help="requests for each operation, in each round")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=0, help="begin no round after so many seconds")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    began, cpu = time.monotonic(), 0.0
    total: Counter[str] = Counter()
    for number in range(arguments.rounds):
        if arguments.seconds and time.monotonic() - began > arguments.seconds:
            break
        cpu += _ask(8 if arguments.quick else arguments.each, total)
        if number + 1 < arguments.rounds:
            print(f"{total['requests']:,} requests so far", flush=True)
    wall, asked = time.monotonic() - began, total.pop("requests")
    row = (asked, total.pop("different"), round(cpu), 1000 * cpu / asked, asked / wall)
    kit.print_table("Interface", ("requests", "different", "CPU s", "ms each", "a second"), [row])
    kit.print_table("Answers", ("status", "number"), sorted(total.items()))
    kit.print_json(
        "interface",
        requests=asked,
        cpu_seconds=round(cpu, 1),
        statuses=dict(sorted(total.items())),
        passed=True,
    )


def _ask(each: int, total: Counter[str]) -> float:
    """One round; its CPU seconds, without PostgreSQL's. Ends the program where an answer is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        command = [kit.PYTHON, "-m", "pytest", "-n", "3", "-q", "-p", "no:cacheprovider", TEST]
        more = {"SCHEMATHESIS_CASES": str(each), "SCHEMATHESIS_FIGURES": folder}
        done = kit.run_measured(command, env={**os.environ, **more})
        shares: list[dict[str, Any]] = [json.loads(path.read_text()) for path in Path(folder).iterdir()]
    for share in shares:
        for status, number in share["statuses"].items():
            total[status] += number
        total["requests"] += share["requests"]
        total["different"] += share["different"]
    if done.returncode:
        print(done.stdout, [share["seed"] for share in shares])
        sys.exit(1)
    return done.cpu


if __name__ == "__main__":
    main()
