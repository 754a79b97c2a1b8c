from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict
from assessments.checks.subjects import examples, iam, trail
from evidence.types import Seen


def judge(_account: Resource, seen: Seen) -> Verdict:
    return trail.judge_any(
        seen, trail.covers_account, "records all regions", "records all regions and is switched on"
    )


CHECK = Check(
    title="A trail records what is done in every region",
    severity=Severity.CRITICAL,
    collectors=("cloudtrail",),
    supports=("164.308(a)(3)(ii)(A)", "164.312(b)"),
    rationale="The Rule asks for a record of what happens in systems that hold ePHI; a region without a trail is where an intruder works unseen.",
    expected="A trail of all regions is switched on.",
    fix=Fix(
        console="CloudTrail, Trails, Create trail: it records all regions; make sure that logging is on.",
        cli="aws cloudtrail create-trail --name main --s3-bucket-name BUCKET --is-multi-region-trail --enable-log-file-validation && aws cloudtrail start-logging --name main",
        terraform='resource "aws_cloudtrail" "main" { is_multi_region_trail = true, enable_logging = true, ... }',
    ),
    resources=iam.account,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(examples.trail(status={"IsLogging": True}, IsMultiRegionTrail=True),),
    failing=(
        examples.trail(status={"IsLogging": False}, IsMultiRegionTrail=True),
        examples.trail(status={"IsLogging": True}, IsMultiRegionTrail=False),
        {"cloudtrail": {"DescribeTrails": {"": {"trailList": []}}}},
    ),
)
