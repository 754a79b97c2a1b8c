from __future__ import annotations

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import vpc
from evidence.types import Seen


def judge(subnet: Resource, _seen: Seen) -> Verdict:
    match subnet.data.get("MapPublicIpOnLaunch"):
        case True:
            return failed("gives public addresses to what is launched in it")
        case False:
            return passed("gives out no public addresses by itself")
    return unknown("AWS did not say whether it gives out public addresses")


CHECK = Check(
    title="Subnets do not assign public IP addresses by themselves",
    severity=Severity.MEDIUM,
    collectors=("vpc",),
    supports=("164.312(a)(1)", "164.312(e)(1)"),
    rationale="In such a subnet every machine gets an address on the internet without anybody asking for it, also one that works on ePHI.",
    expected="MapPublicIpOnLaunch is false.",
    fix=Fix(
        console="VPC, Subnets, the subnet, Actions, Edit subnet settings: clear 'Enable auto-assign public IPv4 address'.",
        cli="aws ec2 modify-subnet-attribute --subnet-id subnet-ID --no-map-public-ip-on-launch",
        terraform='resource "aws_subnet" "app" {\n  map_public_ip_on_launch = false\n}',
    ),
    resources=vpc.subnets,
    judge=judge,
    passing=(
        {
            "vpc": {
                "DescribeSubnets": {"": {"Subnets": [{"SubnetId": "subnet-1", "MapPublicIpOnLaunch": False}]}}
            }
        },
    ),
    failing=(
        {
            "vpc": {
                "DescribeSubnets": {"": {"Subnets": [{"SubnetId": "subnet-1", "MapPublicIpOnLaunch": True}]}}
            }
        },
    ),
)
