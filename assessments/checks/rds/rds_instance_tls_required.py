from __future__ import annotations

from typing import Any

from assessments.checks.base import Check, Fix, Severity
from assessments.checks.subjects import rds_tls


def _example(engine: str, version: str, **parameter: str) -> dict[str, Any]:
    group = {"DBParameterGroupName": "g", "ParameterApplyStatus": "in-sync"}
    row = {
        "DBInstanceIdentifier": "records",
        "Engine": engine,
        "EngineVersion": version,
        "DBParameterGroups": [group],
    }
    return {
        "rds": {
            "DescribeDBInstances": {"": {"DBInstances": [row]}},
            "DescribeDBParameters": {"g": {"Parameters": [parameter]}},
        }
    }


def _oracle(setting: str) -> dict[str, Any]:
    settings = [{"Name": "SQLNET.ENCRYPTION_SERVER", "Value": setting}]
    options = [{"OptionName": "NATIVE_NETWORK_ENCRYPTION", "OptionSettings": settings}]
    row = {
        "DBInstanceIdentifier": "records",
        "Engine": "oracle-ee",
        "OptionGroupMemberships": [{"OptionGroupName": "o"}],
    }
    return {
        "rds": {
            "DescribeDBInstances": {"": {"DBInstances": [row]}},
            "DescribeOptionGroups": {
                "": {"OptionGroupsList": [{"OptionGroupName": "o", "Options": options}]}
            },
        }
    }


CHECK = Check(
    title="Database instances refuse connections without TLS",
    severity=Severity.HIGH,
    collectors=("rds",),
    supports=("164.312(e)(1)", "164.312(e)(2)(i)", "164.312(e)(2)(ii)"),
    rationale="A database that offers TLS but does not demand it sends ePHI in plain text to the one client that was set up without, and nobody notices.",
    expected="require_secure_transport or rds.force_ssl is on and in effect (PostgreSQL: by default from version 15); for Oracle native network encryption is required.",
    fix=Fix(
        console="RDS, Parameter groups: in a group of your own set require_secure_transport (MySQL, MariaDB) or rds.force_ssl (PostgreSQL, SQL Server) to 1, give it to the instance, reboot if asked to.",
        cli="aws rds modify-db-parameter-group --db-parameter-group-name GROUP --parameters ParameterName=rds.force_ssl,ParameterValue=1,ApplyMethod=pending-reboot",
        terraform='resource "aws_db_parameter_group" "records" {\n  family = "FAMILY"\n  parameter {\n    name  = "rds.force_ssl"\n    value = "1"\n  }\n}',
    ),
    resources=rds_tls.instances,
    judge=rds_tls.judge,
    passing=(
        _example("mysql", "8.0.39", ParameterName="require_secure_transport", ParameterValue="1"),
        _example("postgres", "16.4", ParameterName="rds.force_ssl"),
        _oracle("REQUIRED"),
    ),
    failing=(
        _example("mariadb", "10.11.8", ParameterName="require_secure_transport", ParameterValue="0"),
        _example("postgres", "14.12", ParameterName="rds.force_ssl"),
        _oracle("REQUESTED"),
    ),
)
