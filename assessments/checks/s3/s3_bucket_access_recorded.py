from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import object_events, s3
from evidence.types import Seen


def _buckets(seen: Seen) -> Iterator[Resource]:
    events = object_events.data_events(seen)
    return (bucket._replace(data={**bucket.data, "DataEvents": events}) for bucket in s3.buckets(seen))


def judge(bucket: Resource, seen: Seen) -> Verdict:
    target = s3.log_target(bucket, seen)
    if target:
        return passed(f"server access logs go to {target}")
    if bucket.data["DataEvents"].cover(bucket, seen):
        return passed("a trail records all reads and writes of its objects")
    return failed("neither server access logs nor a trail's data events record who reads its objects")


def _example(answer: dict[str, Any], *selectors: dict[str, Any]) -> dict[str, Any]:
    bucket = {"Name": "records", "BucketRegion": "us-east-1"}
    return {
        "s3": {"ListBuckets": {"": {"Buckets": [bucket]}}, "GetBucketLogging": {"records": answer}},
        "cloudtrail": {
            "DescribeTrails": {"": {"trailList": [{"TrailARN": "t", "IsMultiRegionTrail": True}]}},
            "GetTrailStatus": {"t": {"IsLogging": True}},
            "GetEventSelectors": {"t": {"EventSelectors": list(selectors)}},
        },
    }


_ALL = {"ReadWriteType": "All", "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}

CHECK = Check(
    title="Access to objects in S3 buckets is recorded",
    severity=Severity.MEDIUM,
    collectors=("s3", "cloudtrail"),
    supports=("164.312(b)", "164.308(a)(1)(ii)(D)"),
    rationale="CloudTrail does not record reads of objects unless told to. Without that or access logs, nobody can say who read ePHI, and a leak can't be told from a breach of everything. Either of the two is a record; that a trail's complete one is kept is a check of its own.",
    expected="Server access logging is on, or a trail that is logging records all data events of the bucket's objects.",
    fix=Fix(
        console="CloudTrail, the trail, Data events, Edit: S3, all events. Or S3, the bucket, Properties, Server access logging: Enable.",
        cli='aws s3api put-bucket-logging --bucket BUCKET --bucket-logging-status \'{"LoggingEnabled":{"TargetBucket":"LOGS","TargetPrefix":"BUCKET/"}}\'',
        terraform='resource "aws_s3_bucket_logging" "records" {\n  bucket        = aws_s3_bucket.records.id\n  target_bucket = aws_s3_bucket.logs.id\n  target_prefix = "records/"\n}',
    ),
    per=Per.ACCOUNT,
    resources=_buckets,
    judge=judge,
    passing=(
        {"s3": _example({"LoggingEnabled": {"TargetBucket": "logs"}})["s3"]},
        _example({}, _ALL),
    ),
    failing=(_example({}), _example({}, {**_ALL, "ReadWriteType": "WriteOnly"})),
)
