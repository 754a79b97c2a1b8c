from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Severity
from assessments.checks.subjects import rds_tls


def _example(engine: str, version: str, **parameter: str) -> dict[str, Any]:
    row = {
        "DBClusterIdentifier": "records",
        "Engine": engine,
        "EngineVersion": version,
        "DBClusterParameterGroup": "g",
    }
    return {
        "rds": {
            "DescribeDBClusters": {"": {"DBClusters": [row]}},
            "DescribeDBClusterParameters": {"g": {"Parameters": [parameter]}},
        }
    }


CHECK = Check(
    title="Database clusters refuse connections without TLS",
    severity=Severity.HIGH,
    collectors=("rds",),
    supports=("164.312(e)(1)", "164.312(e)(2)(i)", "164.312(e)(2)(ii)"),
    rationale="A database that offers TLS but does not demand it sends ePHI in plain text to the one client that was set up without, and nobody notices.",
    expected="require_secure_transport or rds.force_ssl is on, in the cluster parameter group, and in effect.",
    fix=Fix(
        console="RDS, Parameter groups: in a group of your own set require_secure_transport (MySQL, MariaDB) or rds.force_ssl (PostgreSQL, SQL Server) to 1, give it to the cluster, reboot if asked to.",
        cli="aws rds modify-db-cluster-parameter-group --db-cluster-parameter-group-name GROUP --parameters ParameterName=rds.force_ssl,ParameterValue=1,ApplyMethod=pending-reboot",
        terraform='resource "aws_rds_cluster_parameter_group" "records" {\n  family = "FAMILY"\n  parameter {\n    name  = "rds.force_ssl"\n    value = "1"\n  }\n}',
    ),
    resources=rds_tls.clusters,
    judge=rds_tls.judge,
    passing=(
        _example(
            "aurora-mysql",
            "8.0.mysql_aurora.3.08.0",
            ParameterName="require_secure_transport",
            ParameterValue="ON",
        ),
        _example("aurora-postgresql", "16.4", ParameterName="rds.force_ssl", ParameterValue="1"),
    ),
    failing=(
        _example(
            "aurora-mysql",
            "8.0.mysql_aurora.3.08.0",
            ParameterName="require_secure_transport",
            ParameterValue="OFF",
        ),
        _example("aurora-postgresql", "16.4", ParameterName="rds.force_ssl"),
    ),
)
