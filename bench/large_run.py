"""A run of a large account, as its units would have left it: real answers of the stand-in, spread over regions.

The answers of one region are copied to others with the region's name replaced, so 100,000 outcomes need no
100,000 calls. What was collected is kept in .surety/bench until a collector or the stand-in changes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import kit
import zstandard
from aws_account import ACCOUNT, REGIONS, Size, account

Payload = dict[str, Any]
Payloads = dict[tuple[str, str], Payload]


def collected(size: Size) -> Payloads:
    """What the collectors say of the benchmark's account, by collector and region."""
    kept = kit.CHECKOUT / ".surety" / "bench" / f"answers-{size}-{_digest()}.json.zst"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        content = json.dumps([*_collect(size).values()]).encode()
        kept.write_bytes(zstandard.ZstdCompressor().compress(content))
    content = zstandard.ZstdDecompressor().decompress(kept.read_bytes())
    return {(payload["collector"], payload["region"]): payload for payload in json.loads(content)}


def _digest() -> str:
    folders = ("evidence/collectors", "evidence/aws", "portal/demo/aws", "bench")
    names = sorted(path for folder in folders for path in (kit.CHECKOUT / folder).glob("*.py"))
    names = [path for path in names if path.parent.name != "bench" or path.name == "aws_account.py"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in names)).hexdigest()[:16]


def _collect(size: Size) -> Payloads:
    from evidence.aws.reader import collect_unit
    from evidence.aws.session import AmbientAccess, AwsSession
    from evidence.collectors.base import Scope, collectors
    from evidence.types import GLOBAL

    with account(size) as (aws, _built), ThreadPoolExecutor(16) as pool:
        admin = aws.admin_credentials(ACCOUNT)
        os.environ |= {"AWS_ENDPOINT_URL": aws.url, "AWS_DEFAULT_REGION": REGIONS[0]}
        os.environ |= {name.upper(): str(value) for name, value in admin.items()}
        session = AwsSession(AmbientAccess())
        return {
            (name, region): collect_unit(session, collector, region, pool=pool).payload
            for name, collector in collectors().items()
            for region in ([GLOBAL] if collector.scope is Scope.GLOBAL else REGIONS)
        }


def spread(payloads: Payloads, regions: int) -> Payloads:
    """The account in as many regions, each with the resources that the second one had."""
    from evidence.aws.partitions import regions_of

    source = REGIONS[1]
    names = [region for region in regions_of("aws") if region not in REGIONS][: regions - len(REGIONS)]
    copied = {
        (collector, name): json.loads(json.dumps(payload).replace(source, name))
        for (collector, region), payload in payloads.items()
        if region == source
        for name in names
    }
    return {**payloads, **copied}


def unencrypt(payloads: Payloads, volumes: int) -> Payloads:
    """The same account after that many of its volumes were replaced by unencrypted ones."""
    changed: Payloads = {place: json.loads(json.dumps(payload)) for place, payload in payloads.items()}
    found = [
        volume
        for (collector, _region), payload in sorted(changed.items())
        if collector == "ec2"
        for volume in payload["calls"]["DescribeVolumes"][""]["response"]["Volumes"]
        if volume["Encrypted"]
    ]
    for volume in found[:: max(len(found) // volumes, 1)][:volumes]:
        volume["Encrypted"] = False
        volume.pop("KmsKeyId", None)
    return changed


def answers_of(payloads: Mapping[tuple[str, str], Payload]) -> Any:
    """The answers in the form that checks read."""
    from evidence.types import Answers

    return {place: Answers.from_payload(payload) for place, payload in payloads.items()}


def regions_in(payloads: Payloads) -> list[str]:
    return sorted({region for _, region in payloads} - {"global"})


def connect(tenant_id: UUID, payloads: Payloads) -> UUID:
    """A verified connection of the tenant to the account; its id."""
    from accounts.tenancy.scope import open_tenant
    from evidence.models import AwsConnection, ConnectionState
    from evidence.services import create_connection

    with open_tenant(tenant_id):
        made = create_connection(name="Benchmark", aws_account_id=ACCOUNT, regions=regions_in(payloads))
        AwsConnection.objects.filter(pk=made.pk).update(state=ConnectionState.VERIFIED)
        return made.pk


def write_run(tenant_id: UUID, connection_id: UUID, payloads: Payloads) -> UUID:
    """A finished run whose units brought these answers, sealed in the vault; the run's id."""
    from accounts.tenancy.scope import open_tenant
    from evidence.models import CollectionRun, CollectionUnit, RunState, RunVerdict

    with open_tenant(tenant_id):
        now = datetime.now(UTC)
        run = CollectionRun.objects.create(
            connection_id=connection_id, trigger="command", started_at=now, units_total=len(payloads)
        )
        for (collector, region), payload in payloads.items():
            unit = CollectionUnit.objects.create(run=run, collector=collector, region=region)
            _finish_unit(unit, payload)
        run.state, run.verdict, run.finished_at = RunState.FINISHED, RunVerdict.COMPLETE, datetime.now(UTC)
        run.save()
        return run.pk


def _finish_unit(unit: Any, payload: Payload) -> None:
    from evidence.aws.reader import Collected
    from evidence.models import UnitState
    from evidence.services.collection import _seal
    from evidence.services.snapshots import keep_snapshot

    now = datetime.now(UTC)
    brought = Collected(payload, (), Counter(), (), 0.0, now, now)
    sealed = _seal(unit.tenant_id, brought)
    unit.snapshot = keep_snapshot(unit=unit, collected=brought, blob=sealed.keep())
    unit.state, unit.collected_at = UnitState.DONE, now
    unit.save()
