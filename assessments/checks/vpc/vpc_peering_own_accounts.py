from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import vpc
from evidence.types import Seen


def judge(peering: Resource, seen: Seen) -> Verdict:
    owners = {
        (peering.data.get(side) or {}).get("OwnerId") for side in ("RequesterVpcInfo", "AccepterVpcInfo")
    }
    foreign = sorted(owner for owner in owners if owner and owner != seen.account_id)
    state = (peering.data.get("Status") or {}).get("Code", "in an unknown state")
    if foreign:
        return failed(f"joins a VPC of account {', '.join(foreign)} ({state})")
    if None in owners:
        return unknown("AWS did not say whose VPC is on the other side")
    return passed(f"joins VPCs of this account ({state})")


def _example(owner: str) -> dict[str, Any]:
    sides = {"RequesterVpcInfo": {"OwnerId": "111122223333"}, "AccepterVpcInfo": {"OwnerId": owner}}
    peering = {"VpcPeeringConnectionId": "pcx-1", "Status": {"Code": "active"}, **sides}
    return {"vpc": {"DescribeVpcPeeringConnections": {"": {"VpcPeeringConnections": [peering]}}}}


CHECK = Check(
    title="VPC peerings do not reach into other accounts",
    severity=Severity.MEDIUM,
    collectors=("vpc",),
    supports=("164.312(a)(1)", "164.308(a)(4)(ii)(B)"),
    rationale="A peering lets another account's machines address those that hold ePHI. Whose account it is, and why, must have been decided; with a vendor, an agreement must cover it.",
    expected="Both sides of the peering belong to this account, or an exception names the other party.",
    fix=Fix(
        console="VPC, Peering connections, the connection, Actions, Delete; or record who the other side is as an exception.",
        cli="aws ec2 delete-vpc-peering-connection --vpc-peering-connection-id pcx-ID",
    ),
    resources=vpc.peerings_in_use,
    judge=judge,
    passing=(_example("111122223333"),),
    failing=(_example("444455556666"),),
)
