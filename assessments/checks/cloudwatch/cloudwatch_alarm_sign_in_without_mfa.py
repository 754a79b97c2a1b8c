from assessments.checks.base import Severity
from assessments.checks.subjects.monitoring import SecurityEvent, alarm_check, call

CHECK = alarm_check(
    title="Signing in to the console without MFA raises an alarm",
    rationale="A sign-in with a password alone may be anybody who has guessed or bought it; the Rule asks that log-in attempts be watched.",
    supports=(
        "164.308(a)(5)(ii)(C)",
        "164.312(b)",
        "164.312(d)",
    ),
    event=SecurityEvent(
        "SignInWithoutMfa",
        '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }',
        call(
            "signin",
            "ConsoleLogin",
            eventType="AwsConsoleSignIn",
            additionalEventData={"MFAUsed": "No"},
            responseElements={"ConsoleLogin": "Success"},
        ),
    ),
    severity=Severity.MEDIUM,
)
