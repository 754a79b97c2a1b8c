from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import rds
from evidence.types import Seen


def judge(instance: Resource, _seen: Seen) -> Verdict:
    match instance.data.get("PubliclyAccessible"):
        case True:
            return failed("its name leads to a public address")
        case False:
            return passed("has a private address only")
    return unknown("AWS did not say whether it is publicly accessible")


def _example(**fields: Any) -> dict[str, Any]:
    return {
        "rds": {"DescribeDBInstances": {"": {"DBInstances": [{"DBInstanceIdentifier": "records", **fields}]}}}
    }


CHECK = Check(
    title="Database instances are not publicly accessible",
    severity=Severity.CRITICAL,
    collectors=("rds",),
    supports=("164.312(a)(1)", "164.308(a)(3)(i)", "164.312(e)(1)"),
    rationale="A database with a public address is one security group rule, and one password, away from giving its ePHI to anybody on the internet.",
    expected="PubliclyAccessible is false.",
    fix=Fix(
        console="RDS, Databases, the instance, Modify, Connectivity, Additional configuration: Not publicly accessible.",
        cli="aws rds modify-db-instance --db-instance-identifier ID --no-publicly-accessible --apply-immediately",
        terraform='resource "aws_db_instance" "records" {\n  publicly_accessible = false\n}',
    ),
    resources=rds.instances,
    judge=judge,
    passing=(_example(PubliclyAccessible=False),),
    failing=(_example(PubliclyAccessible=True),),
)
