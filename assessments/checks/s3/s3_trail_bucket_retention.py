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
    rules = (seen["s3"].get("GetBucketLifecycleConfiguration", bucket.name) or {"Rules": []}).get("Rules")
    if rules is None:
        return unknown("AWS did not list the lifecycle rules")
    prefixes = [
        f"{trail['S3KeyPrefix']}/AWSLogs/" if trail.get("S3KeyPrefix") else "AWSLogs/"
        for trail in bucket.data["Trails"]
    ]
    found = [
        rule
        for rule in rules
        if "Expiration" in rule and any(s3.rule_applies(rule, prefix) for prefix in prefixes)
    ]
    early = [
        rule
        for rule in found
        if rule.get("Status") == "Enabled" and rule["Expiration"].get("Days", _LEAST_DAYS) < _LEAST_DAYS
    ]
    if early:
        return failed(
            "logs expire after " + ", ".join(f"{rule['Expiration']['Days']} days" for rule in early)
        )
    if any("Status" not in rule or not rule["Expiration"] for rule in found):
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
    failing=(_example(_rule(90)), _example(_rule(90, Filter={"Prefix": "AWSLogs/"}))),
)
