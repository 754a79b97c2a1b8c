from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import examples, trail
from evidence.types import Seen


def judge(one: Resource, seen: Seen) -> Verdict:
    group = one.data.get("CloudWatchLogsLogGroupArn")
    if not group:
        return failed("it does not deliver to CloudWatch Logs")
    status = trail.status(one, seen)
    if status.get("LatestCloudWatchLogsDeliveryError"):
        return failed(
            f"the last delivery to CloudWatch Logs failed: {status['LatestCloudWatchLogsDeliveryError']}"
        )
    delivered = status.get("LatestCloudWatchLogsDeliveryTime")
    if not delivered and trail.is_foreign(one, seen):
        return unknown("AWS did not say when the organisation's trail last delivered to CloudWatch Logs")
    if trail.is_late(delivered, seen):
        return failed(
            f"the last delivery to CloudWatch Logs was {delivered}, more than a day ago"
            if delivered
            else "nothing was ever delivered to CloudWatch Logs"
        )
    return passed(f"it delivered to {group} within the last day")


_GROUP = "arn:aws:logs:us-east-1:111122223333:log-group:trail:*"

CHECK = Check(
    title="Trails deliver to CloudWatch Logs",
    severity=Severity.MEDIUM,
    collectors=("cloudtrail",),
    supports=("164.308(a)(1)(ii)(D)", "164.312(b)"),
    rationale="Records that lie in a bucket are looked at after the fact; in CloudWatch Logs they raise alarms within minutes and can be searched in a review.",
    expected="The trail delivered to a log group within a day, without error.",
    fix=Fix(
        console="CloudTrail, the trail, CloudWatch Logs, Edit: choose a log group and a role.",
        cli="aws cloudtrail update-trail --name main --cloud-watch-logs-log-group-arn GROUP_ARN --cloud-watch-logs-role-arn ROLE_ARN",
        terraform='cloud_watch_logs_group_arn and cloud_watch_logs_role_arn in resource "aws_cloudtrail"',
    ),
    resources=trail.trails,
    judge=judge,
    passing=(
        examples.trail(
            {"LatestCloudWatchLogsDeliveryTime": "2026-01-15T11:50:00Z"}, CloudWatchLogsLogGroupArn=_GROUP
        ),
    ),
    failing=(
        examples.trail(),
        examples.trail(
            {"LatestCloudWatchLogsDeliveryTime": "2025-12-15T11:50:00Z"}, CloudWatchLogsLogGroupArn=_GROUP
        ),
        examples.trail(
            {"LatestCloudWatchLogsDeliveryError": "AccessDenied"}, CloudWatchLogsLogGroupArn=_GROUP
        ),
    ),
)
