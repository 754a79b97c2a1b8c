"""`manage.py scan` and prowler over the same account of the stand-in: wall, CPU, memory and AWS calls.

Each size is run as the stand-in answers, with 40 ms added to every call, and (ours alone) against recorded
answers with the 40 ms, where the emulator is no limit. Ours is a first scan of a new tenant each time, with its
PostgreSQL running; runs of the two alternate. Figures are medians (best in brackets) of the repetitions.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import kit
from aws_account import ACCOUNT, REGIONS, Size, account

PROWLER = "prowler==5.46.0"
CONCURRENCY = 16
DELAY_MS = 40


class Run(NamedTuple):
    """One run of one of the tools. `asked` are the calls that the stand-in saw, by operation; {} where recorded
    answers stood in for it. `own` is what the tool says of itself."""

    tool: str
    size: str
    variant: str
    usage: kit.Usage
    asked: Mapping[str, int]
    load: float
    postgres_cpu: float = 0.0
    own: Mapping[str, Any] = {}


def scan_once(
    state: Path, environment: Mapping[str, str], slug: str
) -> tuple[kit.Usage, float, dict[str, Any]]:
    """A first scan in a new tenant. Returns usage, PostgreSQL's CPU seconds, and the `run` of the result."""
    kit.make_tenant(slug)
    before = kit.postgres_cpu_seconds(state)
    regions = ",".join(REGIONS)
    command = [
        kit.PYTHON,
        "manage.py",
        "scan",
        "--account-id",
        ACCOUNT,
        "--regions",
        regions,
        "--format",
        "json",
    ]
    usage = kit.run_measured([*command, "--tenant", slug], env=environment)
    if usage.returncode != 0:
        raise SystemExit(f"scan ended with {usage.returncode}: {usage.stderr[-2000:]}")
    found = json.loads(usage.stdout)
    own = {**found["run"], "findings": len(found["findings"])}
    return usage._replace(stdout=""), kit.postgres_cpu_seconds(state) - before, own


def prowler_once(prowler: Path, environment: Mapping[str, str]) -> kit.Usage:
    """One run of prowler with its HIPAA compliance; its answers land in a folder that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="prowler-") as folder:
        command = [
            str(prowler), "aws", "--compliance", "hipaa_aws", "--region", *REGIONS, "--output-formats", "json-ocsf",
            "--output-directory", folder, "--no-banner", "--ignore-exit-code-3", "--log-level", "CRITICAL",
        ]  # fmt: skip
        usage = kit.run_measured(command, env={**environment, "HOME": folder}, cwd=Path(folder))
        if usage.returncode != 0:
            raise SystemExit(
                f"prowler ended with {usage.returncode}: {usage.stdout[-1500:]}{usage.stderr[-1500:]}"
            )
        findings = sum(len(json.loads(path.read_text())) for path in Path(folder).rglob("*.ocsf.json"))
        return usage._replace(stdout=str(findings))


def find_prowler(wanted: str) -> Path | None:
    """The prowler to run: a path, or the pinned version, installed in a virtual environment of its own."""
    if wanted == "off":
        return None
    if wanted != "auto":
        return Path(wanted)
    folder = kit.CHECKOUT / ".surety" / "bench" / PROWLER.replace("==", "-")
    found = folder / "bin" / "prowler"
    if not found.exists():
        import subprocess
        import venv

        print(f"installing {PROWLER} into {folder.relative_to(kit.CHECKOUT)} (some minutes) ...", flush=True)
        venv.create(folder, with_pip=True)
        # A few of its dependencies (of other clouds) have no wheel.
        pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--prefer-binary", PROWLER]
        subprocess.run(pip, check=True)
    return found


class Bench:
    """Runs over one account; every tenant has its own number."""

    def __init__(self, state: Path, aws: Any, size: Size, prowler: Path | None) -> None:
        self.state, self.aws, self.size, self.prowler = state, aws, size, prowler
        self.runs: list[Run] = []
        self._number = 0

    def environment(self, url: str) -> dict[str, str]:
        admin = self.aws.admin_credentials(ACCOUNT)
        return kit.clean_environment(
            self.state,
            AWS_ENDPOINT_URL=url,
            AWS_DEFAULT_REGION=REGIONS[0],
            AWS_ACCESS_KEY_ID=admin["aws_access_key_id"],
            AWS_SECRET_ACCESS_KEY=admin["aws_secret_access_key"],
        )

    def ours(self, variant: str, url: str) -> None:
        self.aws.reset_calls()
        self._number += 1
        slug = f"bench-{self.size}-{self._number}"
        usage, postgres, own = scan_once(self.state, self.environment(url), slug)
        self._keep(
            Run("surety", str(self.size), variant, usage, self.aws.calls(), os.getloadavg()[0], postgres, own)
        )

    def theirs(self, variant: str, url: str) -> None:
        if self.prowler is None:
            return
        self.aws.reset_calls()
        usage = prowler_once(self.prowler, self.environment(url))
        own = {"findings": int(usage.stdout)}
        self._keep(
            Run("prowler", str(self.size), variant, usage, self.aws.calls(), os.getloadavg()[0], own=own)
        )

    def _keep(self, run: Run) -> None:
        self.runs.append(run)
        u = run.usage
        print(
            f"  {run.tool} {run.size} {run.variant}: wall {u.wall:.1f} s, CPU {u.cpu:.1f} s, {u.rss:.0f} MiB,"
            f" {sum(run.asked.values())} calls, load {run.load:.1f}",
            flush=True,
        )

    def run(self, repeats: int) -> list[Run]:
        from proxy import DelayProxy

        for _ in range(repeats):
            self.ours("as is", self.aws.url)
            self.theirs("as is", self.aws.url)
        with DelayProxy(self.aws.url, delay_ms=DELAY_MS) as slow:
            for _ in range(repeats):
                self.ours("+40 ms", slow.url)
                self.theirs("+40 ms", slow.url)
        with DelayProxy(self.aws.url, delay_ms=DELAY_MS, replay=True) as recorded:
            self.ours("to record", recorded.url)
            for _ in range(repeats):
                self.ours("recorded +40 ms", recorded.url)
        return [run for run in self.runs if run.variant != "to record"]


def summarise(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """One row for each tool, size and variant, in the order of the runs."""
    rows = []
    for place in dict.fromkeys((run.size, run.variant, run.tool) for run in runs):
        mine = [run for run in runs if (run.size, run.variant, run.tool) == place]
        row: dict[str, Any] = dict(zip(("size", "variant", "tool"), place, strict=True))
        for name in ("wall", "cpu", "rss"):
            values = [getattr(run.usage, name) for run in mine]
            row[name], row[f"{name}_best"] = round(kit.median(values), 1), round(min(values), 1)
        row["postgres_cpu"] = round(kit.median([run.postgres_cpu for run in mine]), 1)
        row["calls"] = int(kit.median([run.own.get("api_calls") or sum(run.asked.values()) for run in mine]))
        row["findings"] = mine[-1].own["findings"]
        row["seconds_in_aws"] = mine[-1].own.get("seconds_in_aws", "")
        row["collecting"] = (
            round(kit.median([_collecting(run) for run in mine]), 1) if place[2] == "surety" else ""
        )
        row["load"] = round(kit.median([run.load for run in mine]), 1)
        row["repeats"] = len(mine)
        rows.append(row)
    return rows


def _collecting(run: Run) -> float:
    from datetime import datetime

    started, finished = (datetime.fromisoformat(run.own[name]) for name in ("started_at", "finished_at"))
    return (finished - started).total_seconds()


def ratios(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Ours over prowler's in the same run, and ours over calls x latency / concurrency."""
    by_place = {(row["size"], row["variant"], row["tool"]): row for row in rows}
    found = []
    for (size, variant, tool), row in by_place.items():
        theirs = by_place.get((size, variant, "prowler"))
        if tool == "surety" and theirs:
            shares = {name: round(row[name] / theirs[name], 3) for name in ("wall", "cpu", "rss", "calls")}
            found.append({"size": size, "variant": variant, **shares})
        if variant.startswith("recorded"):
            ideal = row["calls"] * DELAY_MS / 1000 / CONCURRENCY
            over = {
                "collecting_over_ideal": round(row["collecting"] / ideal, 2),
                "ideal_seconds": round(ideal, 2),
            }
            found.append({"size": size, "variant": variant, **over})
    return found


