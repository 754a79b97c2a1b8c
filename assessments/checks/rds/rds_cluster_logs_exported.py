from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Severity
from assessments.checks.subjects import rds


def _example(**fields: Any) -> dict[str, Any]:
    return {
        "rds": {"DescribeDBClusters": {"": {"DBClusters": [{"DBClusterIdentifier": "records", **fields}]}}}
    }


CHECK = Check(
    title="Database clusters send their logs to CloudWatch Logs",
    severity=Severity.MEDIUM,
    collectors=("rds",),
    supports=("164.312(b)", "164.308(a)(1)(ii)(D)"),
    rationale="The engine's own log says who logged in to the database and what they did with ePHI. On the cluster it is rotated away within days and can be read by its administrator alone.",
    expected="The engine's audit, general or server log is exported, or an activity stream is on.",
    fix=Fix(
        console="RDS, Databases, the cluster, Modify, Log exports: choose the audit log (for PostgreSQL the postgresql log) and switch it on in the parameter or option group.",
        cli="aws rds modify-db-cluster --db-cluster-identifier ID --cloudwatch-logs-export-configuration 'EnableLogTypes=[audit]'",
        terraform='resource "aws_rds_cluster" "records" {\n  enabled_cloudwatch_logs_exports = ["audit"]\n}',
    ),
    resources=rds.clusters,
    judge=rds.judge_logs,
    passing=(_example(Engine="aurora-postgresql", EnabledCloudwatchLogsExports=["postgresql"]),),
    failing=(
        _example(Engine="aurora-mysql"),
        _example(Engine="aurora-mysql", EnabledCloudwatchLogsExports=["slowquery"]),
    ),
)
