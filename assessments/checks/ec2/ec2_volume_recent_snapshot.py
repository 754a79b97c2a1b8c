from __future__ import annotations

from datetime import timedelta
from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import ec2, times
from evidence.types import Seen

_LIMIT = timedelta(hours=48)


def judge(volume: Resource, seen: Seen) -> Verdict:
    complete = [row for row in volume.data["Snapshots"] if row.get("State") == "completed"]
    started = [times.moment(row.get("StartTime")) for row in complete]
    known = [at for at in started if at is not None]
    if known and seen.at - max(known) <= _LIMIT:
        return passed("a completed snapshot was begun within the last 48 hours")
    if (
        not volume.name
        or len(known) < len(started)
        or any("State" not in row for row in volume.data["Snapshots"])
    ):
        return unknown("AWS did not say when its snapshots were completed")
    if known:
        return failed(f"the latest completed snapshot is of {times.day(max(known))}")
    return failed("has no completed snapshot")


def _example(*started: str) -> dict[str, Any]:
    volume = {"VolumeId": "vol-1", "State": "in-use"}
    rows = [
        {"SnapshotId": "snap-1", "VolumeId": "vol-1", "State": "completed", "StartTime": start}
        for start in started
    ]
    return {
        "ec2": {
            "DescribeVolumes": {"": {"Volumes": [volume]}},
            "DescribeSnapshots": {"": {"Snapshots": rows}},
        }
    }


CHECK = Check(
    title="Volumes in use have a snapshot of the last two days",
    severity=Severity.MEDIUM,
    collectors=("ec2",),
    supports=("164.308(a)(7)(ii)(A)", "164.310(d)(2)(iv)"),
    rationale="A volume lives in one availability zone and can be lost. Its ePHI can be restored only from a copy; a daily one, with a day of slack for the run itself, is the least that a backup plan promises.",
    expected="A completed snapshot of the volume started in the last 48 hours (a recovery point objective of 24 hours and a day of slack).",
    fix=Fix(
        console="AWS Backup, Backup plans: a daily rule; assign the volume by tag. Or EC2, Lifecycle Manager: a daily EBS snapshot policy.",
        cli="aws ec2 create-snapshot --volume-id vol-ID --description 'first of a daily plan'",
        terraform='resource "aws_dlm_lifecycle_policy" "daily" {\n  # policy_details with create_rule { interval = 24 } for the volume\'s tags\n}',
    ),
    resources=ec2.volumes_in_use,
    judge=judge,
    passing=(_example("2025-12-01T00:00:00Z", "2026-01-15T02:00:00Z"),),
    failing=(_example(), _example("2026-01-01T00:00:00Z")),
)
