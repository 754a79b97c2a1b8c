from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Severity
from assessments.checks.subjects import rds


def _example(**fields: Any) -> dict[str, Any]:
    return {
        "rds": {"DescribeDBInstances": {"": {"DBInstances": [{"DBInstanceIdentifier": "records", **fields}]}}}
    }


CHECK = Check(
    title="Database instances send their logs to CloudWatch Logs",
    severity=Severity.MEDIUM,
    collectors=("rds",),
    supports=("164.312(b)", "164.308(a)(1)(ii)(D)"),
    rationale="The engine's own log says who logged in to the database and what they did with ePHI. On the instance it is rotated away within days and can be read by its administrator alone.",
    expected="The engine's audit, general or server log is exported, or an activity stream is on.",
    fix=Fix(
        console="RDS, Databases, the instance, Modify, Log exports: choose the audit log (for PostgreSQL the postgresql log) and switch it on in the parameter or option group.",
        cli="aws rds modify-db-instance --db-instance-identifier ID --cloudwatch-logs-export-configuration 'EnableLogTypes=[audit]'",
        terraform='resource "aws_db_instance" "records" {\n  enabled_cloudwatch_logs_exports = ["audit"]\n}',
    ),
    resources=rds.standalone_instances,
    judge=rds.judge_logs,
    passing=(_example(Engine="postgres", EnabledCloudwatchLogsExports=["postgresql"]),),
    failing=(_example(Engine="mysql"), _example(Engine="mysql", EnabledCloudwatchLogsExports=["slowquery"])),
)
