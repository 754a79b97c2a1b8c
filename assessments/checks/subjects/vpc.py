"""What the vpc collector lists in one region, and which subnets the internet can reach.

Only what this account owns is listed here: a VPC or subnet that another account shares is judged where it is owned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from assessments.checks.base import Resource
from assessments.checks.subjects.ec2 import arn
from evidence.types import Json, Seen

_UNNAMED = "a target that AWS did not name"
_TARGETS = (
    "NatGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "EgressOnlyInternetGatewayId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "OdbNetworkArn",
    "InstanceId",
    "NetworkInterfaceId",
    "GatewayId",
)


def vpcs(seen: Seen) -> Iterator[Resource]:
    """The account's VPCs."""
    return _owned(seen, "DescribeVpcs", "Vpcs", "vpc", "VpcId")


def vpcs_with_flow_logs(seen: Seen) -> Iterator[Resource]:
    """VPCs with `FlowLogs` (those of the VPC itself)."""
    logs = _by(seen["vpc"].items("DescribeFlowLogs", "FlowLogs"), "ResourceId")
    for vpc in vpcs(seen):
        yield vpc._replace(data={**vpc.data, "FlowLogs": logs.get(vpc.name, [])})


def vpcs_with_private_routes(seen: Seen) -> Iterator[Resource]:
    """VPCs with `PrivateTables`: the route tables of private subnets, by id, each with whether it leads to S3.

    `PrivateTables` is None where the routes of a subnet are not known.
    """
    routing = Routing.read(seen)
    endpoints = _by(seen["vpc"].items("DescribeVpcEndpoints", "VpcEndpoints"), "VpcId")
    tables: dict[str, set[str] | None] = {}
    for subnet in subnets(seen):
        vpc_id, table = subnet.data.get("VpcId") or "", routing.table(subnet.data)
        public, known = is_public(table), tables.setdefault(vpc_id, set())
        if public is None or table is None:
            tables[vpc_id] = None
        elif not public and known is not None:
            known.add(table.get("RouteTableId") or "")
    for vpc in vpcs(seen):
        found = tables.get(vpc.name, set())
        leads = None if found is None else _lead_to_s3(found, endpoints.get(vpc.name, []))
        yield vpc._replace(data={**vpc.data, "PrivateTables": leads})


def _lead_to_s3(tables: Iterable[str], endpoints: Iterable[Json]) -> dict[str, bool]:
    """An interface endpoint serves the whole VPC, a gateway endpoint the tables that it is on."""
    named = [row for row in endpoints if str(row.get("ServiceName", "")).endswith(".s3")]
    ways = [row for row in named if str(row.get("State", "")).lower() == "available"]
    everywhere = any(row.get("VpcEndpointType") == "Interface" for row in ways)
    served = {table for row in ways for table in row.get("RouteTableIds") or ()}
    return {table: everywhere or table in served for table in tables}


def subnets(seen: Seen) -> Iterator[Resource]:
    """The account's subnets."""
    return _owned(seen, "DescribeSubnets", "Subnets", "subnet", "SubnetId")


def route_tables(seen: Seen) -> Iterator[Resource]:
    """The account's route tables."""
    return _owned(seen, "DescribeRouteTables", "RouteTables", "route-table", "RouteTableId")


def main_route_tables(seen: Seen) -> Iterator[Resource]:
    """The table of each VPC that a new subnet gets."""
    for table in route_tables(seen):
        if any(link.get("Main") for link in table.data.get("Associations") or ()):
            yield table


def peered_route_tables(seen: Seen) -> Iterator[Resource]:
    """Tables that route into peerings, with `Peers`: the address ranges on the other side, by peering id."""
    peerings = {peering.name: peering.data for peering in peerings_in_use(seen)}
    for table in route_tables(seen):
        used = {
            str(route.get("VpcPeeringConnectionId") or "") for route in table.data.get("Routes") or ()
        } - {""}
        if used:
            peers = {name: _other_side(peerings.get(name, {}), table.data.get("VpcId")) for name in used}
            yield table._replace(data={**table.data, "Peers": peers})


