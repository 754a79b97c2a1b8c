from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, not_applicable, unknown
from assessments.checks.subjects import rds
from evidence.types import Seen


def judge(database: Resource, _seen: Seen) -> Verdict:
    if not rds.family(database):
        return unknown("AWS did not say its engine")
    if not rds.supports_iam(database):
        return not_applicable(f"the engine {rds.family(database)} does not take IAM credentials")
    on, off = "takes IAM credentials", "takes passwords only"
    return rds.judge_flag(database, "IAMDatabaseAuthenticationEnabled", on, off)


def _example(**fields: Any) -> dict[str, Any]:
    return {
        "rds": {"DescribeDBInstances": {"": {"DBInstances": [{"DBInstanceIdentifier": "records", **fields}]}}}
    }


CHECK = Check(
    title="Database instances take IAM credentials",
    severity=Severity.LOW,
    collectors=("rds",),
    supports=("164.312(d)", "164.312(a)(2)(i)"),
    rationale="A database password is shared, copied and seldom changed, so that a record of who read ePHI names nobody. With IAM each person or program logs in as itself, with a token that lasts 15 minutes.",
    expected="IAMDatabaseAuthenticationEnabled is true, for engines that have it.",
    fix=Fix(
        console="RDS, Databases, the instance, Modify, Database authentication: Password and IAM database authentication.",
        cli="aws rds modify-db-instance --db-instance-identifier ID --enable-iam-database-authentication --apply-immediately",
        terraform='resource "aws_db_instance" "records" {\n  iam_database_authentication_enabled = true\n}',
    ),
    resources=rds.standalone_instances,
    judge=judge,
    passing=(_example(Engine="postgres", IAMDatabaseAuthenticationEnabled=True),),
    failing=(_example(Engine="postgres", IAMDatabaseAuthenticationEnabled=False),),
)
