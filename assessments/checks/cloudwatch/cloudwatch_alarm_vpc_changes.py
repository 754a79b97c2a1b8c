from assessments.checks.base import Severity
from assessments.checks.subjects.monitoring import SecurityEvent, alarm_check, call

CHECK = alarm_check(
    title="Changes of VPCs raise an alarm",
    rationale="A peering connection joins networks that were kept apart, with all that is in them.",
    supports=(
        "164.308(a)(1)(ii)(D)",
        "164.312(b)",
    ),
    event=SecurityEvent(
        "VpcChanges",
        "{ ($.eventName = CreateVpc) || ($.eventName = DeleteVpc) || ($.eventName = ModifyVpcAttribute) || ($.eventName = AcceptVpcPeeringConnection) || ($.eventName = CreateVpcPeeringConnection) || ($.eventName = DeleteVpcPeeringConnection) || ($.eventName = RejectVpcPeeringConnection) }",
        call("ec2", "ModifyVpcAttribute", "AcceptVpcPeeringConnection", "CreateVpcPeeringConnection"),
    ),
    severity=Severity.LOW,
)
