from assessments.checks.base import Severity
from assessments.checks.subjects.monitoring import SecurityEvent, alarm_check, call

CHECK = alarm_check(
    title="Changes of CloudTrail raise an alarm",
    rationale="Whoever wants to act unseen switches the record off first.",
    supports=(
        "164.308(a)(1)(ii)(D)",
        "164.312(b)",
        "164.308(a)(6)(ii)",
    ),
    event=SecurityEvent(
        "CloudTrailChanges",
        "{ ($.eventName = CreateTrail) || ($.eventName = UpdateTrail) || ($.eventName = DeleteTrail) || ($.eventName = StartLogging) || ($.eventName = StopLogging) }",
        call("cloudtrail", "UpdateTrail", "DeleteTrail", "StopLogging"),
    ),
    severity=Severity.HIGH,
)
