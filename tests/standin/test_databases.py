"""RDS as AWS tells it, where moto says less or something else, seen through boto3."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from portal.demo.aws import AwsStandIn
from tests.standin.conftest import CUSTOMER


def make_instance(aws: AwsStandIn, **more: Any) -> Any:
    rds = aws.admin("rds", CUSTOMER)
    wanted = {
        "DBInstanceIdentifier": "db",
        "DBInstanceClass": "db.t3.micro",
        "Engine": "mysql",
        "EngineVersion": "8.0.36",
        "AllocatedStorage": 5,
        "MasterUsername": "op",
        "MasterUserPassword": "made-up-for-test",
        **more,
    }
    rds.create_db_instance(**wanted)
    return rds


def instance_of(rds: Any, name: str = "db") -> dict[str, Any]:
    found: dict[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    return found


def test_option_groups_are_listed_without_a_name_and_one_that_is_not_there_is_an_error(
    aws: AwsStandIn,
) -> None:
    rds = aws.admin("rds", CUSTOMER)
    assert rds.describe_option_groups()["OptionGroupsList"] == []
    with pytest.raises(ClientError, match="OptionGroupNotFoundFault"):
        rds.describe_option_groups(OptionGroupName="none")
    make_instance(aws)
    rds.create_option_group(
        OptionGroupName="ours", EngineName="mysql", MajorEngineVersion="8.0", OptionGroupDescription="ours"
    )
    listed = rds.describe_option_groups()["OptionGroupsList"]
    names = {each["OptionGroupName"]: each["MajorEngineVersion"] for each in listed}
    assert names == {"default:mysql-8-0": "8.0", "ours": "8.0"}


def test_an_instance_tells_its_certificate_and_whether_it_is_public(aws: AwsStandIn) -> None:
    rds = make_instance(aws)
    found = instance_of(rds)
    assert (found["PubliclyAccessible"], found["CACertificateIdentifier"]) == (False, "rds-ca-rsa2048-g1")
    assert found["CertificateDetails"]["CAIdentifier"] == "rds-ca-rsa2048-g1"
    assert found["CertificateDetails"]["ValidTill"] > datetime.now(UTC) + timedelta(days=365)


def test_an_authority_that_has_ended_has_ended(aws: AwsStandIn) -> None:
    rds = make_instance(aws, CACertificateIdentifier="rds-ca-2019", PubliclyAccessible=True)
    found = instance_of(rds)
    assert found["PubliclyAccessible"]
    assert found["CertificateDetails"]["ValidTill"] < datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("engine", "version", "parameter", "value"),
    [
        ("mysql", "8.0.36", "require_secure_transport", None),
        ("postgres", "15.7", "rds.force_ssl", "1"),
        ("postgres", "14.12", "rds.force_ssl", None),
    ],
)
def test_a_default_parameter_group_lists_what_demands_tls(
    aws: AwsStandIn, engine: str, version: str, parameter: str, value: str | None
) -> None:
    rds = make_instance(aws, Engine=engine, EngineVersion=version)
    group = instance_of(rds)["DBParameterGroups"][0]["DBParameterGroupName"]
    listed = rds.describe_db_parameters(DBParameterGroupName=group)["Parameters"]
    assert [(each["ParameterName"], each.get("ParameterValue")) for each in listed] == [(parameter, value)]


def test_an_automated_snapshot_is_named_after_the_backup_window(aws: AwsStandIn) -> None:
    rds = make_instance(aws, PreferredBackupWindow="03:15-03:45", BackupRetentionPeriod=7)
    make_instance(aws, DBInstanceIdentifier="unsaved", BackupRetentionPeriod=0)
    snapshots = rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"]
    assert len(snapshots) == 1
    assert re.fullmatch(r"rds:db-\d{4}-\d\d-\d\d-03-15", snapshots[0]["DBSnapshotIdentifier"])


def test_a_member_stands_in_the_subnets_of_its_cluster(aws: AwsStandIn) -> None:
    ec2, rds = aws.admin("ec2", CUSTOMER), aws.admin("rds", CUSTOMER)
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"][:2]]
    rds.create_db_subnet_group(DBSubnetGroupName="data", DBSubnetGroupDescription="data", SubnetIds=subnets)
    account = {"MasterUsername": "op", "MasterUserPassword": "made-up-for-test"}
    rds.create_db_cluster(
        DBClusterIdentifier="cluster", Engine="aurora-mysql", DBSubnetGroupName="data", **account
    )
    rds.create_db_instance(
        DBInstanceIdentifier="member",
        DBClusterIdentifier="cluster",
        DBInstanceClass="db.r6g.large",
        Engine="aurora-mysql",
    )
    found = instance_of(rds, "member")
    assert found["DBSubnetGroup"]["DBSubnetGroupName"] == "data"
    assert rds.describe_db_snapshots(DBInstanceIdentifier="member")["DBSnapshots"] == []
