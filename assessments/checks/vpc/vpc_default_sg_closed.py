from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import security_groups
from evidence.types import Seen


def _defaults(seen: Seen) -> Iterator[Resource]:
    return (group for group in security_groups.groups(seen) if group.data.get("GroupName") == "default")


def judge(group: Resource, _seen: Seen) -> Verdict:
    inbound, outbound = group.data.get("IpPermissions"), group.data.get("IpPermissionsEgress")
    if inbound or outbound:
        return failed(f"has {len(inbound or ())} inbound and {len(outbound or ())} outbound rules")
    if inbound is None or outbound is None:
        return unknown("AWS did not list its rules")
    return passed("has no rules")


def _example(**rules: list[dict[str, Any]]) -> dict[str, Any]:
    group = {
        "GroupId": "sg-1",
        "GroupName": "default",
        "IpPermissions": [],
        "IpPermissionsEgress": [],
        **rules,
    }
    return {"vpc": {"DescribeSecurityGroups": {"": {"SecurityGroups": [group]}}}}


CHECK = Check(
    title="Default security groups let nothing in or out",
    severity=Severity.MEDIUM,
    collectors=("vpc",),
    supports=("164.312(a)(1)", "164.312(e)(1)"),
    rationale="What is launched without naming a group gets the default one, whose members reach each other on every port. Closed, a forgotten choice gives no access to ePHI instead of all.",
    expected="The default security group of the VPC has no inbound and no outbound rules.",
    fix=Fix(
        console="Move what uses the group to groups of its own, then VPC, Security groups, default: delete all inbound and outbound rules.",
        cli="aws ec2 revoke-security-group-ingress --group-id sg-ID --protocol -1 --source-group sg-ID && aws ec2 revoke-security-group-egress --group-id sg-ID --protocol -1 --cidr 0.0.0.0/0",
        terraform='resource "aws_default_security_group" "closed" {\n  vpc_id = aws_vpc.main.id\n}',
    ),
    resources=_defaults,
    judge=judge,
    passing=(_example(),),
    failing=(
        _example(IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-1"}]}]),
        _example(IpPermissionsEgress=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]),
    ),
)
