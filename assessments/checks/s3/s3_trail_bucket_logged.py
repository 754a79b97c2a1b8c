from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import s3
from evidence.types import Seen


def judge(bucket: Resource, seen: Seen) -> Verdict:
    if "Name" not in bucket.data:
        return unknown("the bucket is not among this account's")
    target = s3.log_target(bucket, seen)
    return passed(f"server access logs go to {target}") if target else failed("server access logging is off")


def _example(answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "s3": {
            "ListBuckets": {"": {"Buckets": [{"Name": "trail-logs"}]}},
            "GetBucketLogging": {"trail-logs": answer},
        },
        "cloudtrail": {
            "DescribeTrails": {"": {"trailList": [{"TrailARN": "t", "S3BucketName": "trail-logs"}]}}
        },
    }


CHECK = Check(
    title="Access to the buckets that hold trail logs is recorded",
    severity=Severity.LOW,
    collectors=("s3", "cloudtrail"),
    supports=("164.312(b)",),
    rationale="The trail shows who did what with ePHI. Who read or deleted the trail's own files must be on record too, or the record can't be relied on.",
    expected="Server access logging is on for the bucket that a trail writes to.",
    fix=Fix(
        console="S3, the bucket, Properties, Server access logging, Edit: Enable, into another bucket.",
        cli='aws s3api put-bucket-logging --bucket BUCKET --bucket-logging-status \'{"LoggingEnabled":{"TargetBucket":"LOGS","TargetPrefix":"BUCKET/"}}\'',
    ),
    per=Per.ACCOUNT,
    resources=s3.trail_buckets,
    judge=judge,
    passing=(_example({"LoggingEnabled": {"TargetBucket": "access-logs"}}),),
    failing=(_example({}),),
)
