from assessments.checks.base import Severity
from assessments.checks.subjects.monitoring import SecurityEvent, alarm_check, call

CHECK = alarm_check(
    title="Changes of security groups raise an alarm",
    rationale="A security group that is opened for a test and forgotten exposes the systems behind it.",
    supports=(
        "164.308(a)(1)(ii)(D)",
        "164.312(b)",
    ),
    event=SecurityEvent(
        "SecurityGroupChanges",
        "{ ($.eventName = AuthorizeSecurityGroupIngress) || ($.eventName = AuthorizeSecurityGroupEgress) || ($.eventName = RevokeSecurityGroupIngress) || ($.eventName = RevokeSecurityGroupEgress) || ($.eventName = CreateSecurityGroup) || ($.eventName = DeleteSecurityGroup) }",
        call("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress"),
    ),
    severity=Severity.MEDIUM,
)
