from __future__ import annotations

from typing import Any

from assessments.checks.base import (
    Check,
    Fix,
    Resource,
    Severity,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
)
from assessments.checks.subjects import vpc
from evidence.types import Seen


def judge(network: Resource, _seen: Seen) -> Verdict:
    tables = network.data["PrivateTables"]
    if tables is None:
        return unknown("the routes of a subnet are not known")
    if not tables:
        return not_applicable("has no private subnets")
    missing = sorted(name for name, leads in tables.items() if not leads)
    if missing:
        return failed(
            f"the route tables {', '.join(missing)} of private subnets have no way to S3 but the internet"
        )
    return passed("an endpoint leads private subnets to S3")


def _example(*endpoints: dict[str, Any]) -> dict[str, Any]:
    table = {
        "RouteTableId": "rtb-1",
        "VpcId": "vpc-1",
        "Associations": [{"Main": True}],
        "Routes": [{"GatewayId": "local"}],
    }
    return {
        "vpc": {
            "DescribeVpcs": {"": {"Vpcs": [{"VpcId": "vpc-1"}]}},
            "DescribeSubnets": {"": {"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1"}]}},
            "DescribeRouteTables": {"": {"RouteTables": [table]}},
            "DescribeVpcEndpoints": {"": {"VpcEndpoints": list(endpoints)}},
        }
    }


_S3 = {
    "VpcEndpointId": "vpce-1",
    "VpcId": "vpc-1",
    "ServiceName": "com.amazonaws.us-east-1.s3",
    "State": "available",
}

CHECK = Check(
    title="Private subnets reach S3 through an endpoint, not over the internet",
    severity=Severity.LOW,
    collectors=("vpc",),
    supports=("164.312(e)(1)",),
    rationale="Without an endpoint, ePHI on its way to a bucket leaves the VPC through a NAT gateway, and no endpoint policy or bucket policy can bind it to this network.",
    expected="An available S3 endpoint is on the route tables of the VPC's private subnets.",
    fix=Fix(
        console="VPC, Endpoints, Create endpoint: service S3, type Gateway, choose the private subnets' route tables.",
        cli="aws ec2 create-vpc-endpoint --vpc-id vpc-ID --service-name com.amazonaws.REGION.s3 --route-table-ids rtb-ID",
        terraform='resource "aws_vpc_endpoint" "s3" {\n  vpc_id          = aws_vpc.main.id\n  service_name    = "com.amazonaws.REGION.s3"\n  route_table_ids = [aws_route_table.private.id]\n}',
    ),
    resources=vpc.vpcs_with_private_routes,
    judge=judge,
    passing=(_example({**_S3, "VpcEndpointType": "Gateway", "RouteTableIds": ["rtb-1"]}),),
    failing=(_example(), _example({**_S3, "VpcEndpointType": "Gateway", "RouteTableIds": ["rtb-2"]})),
)
