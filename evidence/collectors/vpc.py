"""Networks: what can reach what, and whether the traffic is logged."""

from __future__ import annotations

from evidence.collectors.base import Action, Collector, Reader, Scope

_LARGEST_PAGE = 1000
_LISTINGS = {
    "DescribeVpcs": ("Vpcs", _LARGEST_PAGE),
    "DescribeSubnets": ("Subnets", _LARGEST_PAGE),
    "DescribeRouteTables": ("RouteTables", 100),
    "DescribeSecurityGroups": ("SecurityGroups", _LARGEST_PAGE),
    "DescribeNetworkAcls": ("NetworkAcls", _LARGEST_PAGE),
    "DescribeFlowLogs": ("FlowLogs", _LARGEST_PAGE),
    "DescribeVpcEndpoints": ("VpcEndpoints", _LARGEST_PAGE),
    "DescribeNatGateways": ("NatGateways", _LARGEST_PAGE),
    "DescribeVpcPeeringConnections": ("VpcPeeringConnections", _LARGEST_PAGE),
}


def collect(aws: Reader) -> None:
    def read(operation: str) -> None:
        field, page = _LISTINGS[operation]
        aws.list(operation, field, MaxResults=page)

    aws.each(read, _LISTINGS)


COLLECTOR = Collector(
    title="Networks",
    service="ec2",
    scope=Scope.REGIONAL,
    version=1,
    actions=(
        Action("ec2:DescribeVpcs", "DescribeVpcs", "Lists your private networks."),
        Action(
            "ec2:DescribeSubnets",
            "DescribeSubnets",
            "Shows which parts of a network give out public addresses.",
        ),
        Action(
            "ec2:DescribeRouteTables",
            "DescribeRouteTables",
            "Shows which parts of a network lead to the internet.",
        ),
        Action(
            "ec2:DescribeSecurityGroups",
            "DescribeSecurityGroups",
            "Shows from where servers and databases can be reached.",
        ),
        Action(
            "ec2:DescribeNetworkAcls",
            "DescribeNetworkAcls",
            "Shows what traffic is let in and out of each subnet.",
        ),
        Action(
            "ec2:DescribeFlowLogs",
            "DescribeFlowLogs",
            "Shows whether network traffic is logged, and where; never the traffic.",
        ),
        Action(
            "ec2:DescribeVpcEndpoints",
            "DescribeVpcEndpoints",
            "Shows which AWS services are reached without passing the internet.",
        ),
        Action(
            "ec2:DescribeNatGateways",
            "DescribeNatGateways",
            "Shows where private networks go out to the internet.",
        ),
        Action(
            "ec2:DescribeVpcPeeringConnections",
            "DescribeVpcPeeringConnections",
            "Shows which other networks, of other accounts too, are connected with yours.",
        ),
    ),
    collect=collect,
)
