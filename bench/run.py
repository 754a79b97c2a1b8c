"""Runs the benchmarks one after another: ``make bench``, ``make bench ARGS=--quick``, ``make bench ARGS="vault clients"``.

Their JSON lines land in .surety/bench/results.jsonl. All of them take about an hour on two cores, most of it
prowler's; with --quick about five.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

import kit

BENCHMARKS = (
    "audit", "clients", "audit_page", "vault", "evaluate", "overview", "statuses", "tenancy", "second_factor",
    "enumeration", "scan", "verify_log", "sharing", "sharing_races", "portfolio", "phi_guard", "interface", "pushes",
    "submissions", "reads",
)  # fmt: skip


def run(name: str, *, quick: bool) -> tuple[int, str]:
    """Runs one, its output going by; its exit code and its last line."""
    command = [kit.PYTHON, str(kit.CHECKOUT / "bench" / f"{name}.py"), *(["--quick"] if quick else [])]
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=kit.CHECKOUT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if not line.startswith('{"benchmark"'):
                print(line, end="", flush=True)
            last = line
    return process.returncode, last


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="which (default: all)")
    parser.add_argument(
        "--quick", action="store_true", help="smaller accounts, fewer rounds, without prowler"
    )
    arguments = parser.parse_args()
    results = kit.CHECKOUT / ".surety" / "bench" / "results.jsonl"
    results.parent.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in arguments.names or BENCHMARKS:
        print(f"\n== {name}", flush=True)
        code, last = run(name, quick=arguments.quick)
        if code:
            failed.append(name)
        else:
            with results.open("a") as file:
                file.write(last)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
