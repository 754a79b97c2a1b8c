from __future__ import annotations

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import ec2
from evidence.types import Seen


def judge(_settings: Resource, seen: Seen) -> Verdict:
    state = (seen["ec2"].get("GetSnapshotBlockPublicAccessState") or {}).get("State")
    match state:
        case "block-all-sharing":
            return passed("public sharing of snapshots is blocked")
        case "block-new-sharing":
            return failed("new public sharing is blocked, but snapshots that are public already stay public")
        case "unblocked":
            return failed("public sharing of snapshots is not blocked")
    return unknown("AWS did not say whether public sharing is blocked")


CHECK = Check(
    title="Public sharing of EBS snapshots is blocked in the region",
    severity=Severity.MEDIUM,
    collectors=("ec2",),
    supports=("164.312(a)(1)", "164.308(a)(3)(i)"),
    rationale="The block stops a mistaken or malicious call from publishing a volume of ePHI, whatever permissions the caller has on the snapshot.",
    expected="The state is block-all-sharing.",
    fix=Fix(
        console="EC2, EC2 Dashboard, Data protection and security, Block public access for EBS snapshots: Block all public access.",
        cli="aws ec2 enable-snapshot-block-public-access --state block-all-sharing --region REGION",
        terraform='resource "aws_ebs_snapshot_block_public_access" "this" {\n  state = "block-all-sharing"\n}',
    ),
    resources=ec2.settings,
    judge=judge,
    passing=({"ec2": {"GetSnapshotBlockPublicAccessState": {"": {"State": "block-all-sharing"}}}},),
    failing=(
        {"ec2": {"GetSnapshotBlockPublicAccessState": {"": {"State": "unblocked"}}}},
        {"ec2": {"GetSnapshotBlockPublicAccessState": {"": {"State": "block-new-sharing"}}}},
    ),
)
