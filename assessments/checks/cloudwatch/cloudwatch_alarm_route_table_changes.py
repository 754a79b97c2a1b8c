from assessments.checks.base import Severity
from assessments.checks.subjects.monitoring import SecurityEvent, alarm_check, call

CHECK = alarm_check(
    title="Changes of route tables raise an alarm",
    rationale="A changed route can lead traffic that carries ePHI past its guards.",
    supports=(
        "164.308(a)(1)(ii)(D)",
        "164.312(b)",
    ),
    event=SecurityEvent(
        "RouteTableChanges",
        "{ ($.eventName = CreateRoute) || ($.eventName = CreateRouteTable) || ($.eventName = ReplaceRoute) || ($.eventName = ReplaceRouteTableAssociation) || ($.eventName = DeleteRouteTable) || ($.eventName = DeleteRoute) || ($.eventName = DisassociateRouteTable) }",
        call("ec2", "CreateRoute", "ReplaceRoute", "ReplaceRouteTableAssociation"),
    ),
    severity=Severity.LOW,
)
