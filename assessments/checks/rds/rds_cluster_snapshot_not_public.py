from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Severity
from assessments.checks.subjects import rds


def _example(*accounts: str) -> dict[str, Any]:
    attributes = [{"AttributeName": "restore", "AttributeValues": list(accounts)}]
    result = {"DBClusterSnapshotIdentifier": "s", "DBClusterSnapshotAttributes": attributes}
    return {
        "rds": {
            "DescribeDBClusterSnapshots": {
                "": {"DBClusterSnapshots": [{"DBClusterSnapshotIdentifier": "s", "SnapshotType": "manual"}]}
            },
            "DescribeDBClusterSnapshotAttributes": {"s": {"DBClusterSnapshotAttributesResult": result}},
        }
    }


CHECK = Check(
    title="Snapshots of database clusters are not public",
    severity=Severity.CRITICAL,
    collectors=("rds",),
    supports=("164.312(a)(1)", "164.308(a)(3)(i)"),
    rationale="A public snapshot hands the whole database, with all ePHI in it, to anybody who has an AWS account.",
    expected="The restore attribute of the manual snapshot does not hold 'all'.",
    fix=Fix(
        console="RDS, Snapshots, the snapshot, Actions, Share snapshot: Private. Then treat what was readable as a possible breach.",
        cli="aws rds modify-db-cluster-snapshot-attribute --db-cluster-snapshot-identifier ID --attribute-name restore --values-to-remove all",
    ),
    resources=rds.manual_cluster_snapshots,
    judge=rds.judge_not_public,
    passing=(_example(), _example("444455556666")),
    failing=(_example("all"),),
)
