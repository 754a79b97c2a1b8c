"""What a process pays for its AWS clients: time and memory, ours and plain boto3's, for every service of the collectors.

Each figure is of a new process: the imports apart, the first region's clients, then a second region's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from typing import Any

import kit

_CHILD = """
import json, os, resource, sys, time
sys.path.insert(0, {checkout!r})
def memory():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 2**20
def measured(name, act):
    memory_before, started = memory(), time.process_time()
    act()
    figures[name] = [round(time.process_time() - started, 3), round(memory() - memory_before, 1)]
figures = {{}}
{body}
figures["all"] = [round(time.process_time(), 3), round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)]
print(json.dumps(figures))
"""

_OURS = """
def load():
    global session
    from evidence.aws.session import AmbientAccess, AwsSession
    session = AwsSession(AmbientAccess())
measured("imports", load)
for region in ("us-east-1", "us-west-2"):
    measured(region, lambda: [session.client(service, region) for service in {services!r}])
"""

_BOTO3 = """
def load():
    global session
    import boto3
    session = boto3.Session()
measured("imports", load)
for region in ("us-east-1", "us-west-2"):
    measured(region, lambda: [session.client(service, region_name=region) for service in {services!r}])
"""

_FRESH = """
def load():
    global boto3
    import boto3
measured("imports", load)
for region in ("us-east-1", "us-west-2"):
    measured(region, lambda: [boto3.Session().client(service, region_name=region) for service in {services!r}])
"""

WAYS = {"surety": _OURS, "boto3, one session": _BOTO3, "boto3, a session for each client": _FRESH}


def run(body: str, services: list[str]) -> dict[str, list[float]]:
    """CPU seconds and MiB by step, in a process of its own."""
    code = _CHILD.format(checkout=str(kit.CHECKOUT), body=body.format(services=services))
    keys = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(
        [kit.PYTHON, "-c", code], env={**os.environ, **keys}, check=True, capture_output=True, text=True
    )
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="once")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    from evidence.aws.models import declared_operations

    services = sorted(declared_operations())
    rounds = 1 if arguments.quick else arguments.rounds
    found = {way: [run(body, services) for _ in range(rounds)] for way, body in WAYS.items()}
    rows = [_row(way, step, runs) for way, runs in found.items() for step in runs[0]]
    kit.print_table(f"clients of {len(services)} services", [*rows[0]], [[*row.values()] for row in rows])
    kit.print_json("clients", services=services, rounds=rounds, rows=rows)


def _row(way: str, step: str, runs: list[dict[str, list[float]]]) -> dict[str, Any]:
    seconds, memory = zip(*(found[step] for found in runs), strict=True)
    return {
        "way": way,
        "step": step,
        "CPU s": kit.median(seconds),
        "best": min(seconds),
        "MiB": kit.median(memory),
    }


if __name__ == "__main__":
    main()
