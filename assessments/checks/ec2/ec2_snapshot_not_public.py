from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import ec2
from evidence.types import Seen


def judge(snapshot: Resource, seen: Seen) -> Verdict:
    permissions = ec2.snapshot_permissions(snapshot, seen)
    if permissions is None:
        return unknown("AWS did not say who may create volumes from it")
    if any(permission.get("Group") == "all" for permission in permissions):
        return failed("every AWS account may create volumes from it")
    if any("UserId" not in permission for permission in permissions):
        return unknown("a permission names neither a group nor an account")
    return passed("not shared with everybody")


def _example(*permissions: dict[str, str]) -> dict[str, Any]:
    return {
        "ec2": {
            "DescribeSnapshots": {"": {"Snapshots": [{"SnapshotId": "snap-1"}]}},
            "DescribeSnapshotAttribute": {"snap-1": {"CreateVolumePermissions": list(permissions)}},
        }
    }


CHECK = Check(
    title="EBS snapshots are not public",
    severity=Severity.CRITICAL,
    collectors=("ec2",),
    supports=("164.312(a)(1)", "164.308(a)(3)(i)"),
    rationale="A public snapshot hands the whole volume, with all ePHI on it, to anybody who has an AWS account.",
    expected="The permission to create volumes is not given to the group 'all'.",
    fix=Fix(
        console="EC2, Snapshots, the snapshot, Actions, Modify permissions: Private. Then treat what was readable as a possible breach.",
        cli="aws ec2 modify-snapshot-attribute --snapshot-id snap-ID --attribute createVolumePermission --operation-type remove --group-names all",
    ),
    resources=ec2.snapshots,
    judge=judge,
    passing=(_example(), _example({"UserId": "444455556666"})),
    failing=(_example({"Group": "all"}),),
)
