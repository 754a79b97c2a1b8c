from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Severity
from assessments.checks.subjects import rds


def _example(**fields: Any) -> dict[str, Any]:
    return {
        "rds": {"DescribeDBInstances": {"": {"DBInstances": [{"DBInstanceIdentifier": "records", **fields}]}}}
    }


CHECK = Check(
    title="Database instances are encrypted at rest",
    severity=Severity.HIGH,
    collectors=("rds",),
    supports=("164.312(a)(2)(iv)",),
    rationale="Tables of ePHI, their logs, backups and replicas lie on the instance's storage. AWS's business associate addendum requires encryption of ePHI at rest, and it can be chosen only when the storage is made.",
    expected="StorageEncrypted is true.",
    fix=Fix(
        console="RDS, Snapshots: take a snapshot, copy it with encryption, restore the copy as a new instance, point the application to it.",
        cli="aws rds copy-db-snapshot --source-db-snapshot-identifier PLAIN --target-db-snapshot-identifier ENCRYPTED --kms-key-id KEY",
        terraform='resource "aws_db_instance" "records" {\n  storage_encrypted = true\n  kms_key_id        = aws_kms_key.rds.arn\n}',
    ),
    resources=rds.instances,
    judge=rds.judge_encrypted,
    passing=(_example(StorageEncrypted=True, KmsKeyId="arn:aws:kms:us-east-1:111122223333:key/k"),),
    failing=(_example(StorageEncrypted=False),),
)
