from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Severity
from assessments.checks.subjects import rds


def _example(**fields: Any) -> dict[str, Any]:
    return {
        "rds": {
            "DescribeDBClusterSnapshots": {
                "": {"DBClusterSnapshots": [{"DBClusterSnapshotIdentifier": "s", **fields}]}
            }
        }
    }


CHECK = Check(
    title="Snapshots of database clusters are encrypted",
    severity=Severity.HIGH,
    collectors=("rds",),
    supports=("164.312(a)(2)(iv)",),
    rationale="A snapshot is a whole copy of the database's ePHI that outlives it. Unencrypted, it can be made public or handed to another account with one call.",
    expected="StorageEncrypted is true.",
    fix=Fix(
        console="RDS, Snapshots: copy the snapshot with encryption, check the copy, delete the original.",
        cli="aws rds copy-db-cluster-snapshot --source-db-cluster-snapshot-identifier PLAIN --target-db-cluster-snapshot-identifier ENCRYPTED --kms-key-id KEY",
    ),
    resources=rds.cluster_snapshots,
    judge=rds.judge_encrypted,
    passing=(_example(StorageEncrypted=True),),
    failing=(_example(StorageEncrypted=False),),
)
