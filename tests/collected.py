"""A tenant whose account was collected and evaluated, with sealed snapshots, for tests of pages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.models import Tenant
from accounts.tenancy.scope import open_tenant
from assessments.models import Finding
from assessments.services import evaluate_run
from evidence import vault
from evidence.models import AwsConnection, CollectionRun, CollectionUnit, Snapshot
from tests.factories import make_connection, make_run

DENIED: dict[str, Any] = {
    "service": "s3", "operation": "GetBucketPolicy", "region": "global", "key": "scans", "reason": "denied",
    "code": "AccessDenied", "message": "not authorized to perform: s3:GetBucketPolicy", "action": "s3:GetBucketPolicy",
}  # fmt: skip
VERSIONING = "s3_bucket_versioning"


@dataclass(frozen=True, slots=True)
class Collected:
    """One connection, its finished run, and the snapshot of S3."""

    connection: AwsConnection
    run: CollectionRun
    snapshot: Snapshot

    def finding(self, name: str, check_id: str = VERSIONING) -> Finding:
        tenant_id: UUID = self.connection.tenant_id  # type: ignore[assignment]
        with open_tenant(tenant_id):
            return Finding.objects.get(check_id=check_id, resource_name=name)


def collect(
    tenant: Tenant,
    *,
    versioned: dict[str, bool] | None = None,
    at: datetime | None = None,
    connection: AwsConnection | None = None,
) -> Collected:
    """Seals what S3 answered of some buckets (default: `logs` keeps versions, `scans` doesn't), and evaluates it."""
    buckets = versioned if versioned is not None else {"logs": True, "scans": False}
    at = at or datetime.now(UTC) - timedelta(hours=2)
    connection = connection or make_connection(tenant)
    run = make_run(
        tenant, connection, started_at=at, finished_at=at, state="finished", verdict="partial", units_total=1
    )
    raw = json.dumps(_payload(connection, buckets)).encode()
    sealed = vault.seal(raw, tenant_id=tenant.pk, media_type="application/json")
    with open_tenant(tenant.pk):
        snapshot, _ = Snapshot.objects.get_or_create(
            connection=connection, collector="s3", collector_version=1, region="global", blob=sealed.keep(),
            defaults={"run": run, "aws_account_id": connection.aws_account_id, "gap_count": 1, "collected_at": at, "sealed_at": at,
                      "provenance": {"role_arn": connection.role_arn, "session_name": "surety-1", "api_calls": {"s3:ListBuckets": 1},
                                     "request_ids": [["s3:ListBuckets", "REQ1"]], "request_ids_total": 1}},
        )  # fmt: skip
        CollectionUnit.objects.create(
            run=run,
            collector="s3",
            region="global",
            state="done",
            snapshot=snapshot,
            gaps=[DENIED],
            api_calls={"s3:ListBuckets": 1},
            collected_at=at,
        )
    assert evaluate_run(tenant_id=tenant.pk, run_id=run.pk)
    return Collected(connection, run, snapshot)


def _payload(connection: AwsConnection, buckets: dict[str, bool]) -> dict[str, Any]:
    calls = {
        "ListBuckets": {
            "": {"response": {"Buckets": [{"Name": name, "BucketRegion": "us-east-1"} for name in buckets]}}
        },
        "GetBucketVersioning": {
            name: {"response": {"Status": "Enabled" if kept else "Suspended"}}
            for name, kept in buckets.items()
        },
    }
    return {
        "collector": "s3", "version": 1, "account_id": connection.aws_account_id, "partition": "aws", "region": "global",
        "calls": calls, "gaps": [DENIED],
    }  # fmt: skip
