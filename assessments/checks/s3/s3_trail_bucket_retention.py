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

_LEAST_DAYS = 365


def judge(bucket: Resource, seen: Seen) -> Verdict:
    if "Name" not in bucket.data:
        return unknown("the bucket is not among this account's")
    rules = s3.expirations(bucket, seen)
    early = [(rule.days, str(rule)) for rule in rules if rule.enabled and rule.days is not None]
    if early and min(early)[0] < _LEAST_DAYS:
        return failed(f"logs expire {min(early)[1]}")
    if any(rule.enabled is None or (rule.enabled and rule.days is None) for rule in rules):
        return unknown("AWS did not say when logs expire")
    return passed(f"no lifecycle rule deletes logs before {_LEAST_DAYS} days")


def _example(*rules: dict[str, Any]) -> dict[str, Any]:
    answer = {"Rules": list(rules)} if rules else Absent("NoSuchLifecycleConfiguration")
    return {
        "s3": {
            "ListBuckets": {"": {"Buckets": [{"Name": "trail-logs"}]}},
            "GetBucketLifecycleConfiguration": {"trail-logs": answer},
        },
        "cloudtrail": {
            "DescribeTrails": {"": {"trailList": [{"TrailARN": "t", "S3BucketName": "trail-logs"}]}}
        },
    }


def _rule(days: int, **fields: Any) -> dict[str, Any]:
    return {
        "ID": "expire",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"Days": days},
        **fields,
    }


CHECK = Check(
    title="Lifecycle rules keep trail logs for a year or longer",
    severity=Severity.MEDIUM,
    collectors=("s3", "cloudtrail"),
    supports=("164.312(b)", "164.308(a)(1)(ii)(D)"),
    rationale="Break-ins are found months later. Logs that a lifecycle rule deleted by then can't be examined. How long raw logs must be kept is the tenant's own decision; a year is the least that is useful.",
    expected="No enabled lifecycle rule expires the trail's objects before 365 days.",
    fix=Fix(
        console="S3, the bucket, Management, Lifecycle rules: raise the number of days, or transition to an archive class instead.",
        cli="aws s3api put-bucket-lifecycle-configuration --bucket BUCKET --lifecycle-configuration file://lifecycle.json",
    ),
    per=Per.ACCOUNT,
    resources=s3.trail_buckets,
    judge=judge,
    passing=(
        _example(),
        _example(_rule(2190)),
        _example(_rule(30, Filter={"Prefix": "tmp/"})),
        _example(_rule(30, Status="Disabled")),
    ),
    failing=(
        _example(_rule(90)),
        _example(_rule(90, Filter={"Prefix": "AWSLogs/"})),
        _example(_rule(0, Expiration={"Date": "2026-06-01T00:00:00Z"})),
    ),
)
