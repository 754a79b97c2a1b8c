from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Resource, Severity, Verdict
from assessments.checks.subjects import rds
from evidence.types import Seen


def judge(instance: Resource, _seen: Seen) -> Verdict:
    on, off = "minor versions are installed by themselves", "minor versions wait for somebody to install them"
    return rds.judge_flag(instance, "AutoMinorVersionUpgrade", on, off)


def _example(**fields: Any) -> dict[str, Any]:
    return {
        "rds": {"DescribeDBInstances": {"": {"DBInstances": [{"DBInstanceIdentifier": "records", **fields}]}}}
    }


CHECK = Check(
    title="Database instances install minor versions by themselves",
    severity=Severity.LOW,
    collectors=("rds",),
    supports=("164.308(a)(1)(ii)(B)",),
    rationale="Minor versions mend known flaws of the engine. One that waits for somebody leaves ePHI open to attacks that are described in public.",
    expected="AutoMinorVersionUpgrade is true.",
    fix=Fix(
        console="RDS, Databases, the instance, Modify, Maintenance: Enable auto minor version upgrade.",
        cli="aws rds modify-db-instance --db-instance-identifier ID --auto-minor-version-upgrade --apply-immediately",
        terraform='resource "aws_db_instance" "records" {\n  auto_minor_version_upgrade = true\n}',
    ),
    resources=rds.instances,
    judge=judge,
    passing=(_example(AutoMinorVersionUpgrade=True),),
    failing=(_example(AutoMinorVersionUpgrade=False),),
)
