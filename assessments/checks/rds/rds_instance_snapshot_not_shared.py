from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Severity
from assessments.checks.subjects import rds


def _example(*accounts: str) -> dict[str, Any]:
    attributes = [{"AttributeName": "restore", "AttributeValues": list(accounts)}]
    result = {"DBSnapshotIdentifier": "s", "DBSnapshotAttributes": attributes}
    return {
        "rds": {
            "DescribeDBSnapshots": {
                "": {"DBSnapshots": [{"DBSnapshotIdentifier": "s", "SnapshotType": "manual"}]}
            },
            "DescribeDBSnapshotAttributes": {"s": {"DBSnapshotAttributesResult": result}},
        }
    }


CHECK = Check(
    title="Snapshots of database instances are not shared with other accounts",
    severity=Severity.MEDIUM,
    collectors=("rds",),
    supports=("164.312(a)(1)", "164.308(a)(4)(ii)(B)"),
    rationale="An account that a snapshot is shared with can restore all ePHI in it and keep the copy. Sharing with another party needs an authorization, and with a vendor an agreement.",
    expected="The restore attribute of the manual snapshot names no other account, or an exception names the party.",
    fix=Fix(
        console="RDS, Snapshots, the snapshot, Actions, Share snapshot: remove the account.",
        cli="aws rds modify-db-snapshot-attribute --db-snapshot-identifier ID --attribute-name restore --values-to-remove ACCOUNT",
    ),
    resources=rds.manual_instance_snapshots,
    judge=rds.judge_not_shared,
    passing=(_example(), _example("111122223333")),
    failing=(_example("444455556666"),),
)
