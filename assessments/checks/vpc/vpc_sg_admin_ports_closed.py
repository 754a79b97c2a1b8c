from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Severity
from assessments.checks.subjects import security_groups

_PORTS = {22: "SSH", 23: "Telnet", 3389: "RDP", 5985: "WinRM", 5986: "WinRM over TLS"}


def _example(cidr: str) -> dict[str, Any]:
    rule = {
        "IpProtocol": "tcp",
        "FromPort": 22,
        "ToPort": 22,
        "IpRanges": [{"CidrIp": cidr}],
        "Ipv6Ranges": [],
    }
    return {
        "vpc": {
            "DescribeSecurityGroups": {"": {"SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": [rule]}]}}
        }
    }


CHECK = Check(
    title="Security groups keep administration ports closed to the world",
    severity=Severity.CRITICAL,
    collectors=("vpc",),
    supports=("164.312(a)(1)", "164.312(e)(1)"),
    rationale="Remote administration open to everybody is tried with guessed and stolen passwords within minutes. Who gets in has the machine, and the ePHI that it can read.",
    expected="No rule lets the whole internet reach SSH, Telnet, RDP or WinRM, over IPv4 or IPv6.",
    fix=Fix(
        console="VPC, Security groups, the group, Edit inbound rules: delete the rule or name your own networks. Use Session Manager, which needs no open port.",
        cli="aws ec2 revoke-security-group-ingress --group-id sg-ID --protocol tcp --port 22 --cidr 0.0.0.0/0",
        terraform='resource "aws_vpc_security_group_ingress_rule" "ssh" {\n  cidr_ipv4 = "203.0.113.0/24" # your own network\n}',
    ),
    resources=security_groups.groups_with_openings,
    judge=security_groups.judge_ports(_PORTS),
    passing=(_example("10.0.0.0/8"),),
    failing=(_example("0.0.0.0/0"),),
)
