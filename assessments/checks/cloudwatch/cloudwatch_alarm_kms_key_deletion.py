from assessments.checks.base import Severity
from assessments.checks.subjects.monitoring import SecurityEvent, alarm_check, call

CHECK = alarm_check(
    title="Disabling a KMS key or scheduling its deletion raises an alarm",
    rationale="A deleted key makes the ePHI it encrypts unreadable for ever; the waiting period helps only somebody who knows that it runs.",
    supports=(
        "164.308(a)(1)(ii)(D)",
        "164.312(b)",
        "164.308(a)(7)(ii)(A)",
    ),
    event=SecurityEvent(
        "KmsKeyDeletion",
        "{ ($.eventName = DisableKey) || ($.eventName = ScheduleKeyDeletion) }",
        call("kms", "DisableKey", "ScheduleKeyDeletion"),
    ),
    severity=Severity.HIGH,
)
