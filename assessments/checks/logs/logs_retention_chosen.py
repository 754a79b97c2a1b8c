from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import examples, logs
from evidence.types import Seen


def judge(group: Resource, _seen: Seen) -> Verdict:
    days = group.data.get("retentionInDays")
    return (
        passed(f"kept for {days} days")
        if days
        else failed("kept without end, as CloudWatch does unless told")
    )


CHECK = Check(
    title="A retention period is chosen for logs",
    severity=Severity.LOW,
    collectors=("logs",),
    supports=("164.312(b)",),
    rationale="Logs of applications can hold ePHI; kept without end they grow into a store of it that nobody decided on. A period shows that somebody did.",
    expected="The log group has a retention period.",
    fix=Fix(
        console="CloudWatch, Log groups, the group, Actions, Edit retention setting.",
        cli="aws logs put-retention-policy --log-group-name GROUP --retention-in-days 365",
        terraform='retention_in_days = 365 in resource "aws_cloudwatch_log_group"',
    ),
    resources=logs.groups,
    judge=judge,
    passing=(examples.log_group(retentionInDays=400),),
    failing=(examples.log_group(),),
)
