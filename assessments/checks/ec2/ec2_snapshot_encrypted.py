from __future__ import annotations

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import ec2
from evidence.types import Seen


def judge(snapshot: Resource, _seen: Seen) -> Verdict:
    match snapshot.data.get("Encrypted"):
        case True:
            return passed(f"encrypted with the key {snapshot.data.get('KmsKeyId', 'that AWS did not name')}")
        case False:
            return failed("not encrypted")
    return unknown("AWS did not say whether it is encrypted")


CHECK = Check(
    title="EBS snapshots are encrypted",
    severity=Severity.HIGH,
    collectors=("ec2",),
    supports=("164.312(a)(2)(iv)",),
    rationale="A snapshot is a whole copy of the volume's ePHI. Unencrypted, it can be made public or handed to another account with one call; encrypted with the tenant's key it can't be read without the key.",
    expected="Encrypted is true for the snapshot.",
    fix=Fix(
        console="Copy the snapshot with 'Encrypt this snapshot', check the copy, delete the original.",
        cli="aws ec2 copy-snapshot --source-region REGION --source-snapshot-id snap-ID --encrypted --kms-key-id KEY",
        terraform='resource "aws_ebs_snapshot_copy" "encrypted" {\n  source_snapshot_id = "snap-ID"\n  source_region      = "REGION"\n  encrypted          = true\n}',
    ),
    resources=ec2.snapshots,
    judge=judge,
    passing=(
        {"ec2": {"DescribeSnapshots": {"": {"Snapshots": [{"SnapshotId": "snap-1", "Encrypted": True}]}}}},
    ),
    failing=(
        {"ec2": {"DescribeSnapshots": {"": {"Snapshots": [{"SnapshotId": "snap-1", "Encrypted": False}]}}}},
    ),
)
