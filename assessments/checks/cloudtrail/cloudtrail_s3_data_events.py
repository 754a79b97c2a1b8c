"""Which buckets hold ePHI is the tenant's to say, so each bucket is judged."""

from collections.abc import Iterator

from assessments.checks.base import (
    Check,
    Example,
    Fix,
    Per,
    Resource,
    Severity,
    Verdict,
    failed,
    not_applicable,
    passed,
)
from assessments.checks.subjects import examples, object_events, s3, trail
from evidence.types import Json, Seen


def _buckets(seen: Seen) -> Iterator[Resource]:
    """Buckets, with what the trails record of objects, read once for all of them."""
    events = object_events.data_events(seen)
    logs = {one.data.get("S3BucketName") for one in trail.all_trails(seen)[0]}
    for bucket in s3.buckets(seen):
        yield bucket._replace(data={"DataEvents": events, "ReceivesLogs": bucket.name in logs})


def judge(bucket: Resource, seen: Seen) -> Verdict:
    if bucket.data["ReceivesLogs"]:
        return not_applicable("receives a trail's own files, whose recording would feed itself")
    if bucket.data["DataEvents"].cover(bucket, seen):
        return passed("a trail records all reads and writes of its objects")
    return failed("no trail records both reads and writes of all its objects")


def _example(**selectors: object) -> Example:
    listed = {"s3": {"ListBuckets": {"": {"Buckets": [{"Name": "charts", "BucketRegion": "us-east-1"}]}}}}
    return {**listed, **examples.trail({"IsLogging": True}, selectors, IsMultiRegionTrail=True)}


def _selector(read_write: str, value: str) -> list[Json]:
    return [{"ReadWriteType": read_write, "DataResources": [{"Type": "AWS::S3::Object", "Values": [value]}]}]


_OBJECTS = [
    {"Field": "eventCategory", "Equals": ["Data"]},
    {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
]

CHECK = Check(
    title="A trail records who reads and writes the objects of a bucket",
    severity=Severity.MEDIUM,
    collectors=("cloudtrail", "s3"),
    supports=("164.308(a)(1)(ii)(D)", "164.312(b)"),
    rationale="Reads and writes of objects are data events, which CloudTrail leaves out unless told: without them nobody can say afterwards whose documents were taken. Server access logs, which S3 delivers at best effort and often hours later, are no substitute for them.",
    expected="A trail records read and write data events of all objects of the bucket.",
    fix=Fix(
        console="CloudTrail, the trail, Data events, Edit, S3: log all events for the buckets that hold ePHI.",
        cli="""aws cloudtrail put-event-selectors --trail-name main --advanced-event-selectors '[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::S3::Object"]},{"Field":"resources.ARN","StartsWith":["arn:aws:s3:::BUCKET/"]}]}]'  # with the selectors that exist""",
        terraform='advanced_event_selector { field_selector { field = "resources.type", equals = ["AWS::S3::Object"] } ... } in resource "aws_cloudtrail"',
    ),
    resources=_buckets,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(
        _example(EventSelectors=_selector("All", "arn:aws:s3:::charts/")),
        _example(EventSelectors=_selector("All", "arn:aws:s3")),
        _example(AdvancedEventSelectors=[{"FieldSelectors": _OBJECTS}]),
        _example(
            AdvancedEventSelectors=[
                {
                    "FieldSelectors": [
                        *_OBJECTS,
                        {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::charts/"]},
                    ]
                }
            ]
        ),
    ),
    failing=(
        _example(EventSelectors=_selector("WriteOnly", "arn:aws:s3")),
        _example(EventSelectors=_selector("All", "arn:aws:s3:::charts/reports/")),
        _example(EventSelectors=_selector("All", "arn:aws:s3:::other/")),
        _example(
            AdvancedEventSelectors=[
                {"FieldSelectors": [*_OBJECTS, {"Field": "readOnly", "Equals": ["false"]}]}
            ]
        ),
    ),
)
