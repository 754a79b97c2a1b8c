from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, not_applicable
from assessments.checks.subjects import encryption, rds
from evidence.types import Seen


def judge(database: Resource, seen: Seen) -> Verdict:
    if database.data.get("StorageEncrypted") is False:
        return not_applicable("not encrypted")
    return encryption.judge_key(seen, seen.region, database.data.get("KmsKeyId"))


def _example(manager: str) -> dict[str, Any]:
    row = {
        "DBInstanceIdentifier": "records",
        "StorageEncrypted": True,
        "KmsKeyId": "arn:aws:kms:us-east-1:111122223333:key/k",
    }
    return {
        "rds": {"DescribeDBInstances": {"": {"DBInstances": [row]}}},
        "kms": {"DescribeKey": {"k": {"KeyMetadata": {"KeyId": "k", "KeyManager": manager}}}},
    }


CHECK = Check(
    title="Database instances are encrypted with a customer-managed key",
    severity=Severity.LOW,
    collectors=("rds", "kms"),
    supports=("164.312(a)(2)(iv)",),
    rationale="A key of the tenant's own has a policy that says who may restore the ePHI in a backup, leaves a record of its use, and can be withdrawn. AWS's key does none of that, and snapshots with it can't be shared safely.",
    expected="KmsKeyId is a customer-managed KMS key.",
    fix=Fix(
        console="RDS, Snapshots: copy a snapshot with a key of your own and restore the copy as a new instance.",
        cli="aws rds copy-db-snapshot --source-db-snapshot-identifier OLD --target-db-snapshot-identifier NEW --kms-key-id KEY",
        terraform='resource "aws_db_instance" "records" {\n  kms_key_id = aws_kms_key.rds.arn\n}',
    ),
    resources=rds.standalone_instances,
    judge=judge,
    passing=(_example("CUSTOMER"),),
    failing=(_example("AWS"),),
)
