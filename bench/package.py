"""Building an evidence package of 10 GB: peak memory of the worker's process, wall time, and what sealing fields costs.

The evidence is synthetic: JSON documents of 8 MB, a few distinct ones that many snapshots share (so that filling the
vault doesn't take an hour), each written into the package for each snapshot. The worker is a process of its own, with
nothing in it but one build; the sealer runs beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import kit

MEGABYTE = 1_000_000
DOCUMENT = 8 * MEGABYTE
DISTINCT = 12


def document(seed: int) -> bytes:
    """Names, numbers and flags as AWS answers hold them; deflates to about a third."""
    chosen = random.Random(seed)
    rows, size = [], 0
    while size < DOCUMENT:
        row = {
            "Name": chosen.randbytes(10).hex(), "Arn": f"arn:aws:s3:::{chosen.randbytes(16).hex()}",
            "Size": chosen.getrandbits(40), "Encrypted": chosen.random() < 0.5, "KmsKeyId": chosen.randbytes(16).hex(),
        }  # fmt: skip
        rows.append(row)
        size += len(json.dumps(row)) + 1
    return json.dumps({"calls": {"ListBuckets": {"": {"response": {"Buckets": rows}}}}, "gaps": []}).encode()


def fill(tenant_id: UUID, snapshots: int) -> int:
    """Snapshots with their entries in the log; returns the bytes of evidence."""
    from django.utils import timezone

    from accounts.audit.events import Act
    from accounts.audit.log import record
    from accounts.tenancy.scope import open_tenant
    from evidence import vault
    from evidence.models import AwsConnection, CollectionRun, CollectionUnit, Snapshot

    sealed = [
        vault.seal(document(seed), tenant_id=tenant_id, media_type="application/octet-stream")
        for seed in range(min(DISTINCT, snapshots))
    ]
    now = timezone.now()
    with open_tenant(tenant_id):
        aws = AwsConnection.objects.create(
            name="Bench", aws_account_id="222222222222", regions=["us-east-1"], state="verified"
        )
        run = CollectionRun.objects.create(
            connection=aws, trigger="person", started_at=now, finished_at=now, state="finished"
        )
        blobs = [each.keep() for each in sealed]
        for number in range(snapshots):
            blob, region = blobs[number % len(blobs)], f"region-{number // len(blobs)}"
            snapshot = Snapshot.objects.create(
                connection=aws, run=run, blob=blob, collector="s3", collector_version=1 + number % len(blobs),
                region=region, aws_account_id=aws.aws_account_id, gap_count=0, provenance={}, collected_at=now,
                sealed_at=now,
            )  # fmt: skip
            CollectionUnit.objects.create(
                run=run,
                collector=f"s3-{number}",
                region=region,
                state="done",
                snapshot=snapshot,
                collected_at=now,
            )
            record(
                Act.EVIDENCE_SEAL,
                object_type="snapshot",
                object_id=snapshot.pk,
                sha256=blob.digest,
                fields_root="",
            )
    return sum(blobs[number % len(blobs)].size for number in range(snapshots))


def ask(tenant_id: UUID) -> UUID:
    """A package of the last day's evidence."""
    from django.utils import timezone

    from accounts.models import Person
    from accounts.tenancy.scope import open_tenant
    from assessments.packages import services

    person = Person.objects.create_user(f"{os.urandom(6).hex()}@example.org", None, name="Bench")
    today = timezone.now().date()
    services.ring_after_commit = lambda *_: None
    with open_tenant(tenant_id):
        wanted = services.Wanted(period_from=today - timedelta(days=1), period_to=today)
        return UUID(str(services.request_package(wanted=wanted, person=person).pk))


def build(tenant_id: UUID, package_id: UUID) -> None:
    """The worker's part, in a process of its own; prints its memory when idle, and the seconds of the build."""
    kit.set_up_django()
    from assessments.packages.build import build_package

    idle, started = _rss(), time.perf_counter()
    while build_package(tenant_id=tenant_id, package_id=package_id):
        time.sleep(0.2)
        started = time.perf_counter()
    print(json.dumps({"idle": idle, "seconds": time.perf_counter() - started}))


def _rss() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


@contextlib.contextmanager
def sealing(state: Path) -> Iterator[None]:
    """The sealer, beside."""
    environment = kit.clean_environment(state, SURETY_DATABASE_ROLE="sealer", ANCHOR_SECONDS="2")
    process = subprocess.Popen([kit.PYTHON, "manage.py", "seal_log"], cwd=kit.CHECKOUT, env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def measure(state: Path, gigabytes: float) -> dict[str, Any]:
    """One package of that much evidence."""
    from accounts.tenancy.scope import open_tenant
    from assessments.models import Package

    tenant_id = kit.make_tenant(f"bench-package-{os.urandom(3).hex()}")
    evidence = fill(tenant_id, max(1, round(gigabytes * 1000 * MEGABYTE / DOCUMENT)))
    package_id = ask(tenant_id)
    environment = kit.clean_environment(state, SURETY_DATABASE_ROLE="worker")
    command = [sys.executable, __file__, "--build", str(tenant_id), str(package_id)]
    usage = kit.run_measured(command, env=environment)
    if usage.returncode:
        raise SystemExit(usage.stderr[-3000:])
    own = json.loads(usage.stdout.splitlines()[-1])
    with open_tenant(tenant_id):
        package = Package.objects.get(pk=package_id)
    if package.state != "ready":
        raise SystemExit(f"{package.state}: {package.note}")
    (Path(state) / "vault" / package.address).unlink()
    return {
        "evidence GB": round(evidence / 1e9, 2), "package GB": round(package.size / 1e9, 2),
        "seconds": round(own["seconds"], 1), "MB/s": round(evidence / MEGABYTE / own["seconds"], 1),
        "CPU s": round(usage.cpu, 1), "idle MiB": round(own["idle"], 1), "peak MiB": round(usage.rss, 1),
    }  # fmt: skip


def cost_of_fields(rounds: int) -> dict[str, float]:
    """CPU ms of the salted leaves of all documents of a small account, by account: what sealing pays more."""
    import large_run
    from aws_account import Size

    from evidence.fields import leaves_of, root_of

    documents = [json.dumps(payload).encode() for payload in large_run.collected(Size.SMALL).values()]
    taken, salt = [], os.urandom(32)
    for _ in range(rounds):
        started = time.thread_time()
        for content in documents:
            root_of(json.loads(content), salt)
        taken.append((time.thread_time() - started) * 1000)
    leaves = sum(len(leaves_of(json.loads(content), salt)) for content in documents)
    return {
        "documents": len(documents),
        "bytes": sum(map(len, documents)),
        "leaves": leaves,
        "CPU ms": kit.median(taken),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1 GB at most")
    parser.add_argument("--sizes", nargs="+", type=float, default=[0.1, 1.0, 10.0], help="GB of evidence")
    parser.add_argument("--build", nargs=2, type=UUID, metavar=("TENANT", "PACKAGE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.build:
        build(*arguments.build)
        return
    with kit.own_state() as state:
        kit.set_up_django()
        fields = cost_of_fields(20)
        with sealing(state):
            rows = [measure(state, size) for size in ([0.1, 1.0] if arguments.quick else arguments.sizes)]
    kit.print_table("evidence packages", [*rows[0]], [[*row.values()] for row in rows])
    kit.print_table("salted leaves of a small account", [*fields], [[*fields.values()]])
    kit.print_json("package", rows=rows, fields=fields)


if __name__ == "__main__":
    main()
