from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import vpc
from evidence.types import Json, Seen


def judge(table: Resource, _seen: Seen) -> Verdict:
    routes = [route for route in table.data["Routes"] if route.get("VpcPeeringConnectionId")]
    answers = {_destination(route): _is_wide(route, table.data["Peers"]) for route in routes}
    wide = [name for name, answer in answers.items() if answer]
    if wide:
        return failed(
            f"routes the other side's whole network, or more, into the peering: {', '.join(sorted(wide))}"
        )
    if None in answers.values():
        return unknown("AWS did not say what is on the other side of a peering")
    return passed("routes only parts of the other side's network into the peering")


def _destination(route: Json) -> str:
    return str(route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock") or "unnamed")


def _is_wide(route: Json, peers: Mapping[str, list[str]]) -> bool | None:
    """Wide: not smaller than a range of the other side; None where that is not known."""
    blocks = peers.get(route["VpcPeeringConnectionId"])
    if not blocks or _destination(route) == "unnamed":
        return None
    there = ipaddress.ip_network(_destination(route), strict=False)
    return any(
        there.version == (6 if ":" in block else 4) and int(block.rpartition("/")[2]) >= there.prefixlen
        for block in blocks
    )


def _example(destination: str) -> dict[str, Any]:
    route = {"DestinationCidrBlock": destination, "VpcPeeringConnectionId": "pcx-1"}
    sides = {
        "RequesterVpcInfo": {"VpcId": "vpc-1", "CidrBlock": "10.1.0.0/16"},
        "AccepterVpcInfo": {"VpcId": "vpc-2", "CidrBlock": "10.2.0.0/16"},
    }
    return {
        "vpc": {
            "DescribeRouteTables": {
                "": {"RouteTables": [{"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Routes": [route]}]}
            },
            "DescribeVpcPeeringConnections": {
                "": {"VpcPeeringConnections": [{"VpcPeeringConnectionId": "pcx-1", **sides}]}
            },
        }
    }


CHECK = Check(
    title="Routes into VPC peerings are no wider than needed",
    severity=Severity.LOW,
    collectors=("vpc",),
    supports=("164.312(a)(1)", "164.312(e)(1)"),
    rationale="A route for the other side's whole network joins every subnet to machines with ePHI. A route for the subnets that need it leaves the rest apart.",
    expected="Each route into a peering is for a part of the other VPC's address range.",
    fix=Fix(
        console="VPC, Route tables, the table, Edit routes: replace the route by one for each subnet that is needed.",
        cli="aws ec2 create-route --route-table-id rtb-ID --destination-cidr-block SUBNET --vpc-peering-connection-id pcx-ID",
    ),
    resources=vpc.peered_route_tables,
    judge=judge,
    passing=(_example("10.2.4.0/24"),),
    failing=(_example("10.2.0.0/16"), _example("10.0.0.0/8")),
)