def common_calls(runs: Sequence[Run]) -> list[tuple[str, str, int, int]]:
    """Operations that both tools asked for in the same account, with how often."""
    found = []
    for size in dict.fromkeys(run.size for run in runs):
        ours, theirs = (
            next((Counter(r.asked) for r in runs if r.tool == tool and r.size == size), Counter[str]())
            for tool in ("surety", "prowler")
        )
        found += [(size, name, ours[name], theirs[name]) for name in sorted({*ours} & {*theirs})]
    return found


def report(runs: Sequence[Run]) -> None:
    rows = summarise(runs)
    columns = (
        "size",
        "variant",
        "tool",
        "wall",
        "wall_best",
        "cpu",
        "cpu_best",
        "postgres_cpu",
        "rss",
        "calls",
    )
    columns += ("findings", "seconds_in_aws", "collecting", "load", "repeats")
    kit.print_table("scan: seconds, MiB, calls", columns, [[row[name] for name in columns] for row in rows])
    found = ratios(rows)
    names = ("size", "variant", "wall", "cpu", "rss", "calls", "collecting_over_ideal", "ideal_seconds")
    kit.print_table("ours over prowler's", names, [[row.get(name, "") for name in names] for row in found])
    both = common_calls(runs)
    kit.print_table("operations that both ask for", ("size", "operation", "ours", "prowler's"), both)
    by_operation = {
        run.size: dict(Counter(run.asked).most_common())
        for run in runs
        if run.tool == "surety" and not run.variant.startswith("recorded")
    }
    theirs = {run.size: dict(Counter(run.asked).most_common()) for run in runs if run.tool == "prowler"}
    kit.print_json(
        "scan", rows=rows, ratios=found, calls_by_operation=by_operation, prowlers_calls_by_operation=theirs,
        prowler=PROWLER, concurrency=CONCURRENCY,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the small account, once, without prowler")
    parser.add_argument("--sizes", default="small,large")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--prowler", default="auto", help="auto (installs it), off, or the path of its command"
    )
    arguments = parser.parse_args()
    sizes = [Size.SMALL] if arguments.quick else [Size(size) for size in arguments.sizes.split(",")]
    prowler = find_prowler("off" if arguments.quick else arguments.prowler)
    runs: list[Run] = []
    with kit.own_state() as state:
        kit.set_up_django()
        for size in sizes:
            with account(size) as (aws, _built):
                runs += Bench(state, aws, size, prowler).run(1 if arguments.quick else arguments.repeats)
    report(runs)


if __name__ == "__main__":
    main()
