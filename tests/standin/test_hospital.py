"""The demonstration accounts: seeded once, the same each time, readable by exactly the role they gave."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from portal.demo.aws import PORTAL_ACCOUNT_ID, AwsStandIn
from portal.demo.hospital import MERCY_LAKES_ACCOUNT_ID, NORTHWIND_ACCOUNT_ID, SeededAccount, seed
from tests.standin.conftest import EXTERNAL_ID, assume

pytestmark = pytest.mark.xdist_group("standin")  # seeded once, by one process

ROLE_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["ec2:Describe*", "s3:ListAllMyBuckets"], "Resource": "*"}],
}
ACCOUNTS = (MERCY_LAKES_ACCOUNT_ID, NORTHWIND_ACCOUNT_ID)


def fill(aws: AwsStandIn, account_id: str) -> SeededAccount:
    return seed(
        aws.url,
        account_id=account_id,
        external_id=EXTERNAL_ID,
        portal_account_id=PORTAL_ACCOUNT_ID,
        role_policy=ROLE_POLICY,
    )


@pytest.fixture(scope="module")
def hospital() -> Iterator[AwsStandIn]:
    with AwsStandIn() as aws:
        for account_id in ACCOUNTS:
            fill(aws, account_id)
        yield aws


def arns(aws: AwsStandIn, accounts: tuple[str, ...] = ACCOUNTS) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for account_id in accounts:
        for region in ("us-east-1", "us-west-2"):
            for name, read in READS.items():
                service, method, path = name.split("/")
                arguments = {"OwnerIds": ["self"]} if method == "describe_snapshots" else {}
                answer: Any = getattr(aws.admin(service, account_id, region), method)(**arguments)
                found[f"{account_id}/{region}/{name}"] = sorted(
                    str(each[read]) for each in answer.get(path, [])
                )
    return found


READS = {
    "iam/list_users/Users": "Arn",
    "iam/list_roles/Roles": "Arn",
    "s3/list_buckets/Buckets": "Name",
    "kms/list_keys/Keys": "KeyArn",
    "ec2/describe_vpcs/Vpcs": "VpcId",
    "ec2/describe_subnets/Subnets": "SubnetId",
    "ec2/describe_security_groups/SecurityGroups": "GroupId",
    "ec2/describe_instances/Reservations": "ReservationId",
    "ec2/describe_volumes/Volumes": "VolumeId",
    "ec2/describe_snapshots/Snapshots": "SnapshotId",
    "ec2/describe_flow_logs/FlowLogs": "FlowLogId",
    "rds/describe_db_instances/DBInstances": "DBInstanceArn",
    "rds/describe_db_clusters/DBClusters": "DBClusterArn",
    "secretsmanager/list_secrets/SecretList": "ARN",
    "logs/describe_log_groups/logGroups": "arn",
    "cloudwatch/describe_alarms/MetricAlarms": "AlarmArn",
}


def test_two_seedings_give_the_same_arns(hospital: AwsStandIn) -> None:
    with AwsStandIn() as again:
        fill(again, NORTHWIND_ACCOUNT_ID)
        only = (NORTHWIND_ACCOUNT_ID,)
        assert arns(again, only) == arns(hospital, only)


def test_the_accounts_hold_about_a_hundred_things_and_more(hospital: AwsStandIn) -> None:
    counted = sum(
        len(each)
        for name, each in arns(hospital).items()
        if "us-west-2/iam" not in name and "us-west-2/s3" not in name
    )
    assert 110 <= counted <= 220


def test_seeding_twice_changes_nothing_but_the_role(hospital: AwsStandIn) -> None:
    before = arns(hospital)
    assert not fill(hospital, MERCY_LAKES_ACCOUNT_ID).created
    assert arns(hospital) == before


def test_the_role_opens_with_its_external_id_alone_and_reads_what_its_policy_says(
    hospital: AwsStandIn,
) -> None:
    role = fill(hospital, NORTHWIND_ACCOUNT_ID).role_arn
    with pytest.raises(ClientError, match="AccessDenied"):
        assume(hospital, role)
    session = assume(hospital, role, ExternalId=EXTERNAL_ID)
    assert hospital.client("s3", **session).list_buckets()["Buckets"]
    with pytest.raises(ClientError, match="kms:ListKeys"):
        hospital.client("kms", **session).list_keys()


def test_there_is_good_and_bad(hospital: AwsStandIn) -> None:
    ec2 = hospital.admin("ec2", MERCY_LAKES_ACCOUNT_ID)
    assert {each["Encrypted"] for each in ec2.describe_volumes()["Volumes"]} == {True, False}
    rds = hospital.admin("rds", MERCY_LAKES_ACCOUNT_ID)
    assert {each["StorageEncrypted"] for each in rds.describe_db_instances()["DBInstances"]} == {True, False}
    recorders = [
        hospital.admin("config", MERCY_LAKES_ACCOUNT_ID, region).describe_configuration_recorder_status()
        for region in ("us-east-1", "us-west-2")
    ]
    recording = [each["ConfigurationRecordersStatus"][0]["recording"] for each in recorders]
    assert recording == [True, False]
    shared = [
        ec2.describe_snapshot_attribute(SnapshotId=each["SnapshotId"], Attribute="createVolumePermission")
        for each in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    ]
    assert [{"Group": "all"}] in [each["CreateVolumePermissions"] for each in shared]
