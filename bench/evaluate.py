"""The engine's outcomes per second on one core, and a whole evaluation with its writing, at 100,000 outcomes.

The answers are the stand-in's for the large benchmark account, copied over regions. `evaluate_run` is run for a
new tenant (everything is written), then for equal answers, then with 1 % of the outcomes changed.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import kit
import large_run
from aws_account import ACCOUNT, Size

GOAL = 50_000
VOLUMES_PER_OUTCOME = 0.01


def engine(payloads: large_run.Payloads, rounds: int) -> dict[str, Any]:
    """Outcomes per CPU second of this thread, with the answers parsed already."""
    from datetime import UTC, datetime

    from assessments.checks.base import checks
    from assessments.checks.engine import evaluate
    from evidence.types import Seen

    regions = large_run.regions_in(payloads)
    rates, outcomes = [], Counter[str]()
    for _ in range(rounds):
        seen = Seen(ACCOUNT, "aws", "", datetime.now(UTC), large_run.answers_of(payloads))
        started = time.thread_time()
        results = list(evaluate(checks().values(), seen, regions))
        rates.append(len(results) / (time.thread_time() - started))
        outcomes = Counter(str(result.outcome) for result in results)
    figures = {"outcomes": outcomes.total(), "by_outcome": dict(outcomes), "checks": len(checks())}
    return {
        **figures,
        "regions": len(regions),
        "per_second": round(max(rates)),
        "median": round(kit.median(rates)),
    }


def slowest(payloads: large_run.Payloads, number: int) -> list[tuple[str, int, float, float]]:
    """The checks that take most: id, outcomes, milliseconds, microseconds an outcome."""
    from datetime import UTC, datetime

    from assessments.checks.base import checks
    from assessments.checks.engine import evaluate
    from evidence.types import Seen

    seen = Seen(ACCOUNT, "aws", "", datetime.now(UTC), large_run.answers_of(payloads))
    rows = []
    for check in checks().values():
        started = time.thread_time()
        found = len(list(evaluate([check], seen, large_run.regions_in(payloads))))
        taken = time.thread_time() - started
        rows.append((check.id, found, round(taken * 1e3, 1), round(taken * 1e6 / max(found, 1), 1)))
    return sorted(rows, key=lambda row: -row[2])[:number]


def whole(
    state: Path, tenant_id: UUID, connection_id: UUID, name: str, payloads: large_run.Payloads
) -> dict[str, Any]:
    """One evaluate_run over a run with these answers: seconds of wall, of this process, of PostgreSQL."""
    from django.db import connection

    from assessments.services import evaluate_run

    run_id = large_run.write_run(tenant_id, connection_id, payloads)
    before, cpu, started = kit.postgres_cpu_seconds(state), time.process_time(), time.perf_counter()
    done = evaluate_run(tenant_id=tenant_id, run_id=run_id)
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    postgres = kit.postgres_cpu_seconds(state) - before
    connection.close()
    assert done is not None
    return {
        "run": name, "outcomes": done.results.total(), **done.changes.as_json(), "wall": round(wall, 1),
        "cpu": round(cpu, 1), "postgres_cpu": round(postgres, 1), "per_second": round(done.results.total() / wall),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the small account in four regions")
    parser.add_argument("--regions", type=int, default=28)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with kit.own_state() as state:
        kit.set_up_django()
        size, regions = (Size.SMALL, 4) if arguments.quick else (Size.LARGE, arguments.regions)
        payloads = large_run.spread(large_run.collected(size), regions)
        alone, slow = engine(payloads, arguments.rounds), slowest(payloads, 12)
        tenant_id = kit.make_tenant("bench-evaluate")
        connection_id = large_run.connect(tenant_id, payloads)
        changed = large_run.unencrypt(payloads, int(alone["outcomes"] * VOLUMES_PER_OUTCOME))
        runs = [
            whole(state, tenant_id, connection_id, name, answers)
            for name, answers in (("first", payloads), ("unchanged", payloads), ("1 % changed", changed))
        ]
    kit.print_table("the engine alone, on one core", [*alone], [[str(value) for value in alone.values()]])
    kit.print_table("checks that take most", ("check", "outcomes", "ms", "us an outcome"), slow)
    kit.print_table("evaluate_run, with writing", [*runs[0]], [[*run.values()] for run in runs])
    kit.print_json("evaluate", goal=GOAL, engine=alone, runs=runs)


if __name__ == "__main__":
    main()
