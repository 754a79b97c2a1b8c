from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import ec2
from evidence.types import Seen


def judge(snapshot: Resource, seen: Seen) -> Verdict:
    permissions = ec2.snapshot_permissions(snapshot, seen)
    if permissions is None:
        return unknown("AWS did not say who may create volumes from it")
    users = {permission.get("UserId") for permission in permissions if permission.get("Group") != "all"}
    foreign = sorted(user for user in users if user and user != seen.account_id)
    if foreign:
        return failed(f"shared with the accounts {', '.join(foreign)}")
    if None in users:
        return unknown("a permission names neither a group nor an account")
    return passed("shared with no other account")


def _example(*permissions: dict[str, str]) -> dict[str, Any]:
    return {
        "ec2": {
            "DescribeSnapshots": {"": {"Snapshots": [{"SnapshotId": "snap-1"}]}},
            "DescribeSnapshotAttribute": {"snap-1": {"CreateVolumePermissions": list(permissions)}},
        }
    }


CHECK = Check(
    title="EBS snapshots are not shared with other accounts",
    severity=Severity.MEDIUM,
    collectors=("ec2",),
    supports=("164.312(a)(1)", "164.308(a)(4)(ii)(B)"),
    rationale="An account that a snapshot is shared with can copy all ePHI on it and keep the copy. Sharing with another party needs an authorization, and with a vendor an agreement.",
    expected="The permission to create volumes names no account but the owner, or an exception names the party.",
    fix=Fix(
        console="EC2, Snapshots, the snapshot, Actions, Modify permissions: remove the account.",
        cli="aws ec2 modify-snapshot-attribute --snapshot-id snap-ID --attribute createVolumePermission --operation-type remove --user-ids ACCOUNT",
    ),
    resources=ec2.snapshots,
    judge=judge,
    passing=(_example(), _example({"UserId": "111122223333"})),
    failing=(_example({"UserId": "444455556666"}),),
)
