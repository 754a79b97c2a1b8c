from __future__ import annotations

from typing import Any

from assessments.checks.base import (
    Absent,
    Check,
    Fix,
    Per,
    Resource,
    Severity,
    Verdict,
    failed,
    passed,
    unknown,
)
from assessments.checks.subjects import s3
from evidence.types import Seen


def judge(bucket: Resource, seen: Seen) -> Verdict:
    if "Name" not in bucket.data:
        return unknown("the bucket is not among this account's")
    answer = seen["s3"].get("GetObjectLockConfiguration", bucket.name) or {}
    lock = answer.get("ObjectLockConfiguration") or {}
    if lock.get("ObjectLockEnabled") != "Enabled":
        return failed("Object Lock is not enabled")
    retention = (lock.get("Rule") or {}).get("DefaultRetention")
    if not retention:
        return failed("Object Lock is enabled, but new objects get no retention")
    span = (
        f"{retention['Years']} years"
        if retention.get("Years")
        else f"{retention.get('Days', 'an unknown number of')} days"
    )
    return passed(f"new objects are locked for {span} ({retention.get('Mode', 'mode not said')})")


def _example(answer: Any) -> dict[str, Any]:
    return {
        "s3": {
            "ListBuckets": {"": {"Buckets": [{"Name": "trail-logs"}]}},
            "GetObjectLockConfiguration": {"trail-logs": answer},
        },
        "cloudtrail": {
            "DescribeTrails": {"": {"trailList": [{"TrailARN": "t", "S3BucketName": "trail-logs"}]}}
        },
    }


def _lock(**rule: Any) -> dict[str, Any]:
    return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", **rule}}


CHECK = Check(
    title="Buckets for trails and backups lock their objects",
    severity=Severity.MEDIUM,
    collectors=("s3", "cloudtrail"),
    supports=("164.312(c)(1)", "164.312(c)(2)"),
    rationale="Who breaks in deletes the records of it, and the backups, first. A locked object can't be changed or deleted before its time, not even by an administrator (compliance mode).",
    expected="Object Lock is enabled with a default retention, on buckets that trails write to and on those with 'backup' in their name.",
    fix=Fix(
        console="S3, the bucket, Properties, Object Lock, Edit: Enable, with a default retention.",
        cli="aws s3api put-object-lock-configuration --bucket BUCKET --object-lock-configuration 'ObjectLockEnabled=Enabled,Rule={DefaultRetention={Mode=COMPLIANCE,Days=365}}'",
        terraform='resource "aws_s3_bucket_object_lock_configuration" "logs" {\n  bucket = aws_s3_bucket.logs.id\n  rule {\n    default_retention {\n      mode = "COMPLIANCE"\n      days = 365\n    }\n  }\n}',
    ),
    per=Per.ACCOUNT,
    resources=s3.log_and_backup_buckets,
    judge=judge,
    passing=(_example(_lock(Rule={"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 365}})),),
    failing=(_example(Absent("ObjectLockConfigurationNotFoundError")), _example(_lock())),
)
