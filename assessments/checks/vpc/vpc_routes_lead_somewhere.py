from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import vpc
from evidence.types import Seen


def judge(table: Resource, _seen: Seen) -> Verdict:
    routes = table.data.get("Routes")
    if routes is None:
        return unknown("AWS did not list its routes")
    broken = [vpc.target(route) for route in routes if route.get("State") == "blackhole"]
    if broken:
        return failed(f"routes lead to what no longer exists: {', '.join(broken)}")
    if any("State" not in route for route in routes):
        return unknown("AWS did not say whether its routes lead anywhere")
    ways = sorted({vpc.target(route) for route in routes} - {"local"})
    return passed(f"routes lead to {', '.join(ways)}" if ways else "routes stay inside the VPC")


def _example(state: str) -> dict[str, Any]:
    route = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": state}
    return {
        "vpc": {"DescribeRouteTables": {"": {"RouteTables": [{"RouteTableId": "rtb-1", "Routes": [route]}]}}}
    }


CHECK = Check(
    title="Routes lead to gateways that exist",
    severity=Severity.LOW,
    collectors=("vpc",),
    supports=("164.308(a)(7)(i)",),
    rationale="A route into nothing, as a deleted NAT gateway or peering leaves it, cuts systems with ePHI off from updates, from backups and from those who need them.",
    expected="No route of the table is a blackhole.",
    fix=Fix(
        console="VPC, Route tables, the table, Edit routes: point the route to a gateway that exists, or delete it.",
        cli="aws ec2 replace-route --route-table-id rtb-ID --destination-cidr-block 0.0.0.0/0 --nat-gateway-id nat-ID",
    ),
    resources=vpc.route_tables,
    judge=judge,
    passing=(_example("active"),),
    failing=(_example("blackhole"),),
)
