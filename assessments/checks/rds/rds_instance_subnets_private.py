from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import rds
from evidence.types import Seen


def judge(instance: Resource, _seen: Seen) -> Verdict:
    subnets = instance.data["Subnets"]
    public = sorted(name for name, answer in subnets.items() if answer)
    if public:
        return failed(f"its subnets {', '.join(public)} have a route to an internet gateway")
    if not subnets or None in subnets.values():
        return unknown("the routes of its subnets are not known")
    return passed("none of its subnets has a route to an internet gateway")


def _example(**route: str) -> dict[str, Any]:
    group = {"VpcId": "vpc-1", "Subnets": [{"SubnetIdentifier": "subnet-1"}]}
    default = {"DestinationCidrBlock": "0.0.0.0/0", **route}
    table = {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"Main": True}], "Routes": [default]}
    return {
        "rds": {
            "DescribeDBInstances": {
                "": {"DBInstances": [{"DBInstanceIdentifier": "records", "DBSubnetGroup": group}]}
            }
        },
        "vpc": {"DescribeRouteTables": {"": {"RouteTables": [table]}}},
    }


CHECK = Check(
    title="Database subnets have no route to the internet",
    severity=Severity.HIGH,
    collectors=("rds", "vpc"),
    supports=("164.312(a)(1)", "164.312(e)(1)"),
    rationale="In a subnet without a way to an internet gateway, no setting of the database or of its security group can put its ePHI on the internet.",
    expected="No subnet of the instance's subnet group is routed to an internet gateway; a NAT gateway is fine.",
    fix=Fix(
        console="RDS, Subnet groups: create a group of private subnets; then Databases, the instance, Modify, Connectivity.",
        cli="aws rds modify-db-instance --db-instance-identifier ID --db-subnet-group-name PRIVATE --apply-immediately",
        terraform='resource "aws_db_subnet_group" "private" {\n  subnet_ids = aws_subnet.private[*].id\n}',
    ),
    resources=rds.instances_with_subnets,
    judge=judge,
    passing=(_example(NatGatewayId="nat-1"),),
    failing=(_example(GatewayId="igw-1"),),
)
