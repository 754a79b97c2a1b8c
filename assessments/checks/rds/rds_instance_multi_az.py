from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, not_applicable
from assessments.checks.subjects import rds
from evidence.types import Seen


def judge(database: Resource, _seen: Seen) -> Verdict:
    source = database.data.get("ReadReplicaSourceDBInstanceIdentifier")
    if source:
        return not_applicable(f"a replica of {source}")
    return rds.judge_flag(
        database, "MultiAZ", "runs in several availability zones", "runs in one availability zone"
    )


def _example(**fields: Any) -> dict[str, Any]:
    return {
        "rds": {"DescribeDBInstances": {"": {"DBInstances": [{"DBInstanceIdentifier": "records", **fields}]}}}
    }


CHECK = Check(
    title="Database instances run in several availability zones",
    severity=Severity.MEDIUM,
    collectors=("rds",),
    supports=("164.308(a)(7)(i)", "164.308(a)(7)(ii)(C)"),
    rationale="When an availability zone fails, a database in that zone alone takes the ePHI that care depends on with it until it is restored by hand. A second zone takes over by itself.",
    expected="MultiAZ is true.",
    fix=Fix(
        console="RDS, Databases, the instance, Modify, Availability and durability: create a standby instance.",
        cli="aws rds modify-db-instance --db-instance-identifier ID --multi-az --apply-immediately",
        terraform='resource "aws_db_instance" "records" {\n  multi_az = true\n}',
    ),
    resources=rds.standalone_instances,
    judge=judge,
    passing=(_example(MultiAZ=True),),
    failing=(_example(MultiAZ=False),),
)
