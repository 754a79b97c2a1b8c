from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import vpc
from evidence.types import Seen


def judge(table: Resource, _seen: Seen) -> Verdict:
    match vpc.is_public(table.data):
        case True:
            return failed("routes to an internet gateway, so that new subnets are public")
        case None:
            return unknown("AWS did not list its routes")
    targets = sorted(
        vpc.target(route)
        for route in table.data["Routes"]
        if route.get("DestinationCidrBlock") == "0.0.0.0/0"
    )
    return passed(f"the default route leads to {targets[0]}" if targets else "has no default route")


def _example(**route: str) -> dict[str, Any]:
    local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
    default = {"DestinationCidrBlock": "0.0.0.0/0", "State": "active", **route}
    table = {
        "RouteTableId": "rtb-1",
        "VpcId": "vpc-1",
        "Associations": [{"Main": True}],
        "Routes": [local, default],
    }
    return {"vpc": {"DescribeRouteTables": {"": {"RouteTables": [table]}}}}


CHECK = Check(
    title="Main route tables do not lead to an internet gateway",
    severity=Severity.LOW,
    collectors=("vpc",),
    supports=("164.312(e)(1)",),
    rationale="A subnet without a route table of its own gets the main one. If that one leads to the internet, a subnet made for ePHI is public until somebody notices.",
    expected="The VPC's main route table has no route to an internet gateway; a NAT gateway is fine.",
    fix=Fix(
        console="VPC, Route tables: create a table for the public subnets with the route to the internet gateway, associate them, then delete the route from the main table.",
        cli="aws ec2 delete-route --route-table-id rtb-ID --destination-cidr-block 0.0.0.0/0",
        terraform='resource "aws_default_route_table" "main" {\n  default_route_table_id = aws_vpc.main.default_route_table_id\n  route                  = []\n}',
    ),
    resources=vpc.main_route_tables,
    judge=judge,
    passing=(_example(NatGatewayId="nat-1"),),
    failing=(_example(GatewayId="igw-1"),),
)
