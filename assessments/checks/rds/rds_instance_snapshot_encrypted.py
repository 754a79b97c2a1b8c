from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Severity
from assessments.checks.subjects import rds


def _example(**fields: Any) -> dict[str, Any]:
    return {"rds": {"DescribeDBSnapshots": {"": {"DBSnapshots": [{"DBSnapshotIdentifier": "s", **fields}]}}}}


CHECK = Check(
    title="Snapshots of database instances are encrypted",
    severity=Severity.HIGH,
    collectors=("rds",),
    supports=("164.312(a)(2)(iv)",),
    rationale="A snapshot is a whole copy of the database's ePHI that outlives it. Unencrypted, it can be made public or handed to another account with one call.",
    expected="Encrypted is true.",
    fix=Fix(
        console="RDS, Snapshots: copy the snapshot with encryption, check the copy, delete the original.",
        cli="aws rds copy-db-snapshot --source-db-snapshot-identifier PLAIN --target-db-snapshot-identifier ENCRYPTED --kms-key-id KEY",
    ),
    resources=rds.instance_snapshots,
    judge=rds.judge_encrypted,
    passing=(_example(Encrypted=True),),
    failing=(_example(Encrypted=False),),
)
