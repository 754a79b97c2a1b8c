from assessments.checks.base import Severity
from assessments.checks.subjects.monitoring import SecurityEvent, alarm_check, call

CHECK = alarm_check(
    title="Changes of network gateways raise an alarm",
    rationale="A new Internet gateway gives a network that was private a way out and in.",
    supports=(
        "164.308(a)(1)(ii)(D)",
        "164.312(b)",
    ),
    event=SecurityEvent(
        "GatewayChanges",
        "{ ($.eventName = CreateCustomerGateway) || ($.eventName = DeleteCustomerGateway) || ($.eventName = AttachInternetGateway) || ($.eventName = CreateInternetGateway) || ($.eventName = DeleteInternetGateway) || ($.eventName = DetachInternetGateway) }",
        call("ec2", "CreateInternetGateway", "AttachInternetGateway"),
    ),
    severity=Severity.LOW,
)
