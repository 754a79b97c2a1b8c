from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import security_groups
from evidence.types import Seen


def judge(group: Resource, _seen: Seen) -> Verdict:
    whole = [str(span) for span in group.data["Open"] if span.everything]
    if whole:
        return failed(f"open to the world: {', '.join(whole)}")
    for span, why in group.data["Doubts"]:
        if span.everything:
            return unknown(f"{span} is open to {why}")
    return passed("does not open all ports to the world")


def _example(cidr: str) -> dict[str, Any]:
    rule = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": cidr}], "Ipv6Ranges": []}
    return {
        "vpc": {
            "DescribeSecurityGroups": {"": {"SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": [rule]}]}}
        }
    }


CHECK = Check(
    title="Security groups do not open all ports to the world",
    severity=Severity.CRITICAL,
    collectors=("vpc",),
    supports=("164.312(a)(1)", "164.312(e)(1)"),
    rationale="A group that lets everything in is no access control: every service on the machine, also the forgotten one, answers the internet.",
    expected="No rule opens all protocols or all ports to the whole internet.",
    fix=Fix(
        console="VPC, Security groups, the group, Edit inbound rules: replace the rule by one for each port and sender that is needed.",
        cli="aws ec2 revoke-security-group-ingress --group-id sg-ID --protocol -1 --cidr 0.0.0.0/0",
    ),
    resources=security_groups.groups_with_openings,
    judge=judge,
    passing=(_example("10.0.0.0/8"),),
    failing=(_example("0.0.0.0/0"),),
)
