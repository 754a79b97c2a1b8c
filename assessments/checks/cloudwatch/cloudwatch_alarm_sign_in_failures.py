from assessments.checks.base import Severity
from assessments.checks.subjects.monitoring import SecurityEvent, alarm_check, call

CHECK = alarm_check(
    title="Failed sign-ins to the console raise an alarm",
    rationale="Guessing of passwords shows as failed sign-ins; the Rule names the monitoring of log-in attempts.",
    supports=(
        "164.308(a)(5)(ii)(C)",
        "164.312(b)",
    ),
    event=SecurityEvent(
        "SignInFailures",
        '{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }',
        call("signin", "ConsoleLogin", eventType="AwsConsoleSignIn", errorMessage="Failed authentication"),
    ),
    severity=Severity.MEDIUM,
)