def network_acls(seen: Seen) -> Iterator[Resource]:
    """The account's network ACLs."""
    return _owned(seen, "DescribeNetworkAcls", "NetworkAcls", "network-acl", "NetworkAclId")


def endpoints(seen: Seen) -> Iterator[Resource]:
    """The account's VPC endpoints that exist."""
    for endpoint in _owned(seen, "DescribeVpcEndpoints", "VpcEndpoints", "vpc-endpoint", "VpcEndpointId"):
        if str(endpoint.data.get("State", "")).lower() not in (
            "deleting",
            "deleted",
            "rejected",
            "failed",
            "expired",
        ):
            yield endpoint


def peerings_in_use(seen: Seen) -> Iterator[Resource]:
    """Peerings that are open or about to be; AWS lists the others for a while after their end."""
    for row in seen["vpc"].items("DescribeVpcPeeringConnections", "VpcPeeringConnections"):
        if (row.get("Status") or {}).get("Code") not in (
            "deleted",
            "deleting",
            "rejected",
            "expired",
            "failed",
        ):
            name = row.get("VpcPeeringConnectionId") or ""
            yield Resource(
                arn(seen, "vpc-peering-connection", name), name, "vpc-peering-connection", seen.region, row
            )


class Routing(NamedTuple):
    """Which route table a subnet uses: its own, or else its VPC's main one."""

    explicit: Mapping[str, Json]
    main: Mapping[str, Json]

    @classmethod
    def read(cls, seen: Seen) -> Routing:
        """From all listed route tables, also those that other accounts share."""
        explicit: dict[str, Json] = {}
        main: dict[str, Json] = {}
        for table in seen["vpc"].items("DescribeRouteTables", "RouteTables"):
            for link in table.get("Associations") or ():
                if link.get("SubnetId"):
                    explicit[link["SubnetId"]] = table
                elif link.get("Main"):
                    main[table.get("VpcId") or ""] = table
        return cls(explicit, main)

    def table(self, subnet: Json) -> Json | None:
        """The route table of a subnet's listing; None where it is not known."""
        return self.explicit.get(subnet.get("SubnetId") or "") or self.main.get(subnet.get("VpcId") or "")


def is_public(table: Json | None) -> bool | None:
    """Whether a route leads to an internet gateway; None where the routes are not known.

    An egress-only gateway lets nobody in and does not count.
    """
    routes = None if table is None else table.get("Routes")
    if routes is None:
        return None
    targets = [target(route) for route in routes]
    if any(name.startswith("igw-") for name in targets):
        return True
    return None if _UNNAMED in targets else False


def target(route: Json) -> str:
    """What a route leads to, by id."""
    return next(
        (str(route[field]) for field in _TARGETS if route.get(field)), "a target that AWS did not name"
    )


def _other_side(peering: Json, vpc_id: str | None) -> list[str]:
    """The address ranges of the side of a peering that is not this VPC's."""
    for side in ("RequesterVpcInfo", "AccepterVpcInfo"):
        info = peering.get(side) or {}
        if info.get("VpcId") not in (None, vpc_id):
            blocks = [block.get("CidrBlock") for block in info.get("CidrBlockSet") or ()]
            blocks += [block.get("Ipv6CidrBlock") for block in info.get("Ipv6CidrBlockSet") or ()]
            return [block for block in [info.get("CidrBlock"), *blocks] if block]
    return []


def _by(rows: Iterable[Json], field: str) -> dict[str, list[Json]]:
    grouped: dict[str, list[Json]] = {}
    for row in rows:
        grouped.setdefault(row.get(field) or "", []).append(row)
    return grouped


def _owned(seen: Seen, operation: str, field: str, kind: str, id_field: str) -> Iterator[Resource]:
    for row in seen["vpc"].items(operation, field):
        if row.get("OwnerId", seen.account_id) == seen.account_id:
            name = row.get(id_field) or ""
            yield Resource(arn(seen, kind, name), name, kind, seen.region, row)
