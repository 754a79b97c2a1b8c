from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import security_groups
from evidence.types import Seen

_WEB = (80, 443)


def judge(group: Resource, _seen: Seen) -> Verdict:
    others = [str(span) for span in group.data["Open"] if not _is_web(span)]
    if others:
        return failed(f"open to the world: {', '.join(others)}")
    for span, why in group.data["Doubts"]:
        if not _is_web(span):
            return unknown(f"{span} is open to {why}")
    return passed("opens at most web ports to the world")


def _is_web(span: security_groups.Ports) -> bool:
    return span.protocol != "all" and span.first == span.last and span.first in _WEB


def _example(port: int) -> dict[str, Any]:
    rule = {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
        "Ipv6Ranges": [],
    }
    return {
        "vpc": {
            "DescribeSecurityGroups": {"": {"SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": [rule]}]}}
        }
    }


CHECK = Check(
    title="Security groups open nothing but web ports to the world",
    severity=Severity.MEDIUM,
    collectors=("vpc",),
    supports=("164.312(a)(1)", "164.312(e)(1)"),
    rationale="Each port that everybody can reach is a way to ePHI that must be justified. HTTPS, and HTTP that redirects to it, are what the public needs.",
    expected="Rules open to the whole internet are for ports 80 and 443 only.",
    fix=Fix(
        console="VPC, Security groups, the group, Edit inbound rules: name the senders of each other port, or have it pass a load balancer on 443.",
        cli="aws ec2 revoke-security-group-ingress --group-id sg-ID --protocol tcp --port PORT --cidr 0.0.0.0/0",
    ),
    resources=security_groups.groups_with_openings,
    judge=judge,
    passing=(_example(443),),
    failing=(_example(8080),),
)
