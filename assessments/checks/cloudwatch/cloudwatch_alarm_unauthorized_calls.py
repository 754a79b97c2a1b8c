from assessments.checks.base import Severity
from assessments.checks.subjects.monitoring import SecurityEvent, alarm_check, call

CHECK = alarm_check(
    title="Calls that were refused for want of permission raise an alarm",
    rationale="Somebody trying doors that are closed to them shows first as refused calls; unseen, the next door may be open and lead to ePHI.",
    supports=(
        "164.308(a)(1)(ii)(D)",
        "164.312(b)",
        "164.308(a)(6)(ii)",
    ),
    event=SecurityEvent(
        "UnauthorizedCalls",
        '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }',
        (
            *call("ec2", "RunInstances", errorCode="Client.UnauthorizedOperation"),
            *call("s3", "GetBucketPolicy", errorCode="AccessDenied"),
        ),
    ),
    severity=Severity.MEDIUM,
)
