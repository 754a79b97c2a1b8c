from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, not_applicable
from assessments.checks.subjects import rds
from evidence.types import Seen


def judge(database: Resource, seen: Seen) -> Verdict:
    source = database.data.get("ReadReplicaSourceDBInstanceIdentifier")
    return (
        not_applicable(f"a replica of {source}, which is backed up")
        if source
        else rds.judge_backups(database, seen)
    )


def _example(**fields: Any) -> dict[str, Any]:
    return {
        "rds": {"DescribeDBInstances": {"": {"DBInstances": [{"DBInstanceIdentifier": "records", **fields}]}}}
    }


CHECK = Check(
    title="Database instances keep backups for seven days or longer",
    severity=Severity.HIGH,
    collectors=("rds",),
    supports=("164.308(a)(7)(ii)(A)", "164.310(d)(2)(iv)"),
    rationale="Automated backups are the exact copy from which ePHI is retrieved to any second. A mistake found after a weekend needs more than the day that is the least RDS offers.",
    expected="BackupRetentionPeriod is 7 or more; a read replica is backed up at its source.",
    fix=Fix(
        console="RDS, Databases, the instance, Modify, Backup retention period: 7 days or more.",
        cli="aws rds modify-db-instance --db-instance-identifier ID --backup-retention-period 35 --apply-immediately",
        terraform='resource "aws_db_instance" "records" {\n  backup_retention_period = 35\n}',
    ),
    resources=rds.standalone_instances,
    judge=judge,
    passing=(_example(BackupRetentionPeriod=7),),
    failing=(_example(BackupRetentionPeriod=0), _example(BackupRetentionPeriod=1)),
)
