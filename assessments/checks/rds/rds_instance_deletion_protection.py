from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict
from assessments.checks.subjects import rds
from evidence.types import Seen


def judge(database: Resource, _seen: Seen) -> Verdict:
    return rds.judge_flag(
        database, "DeletionProtection", "protected against deletion", "can be deleted with one call"
    )


def _example(**fields: Any) -> dict[str, Any]:
    return {
        "rds": {"DescribeDBInstances": {"": {"DBInstances": [{"DBInstanceIdentifier": "records", **fields}]}}}
    }


CHECK = Check(
    title="Database instances are protected against deletion",
    severity=Severity.MEDIUM,
    collectors=("rds",),
    supports=("164.312(c)(1)",),
    rationale="One mistaken or malicious call deletes a database and, with it, its automated backups. With protection on, deleting ePHI takes two deliberate steps, each on record.",
    expected="DeletionProtection is true.",
    fix=Fix(
        console="RDS, Databases, the instance, Modify: Enable deletion protection.",
        cli="aws rds modify-db-instance --db-instance-identifier ID --deletion-protection --apply-immediately",
        terraform='resource "aws_db_instance" "records" {\n  deletion_protection = true\n}',
    ),
    resources=rds.standalone_instances,
    judge=judge,
    passing=(_example(DeletionProtection=True),),
    failing=(_example(DeletionProtection=False),),
)
