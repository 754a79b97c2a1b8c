from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Severity
from assessments.checks.subjects import security_groups

_PORTS = {
    1433: "SQL Server",
    1521: "Oracle",
    3306: "MySQL",
    5432: "PostgreSQL",
    5439: "Redshift",
    6379: "Redis",
    8182: "Neptune",
    9042: "Cassandra",
    9200: "Elasticsearch",
    11211: "Memcached",
    27017: "MongoDB",
}


def _example(cidr: str) -> dict[str, Any]:
    rule = {
        "IpProtocol": "tcp",
        "FromPort": 5432,
        "ToPort": 5432,
        "IpRanges": [],
        "Ipv6Ranges": [{"CidrIpv6": cidr}],
    }
    return {
        "vpc": {
            "DescribeSecurityGroups": {"": {"SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": [rule]}]}}
        }
    }


CHECK = Check(
    title="Security groups keep database ports closed to the world",
    severity=Severity.CRITICAL,
    collectors=("vpc",),
    supports=("164.312(a)(1)", "164.312(e)(1)"),
    rationale="A database that answers everybody is one password, or one flaw, away from giving up every record of ePHI in it.",
    expected="No rule lets the whole internet reach the port of a database or cache, over IPv4 or IPv6.",
    fix=Fix(
        console="VPC, Security groups, the group, Edit inbound rules: let in the application's security group instead of addresses.",
        cli="aws ec2 revoke-security-group-ingress --group-id sg-ID --protocol tcp --port 5432 --cidr 0.0.0.0/0",
        terraform='resource "aws_vpc_security_group_ingress_rule" "database" {\n  referenced_security_group_id = aws_security_group.app.id\n}',
    ),
    resources=security_groups.groups_with_openings,
    judge=security_groups.judge_ports(_PORTS),
    passing=(_example("fd00::/8"),),
    failing=(_example("::/0"),),
)
