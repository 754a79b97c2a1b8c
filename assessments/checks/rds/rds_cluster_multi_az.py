from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, not_applicable
from assessments.checks.subjects import rds
from evidence.types import Seen


def judge(database: Resource, _seen: Seen) -> Verdict:
    if database.data.get("EngineMode") == "serverless":
        return not_applicable("serverless of the first version moves to another zone by itself")
    return rds.judge_flag(
        database, "MultiAZ", "runs in several availability zones", "runs in one availability zone"
    )


def _example(**fields: Any) -> dict[str, Any]:
    return {
        "rds": {"DescribeDBClusters": {"": {"DBClusters": [{"DBClusterIdentifier": "records", **fields}]}}}
    }


CHECK = Check(
    title="Database clusters run in several availability zones",
    severity=Severity.MEDIUM,
    collectors=("rds",),
    supports=("164.308(a)(7)(i)", "164.308(a)(7)(ii)(C)"),
    rationale="When an availability zone fails, a database in that zone alone takes the ePHI that care depends on with it until it is restored by hand. A second zone takes over by itself.",
    expected="MultiAZ is true.",
    fix=Fix(
        console="RDS, Databases, the cluster, Actions, Add reader: in another availability zone.",
        cli="aws rds create-db-instance --db-cluster-identifier ID --db-instance-identifier READER --engine ENGINE --db-instance-class CLASS --availability-zone ZONE",
        terraform='resource "aws_rds_cluster_instance" "reader" {\n  count              = 2\n  cluster_identifier = aws_rds_cluster.records.id\n}',
    ),
    resources=rds.clusters,
    judge=judge,
    passing=(_example(MultiAZ=True),),
    failing=(_example(MultiAZ=False),),
)
