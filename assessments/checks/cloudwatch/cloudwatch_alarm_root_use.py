from assessments.checks.base import Severity
from assessments.checks.subjects.monitoring import SecurityEvent, alarm_check, call

CHECK = alarm_check(
    title="Use of the root user raises an alarm",
    rationale="The root user cannot be limited by any policy and names no person; each use must be noticed and explained.",
    supports=(
        "164.308(a)(1)(ii)(D)",
        "164.312(b)",
        "164.308(a)(5)(ii)(C)",
    ),
    event=SecurityEvent(
        "RootUse",
        '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }',
        call(
            "iam", "CreateAccessKey", userIdentity={"type": "Root", "arn": "arn:aws:iam::111122223333:root"}
        ),
    ),
    severity=Severity.HIGH,
)
