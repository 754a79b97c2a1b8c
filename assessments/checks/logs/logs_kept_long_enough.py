"""How long raw logs are kept is the tenant's decision.

The Rule's six years (164.316(b)(2)(i)) are for required documentation, not for raw logs. 365 days is the default that
the portal states.
"""

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed
from assessments.checks.subjects import examples, logs
from evidence.types import Seen

DEFAULT_DAYS = 365


def judge(group: Resource, _seen: Seen) -> Verdict:
    days = group.data.get("retentionInDays")
    if days is None:
        return passed(f"kept without end, which is longer than the default of {DEFAULT_DAYS} days")
    if days < DEFAULT_DAYS:
        return failed(f"kept for {days} days; the default is {DEFAULT_DAYS}")
    return passed(f"kept for {days} days")


CHECK = Check(
    title="Logs are kept long enough to be examined",
    severity=Severity.LOW,
    collectors=("logs",),
    supports=("164.308(a)(1)(ii)(D)", "164.312(b)"),
    rationale="An intrusion is often found months later; a log that is gone by then cannot be examined. The Rule gives no period for raw logs (six years apply to required documentation): 365 days is the default here, and the tenant's own policy decides.",
    expected="The log group keeps events for at least 365 days.",
    fix=Fix(
        console="CloudWatch, Log groups, the group, Actions, Edit retention setting.",
        cli="aws logs put-retention-policy --log-group-name GROUP --retention-in-days 365",
        terraform='retention_in_days = 365 in resource "aws_cloudwatch_log_group"',
    ),
    resources=logs.groups,
    judge=judge,
    passing=(examples.log_group(retentionInDays=400), examples.log_group()),
    failing=(examples.log_group(retentionInDays=14),),
)
