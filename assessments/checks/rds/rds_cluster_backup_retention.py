from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Severity
from assessments.checks.subjects import rds


def _example(**fields: Any) -> dict[str, Any]:
    return {
        "rds": {"DescribeDBClusters": {"": {"DBClusters": [{"DBClusterIdentifier": "records", **fields}]}}}
    }


CHECK = Check(
    title="Database clusters keep backups for seven days or longer",
    severity=Severity.HIGH,
    collectors=("rds",),
    supports=("164.308(a)(7)(ii)(A)", "164.310(d)(2)(iv)"),
    rationale="Automated backups are the exact copy from which ePHI is retrieved to any second. A mistake found after a weekend needs more than the day that is the least RDS offers.",
    expected="BackupRetentionPeriod is 7 or more.",
    fix=Fix(
        console="RDS, Databases, the cluster, Modify, Backup retention period: 7 days or more.",
        cli="aws rds modify-db-cluster --db-cluster-identifier ID --backup-retention-period 35 --apply-immediately",
        terraform='resource "aws_rds_cluster" "records" {\n  backup_retention_period = 35\n}',
    ),
    resources=rds.clusters,
    judge=rds.judge_backups,
    passing=(_example(BackupRetentionPeriod=7),),
    failing=(_example(BackupRetentionPeriod=0), _example(BackupRetentionPeriod=1)),
)
