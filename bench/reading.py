"""How fast OCSF findings are read and looked into for identifiers: ``python bench/reading.py``.

Findings are made from the sample that prowler's code wrote: 300 checks, a resource and a time of its own for each.
Processor time, so that what else the machine does counts little; memory is the peak above idle, of a process of its own.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import kit

SAMPLE = kit.CHECKOUT / "tests" / "evidence" / "formats" / "samples" / "prowler.ocsf.json"
CHECKS = 300


def findings(count: int) -> Iterator[str]:
    chance = random.Random(3)
    samples = json.loads(SAMPLE.read_text(encoding="utf-8"))
    for number in range(count):
        sample = chance.choice(samples)
        name, check, at = (
            f"bucket-{chance.getrandbits(32):08x}-{number}",
            chance.randrange(CHECKS),
            1_795_167_000 + number,
        )
        made = json.loads(json.dumps(sample).replace(sample["resources"][0]["name"], name))
        made["metadata"]["event_code"] += f"_{check}"
        made["finding_info"] |= {"uid": f"{made['finding_info']['uid']}-{number}", "created_time": at}
        made["finding_info"]["desc"] += f" Rule {check}."
        made["risk_details"] += f" Rule {check}."
        made |= {"time": at, "time_dt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))}
        yield json.dumps(made)


def write(path: Path, count: int, *, lines: bool) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("" if lines else "[")
        for number, finding in enumerate(findings(count)):
            file.write(("\n" if lines else ",") * bool(number) + finding)
        file.write("" if lines else "]")


def read(stream: BinaryIO) -> int:
    from evidence.formats.base import Source, read_document

    return sum(1 for _ in read_document(Source(stream=stream)).outcomes)


def look(stream: BinaryIO) -> int:
    from evidence.phi.guard import scan

    return sum(1 for _ in scan(stream, "findings.json"))


def _peak() -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--findings", type=int, default=50_000)
    arguments = parser.parse_args()
    count = 2_000 if arguments.quick else arguments.findings
    ways: dict[str, Callable[[BinaryIO], int]] = {"read": read, "look for identifiers": look}
    rows = []
    with tempfile.TemporaryDirectory(prefix="surety-reading-") as folder:
        for form in ("list", "lines"):
            path = Path(folder) / form
            write(path, count, lines=form == "lines")
            for name, way in ways.items():
                with SAMPLE.open("rb") as stream:
                    way(stream)
                idle, began = _peak(), time.process_time()
                with path.open("rb") as stream:
                    way(stream)
                seconds, size = time.process_time() - began, path.stat().st_size
                row = {"form": form, "what": name, "a_second": round(count / seconds), "mb_a_second": round(size / seconds / 1e6, 1), "mib": round(_peak() - idle, 1)}  # fmt: skip
                rows.append(row)
                print(
                    f"{form:6} {name:22} {row['a_second']:8} a second {row['mb_a_second']:7} MB/s {row['mib']:6} MiB above idle"
                )
    print(json.dumps({"benchmark": "reading", "findings": count, "rows": rows}))


if __name__ == "__main__":
    main()
