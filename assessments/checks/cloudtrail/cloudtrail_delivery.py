from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import examples, trail
from evidence.types import Seen


def judge(one: Resource, seen: Seen) -> Verdict:
    status = trail.status(one, seen)
    if not status.get("IsLogging"):
        return failed("it is switched off")
    if status.get("LatestDeliveryError"):
        return failed(
            f"the last delivery to bucket {one.data.get('S3BucketName')} failed: {status['LatestDeliveryError']}"
        )
    delivered = status.get("LatestDeliveryTime")
    if not delivered and trail.is_foreign(one, seen):
        return unknown("AWS did not say when the organisation's trail last delivered")
    if trail.is_late(delivered, seen):
        return failed(
            f"the last delivery was {delivered}, more than a day ago"
            if delivered
            else "nothing was ever delivered"
        )
    return passed("it delivered within the last day, without error")


CHECK = Check(
    title="Trails deliver their files without error",
    severity=Severity.HIGH,
    collectors=("cloudtrail",),
    supports=("164.312(b)",),
    rationale="A trail that cannot write to its bucket looks switched on and records nothing that can be read; the gap shows only when the record is needed.",
    expected="The trail is switched on, its last delivery was within a day and had no error.",
    fix=Fix(
        console="CloudTrail, the trail: see the last delivery error; mend the bucket's policy or the key's policy for cloudtrail.amazonaws.com.",
        cli="aws cloudtrail get-trail-status --name main && aws cloudtrail start-logging --name main",
    ),
    resources=trail.trails,
    judge=judge,
    passing=(examples.trail(status={"IsLogging": True, "LatestDeliveryTime": "2026-01-15T11:50:00Z"}),),
    failing=(
        examples.trail(status={"IsLogging": False, "LatestDeliveryTime": "2026-01-15T11:50:00Z"}),
        examples.trail(
            status={
                "IsLogging": True,
                "LatestDeliveryTime": "2026-01-15T11:50:00Z",
                "LatestDeliveryError": "AccessDenied",
            }
        ),
        examples.trail(status={"IsLogging": True, "LatestDeliveryTime": "2026-01-10T11:50:00Z"}),
        examples.trail(status={"IsLogging": True}),
    ),
)
