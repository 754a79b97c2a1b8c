"""Answers that moto lacks or gives otherwise than AWS, seen through boto3."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from portal.demo.aws import AwsStandIn
from tests.standin.conftest import CUSTOMER

TRAIL_BUCKET = "trail-bucket-001"


def test_settings_of_ec2_are_read_as_they_were_set_in_their_region(aws: AwsStandIn) -> None:
    ec2 = aws.admin("ec2", CUSTOMER)
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"
    assert ec2.get_snapshot_block_public_access_state()["State"] == "unblocked"
    assert ec2.get_instance_metadata_defaults()["AccountLevel"] == {}
    key = aws.admin("kms", CUSTOMER).create_key()["KeyMetadata"]["Arn"]
    ec2.modify_ebs_default_kms_key_id(KmsKeyId=key)
    ec2.enable_snapshot_block_public_access(State="block-all-sharing")
    ec2.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
    ec2.modify_instance_metadata_defaults(HttpTokens="required", HttpPutResponseHopLimit=2)
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == key
    assert ec2.get_snapshot_block_public_access_state()["State"] == "block-all-sharing"
    assert ec2.get_image_block_public_access_state()["ImageBlockPublicAccessState"] == "block-new-sharing"
    assert ec2.get_instance_metadata_defaults()["AccountLevel"]["HttpTokens"] == "required"
    elsewhere = aws.admin("ec2", CUSTOMER, "us-west-2")
    assert elsewhere.get_snapshot_block_public_access_state()["State"] == "unblocked"


def test_encryption_by_default_encrypts_new_volumes_and_their_snapshots(aws: AwsStandIn) -> None:
    ec2 = aws.admin("ec2", CUSTOMER)
    before = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)
    ec2.enable_ebs_encryption_by_default()
    after = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)
    assert (before["Encrypted"], after["Encrypted"]) == (False, True)
    ec2.create_snapshot(VolumeId=after["VolumeId"])
    snapshots = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert [(each["Encrypted"], bool(each["KmsKeyId"])) for each in snapshots] == [(True, True)]


def test_a_bucket_is_born_encrypted_and_closed(aws: AwsStandIn) -> None:
    s3 = aws.admin("s3", CUSTOMER)
    s3.create_bucket(Bucket="born-001")
    rules = s3.get_bucket_encryption(Bucket="born-001")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert all(s3.get_public_access_block(Bucket="born-001")["PublicAccessBlockConfiguration"].values())
    s3.delete_bucket_encryption(Bucket="born-001")
    assert s3.get_bucket_encryption(Bucket="born-001")["ServerSideEncryptionConfiguration"]["Rules"] == rules


def report_of(aws: AwsStandIn) -> list[dict[str, str]]:
    iam = aws.admin("iam", CUSTOMER)
    iam.generate_credential_report()
    return list(csv.DictReader(io.StringIO(iam.get_credential_report()["Content"].decode())))


def test_the_credential_report_begins_with_the_root_user(aws: AwsStandIn) -> None:
    aws.admin("iam", CUSTOMER).create_user(UserName="somebody")
    assert [row["user"] for row in report_of(aws)] == ["<root_account>", "somebody"]
    assert report_of(aws)[0]["mfa_active"] == "true"
    aws.set_setting("root_mfa", False, account=CUSTOMER)
    aws.set_setting("root_access_keys", 1, account=CUSTOMER)
    assert (report_of(aws)[0]["mfa_active"], report_of(aws)[0]["access_key_1_active"]) == ("false", "true")
    summary = aws.admin("iam", CUSTOMER).get_account_summary()["SummaryMap"]
    assert (summary["AccountMFAEnabled"], summary["AccountAccessKeysPresent"]) == (0, 1)


def test_keys_and_sign_ins_can_be_aged(aws: AwsStandIn) -> None:
    iam = aws.admin("iam", CUSTOMER)
    iam.create_user(UserName="somebody")
    iam.create_login_profile(UserName="somebody", Password="Made-up-4-the-test!")
    key = iam.create_access_key(UserName="somebody")["AccessKey"]["AccessKeyId"]
    aws.backdate("access_key", key, account=CUSTOMER, days=400)
    aws.backdate("password_last_used", "somebody", account=CUSTOMER, days=100)
    created = iam.list_access_keys(UserName="somebody")["AccessKeyMetadata"][0]["CreateDate"]
    assert datetime.now(UTC) - created > timedelta(days=399)
    assert report_of(aws)[1]["password_last_used"] < (datetime.now(UTC) - timedelta(days=99)).isoformat()


def test_authorization_details_name_the_policies_in_use_alone(aws: AwsStandIn) -> None:
    iam = aws.admin("iam", CUSTOMER)
    iam.create_user(UserName="somebody")
    iam.attach_user_policy(UserName="somebody", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    policies = iam.get_account_authorization_details()["Policies"]
    assert [(each["PolicyName"], bool(each["PolicyId"])) for each in policies] == [("ReadOnlyAccess", True)]


def test_a_role_remembers_when_a_session_used_it(aws: AwsStandIn, make_role: Any) -> None:
    from tests.standin.conftest import assume, trust

    session = assume(aws, make_role(trust()))
    aws.client("kms", "us-west-2", **session).list_keys()
    used = aws.admin("iam", CUSTOMER).get_role(RoleName="Reader")["Role"]["RoleLastUsed"]
    assert used["Region"] == "us-west-2"
    assert datetime.now(UTC) - used["LastUsedDate"] < timedelta(minutes=5)


def test_keys_of_aws_are_told_from_keys_of_the_customer(aws: AwsStandIn) -> None:
    kms = aws.admin("kms", CUSTOMER)
    assert kms.describe_key(KeyId="alias/aws/rds")["KeyMetadata"]["KeyManager"] == "AWS"
    ours = kms.create_key()["KeyMetadata"]
    assert ours["KeyManager"] == "CUSTOMER"
    assert "RotationPeriodInDays" not in kms.get_key_rotation_status(KeyId=ours["KeyId"])
    kms.enable_key_rotation(KeyId=ours["KeyId"], RotationPeriodInDays=180)
    assert kms.get_key_rotation_status(KeyId=ours["KeyId"])["RotationPeriodInDays"] == 180


def make_trail(aws: AwsStandIn, **more: Any) -> Any:
    aws.admin("s3", CUSTOMER).create_bucket(Bucket=TRAIL_BUCKET)
    trail = aws.admin("cloudtrail", CUSTOMER)
    trail.create_trail(Name="audit", S3BucketName=TRAIL_BUCKET, **more)
    trail.start_logging(Name="audit")
    return trail


def test_a_trail_that_validates_delivers_digests(aws: AwsStandIn) -> None:
    trail = make_trail(aws, EnableLogFileValidation=True)
    assert "LatestDigestDeliveryTime" in trail.get_trail_status(Name="audit")
    assert not trail.describe_trails()["trailList"][0]["HasCustomEventSelectors"]
    trail.put_event_selectors(TrailName="audit", EventSelectors=[{"ReadWriteType": "WriteOnly"}])
    assert trail.describe_trails()["trailList"][0]["HasCustomEventSelectors"]


def test_a_trail_that_does_not_validate_delivers_none(aws: AwsStandIn) -> None:
    status = make_trail(aws).get_trail_status(Name="audit")
    assert not {"LatestDigestDeliveryTime", "LatestCloudWatchLogsDeliveryTime"} & set(status)


def make_recorder(aws: AwsStandIn) -> Any:
    config = aws.admin("config", CUSTOMER)
    role = f"arn:aws:iam::{CUSTOMER}:role/config"
    config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "b-001"})
    return config


def test_config_delivers_while_it_records(aws: AwsStandIn) -> None:
    config = make_recorder(aws)

    def status() -> dict[str, Any]:
        channel = config.describe_delivery_channel_status()["DeliveryChannelsStatus"][0]
        found: dict[str, Any] = channel["configHistoryDeliveryInfo"]
        return found

    assert status()["lastStatus"] == "Not_Applicable"
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    assert status()["lastStatus"] == "SUCCESS"
    failure = {"status": "FAILURE", "code": "AccessDenied", "message": "refused"}
    aws.set_setting("config_delivery", failure, account=CUSTOMER, region="us-east-1")
    assert (status()["lastStatus"], status()["lastErrorCode"]) == ("FAILURE", "AccessDenied")
    assert "lastSuccessfulTime" not in status()


def test_config_rules_tell_what_they_found(aws: AwsStandIn) -> None:
    config = make_recorder(aws)
    source = {"Owner": "AWS", "SourceIdentifier": "ENCRYPTED_VOLUMES"}
    config.put_config_rule(ConfigRule={"ConfigRuleName": "volumes", "Source": source})

    def compliance() -> str:
        found = config.describe_compliance_by_config_rule()["ComplianceByConfigRules"]
        return str(found[0]["Compliance"]["ComplianceType"])

    assert compliance() == "INSUFFICIENT_DATA"
    results = [
        {"type": "AWS::EC2::Volume", "id": f"vol-{n}", "compliance": c}
        for n, c in enumerate(("COMPLIANT", "NON_COMPLIANT"))
    ]
    aws.set_setting("config_rule_results", {"volumes": results}, account=CUSTOMER, region="us-east-1")
    assert compliance() == "NON_COMPLIANT"
    failing = config.get_compliance_details_by_config_rule(
        ConfigRuleName="volumes", ComplianceTypes=["NON_COMPLIANT"]
    )
    qualifier = failing["EvaluationResults"][0]["EvaluationResultIdentifier"]["EvaluationResultQualifier"]
    assert qualifier["ResourceId"] == "vol-1"
    with pytest.raises(ClientError, match="NoSuchConfigRuleException"):
        config.get_compliance_details_by_config_rule(ConfigRuleName="other")


def test_a_snapshot_made_by_hand_is_manual(aws: AwsStandIn) -> None:
    rds = aws.admin("rds", CUSTOMER)
    rds.create_db_instance(
        DBInstanceIdentifier="db",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        AllocatedStorage=5,
        MasterUsername="op",
        MasterUserPassword="made-up-for-test",
    )
    rds.create_db_snapshot(DBInstanceIdentifier="db", DBSnapshotIdentifier="mine")
    found = rds.describe_db_snapshots(DBSnapshotIdentifier="mine")["DBSnapshots"]
    assert [each["SnapshotType"] for each in found] == ["manual"]


def test_a_secret_rotates_by_the_end_of_a_day(aws: AwsStandIn) -> None:
    manager = aws.admin("secretsmanager", CUSTOMER)
    manager.create_secret(Name="one", SecretString="made-up-for-test")
    manager.rotate_secret(
        SecretId="one", RotationRules={"AutomaticallyAfterDays": 30}, RotateImmediately=False
    )
    due = manager.describe_secret(SecretId="one")["NextRotationDate"].astimezone(UTC)
    assert f"{due:%H:%M:%S}" == "23:59:59"
    assert timedelta(days=29) < due - datetime.now(UTC) < timedelta(days=31)


def test_the_deletion_of_a_key_can_be_moved_to_a_given_time(aws: AwsStandIn) -> None:
    kms = aws.admin("kms", CUSTOMER)
    key = kms.create_key()["KeyMetadata"]
    deletion = kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=14)["DeletionDate"]
    past_midnight = deletion.timestamp() % 86400
    aws.backdate("key_deletion", key["Arn"], account=CUSTOMER, days=past_midnight / 86400)
    moved = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["DeletionDate"]
    assert moved.timestamp() == round(deletion.timestamp() - past_midnight)


def test_a_removed_vpc_leaves_nothing_and_subnets_of_others_give_no_public_addresses(aws: AwsStandIn) -> None:
    ec2 = aws.admin("ec2", CUSTOMER)
    assert all(each["MapPublicIpOnLaunch"] for each in ec2.describe_subnets()["Subnets"])
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=ec2.describe_vpcs()["Vpcs"][0]["VpcId"])
    assert ec2.describe_vpcs()["Vpcs"] == []
    assert ec2.describe_network_acls()["NetworkAcls"] == []
    assert ec2.describe_security_groups()["SecurityGroups"] == []
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24", AvailabilityZone="us-east-1a")["Subnet"]
    assert (made["DefaultForAz"], made["MapPublicIpOnLaunch"]) == (False, False)


def test_an_answer_can_be_set_for_what_moto_lacks(aws: AwsStandIn) -> None:
    analyzer = aws.admin("accessanalyzer", CUSTOMER)
    assert analyzer.list_analyzers()["analyzers"] == []
    found = {
        "arn": "arn:aws:access-analyzer:us-east-1:222222222222:analyzer/a",
        "name": "a",
        "type": "ACCOUNT",
        "createdAt": datetime(2025, 1, 2, tzinfo=UTC),
        "status": "ACTIVE",
    }
    aws.answer("accessanalyzer:ListAnalyzers", {"analyzers": [found]}, region="us-east-1")
    assert analyzer.list_analyzers()["analyzers"] == [found]
    assert aws.admin("accessanalyzer", CUSTOMER, "us-west-2").list_analyzers()["analyzers"] == []
    empty: dict[str, Any] = {"analyzers": []}
    aws.answer("accessanalyzer:ListAnalyzers", empty, when={"type": "ORGANIZATION"})
    assert analyzer.list_analyzers(type="ORGANIZATION")["analyzers"] == []
    assert analyzer.list_analyzers()["analyzers"] == [found]


def test_what_nobody_answers_is_an_error_at_once_and_not_an_empty_list(aws: AwsStandIn) -> None:
    for service, method in (
        ("macie2", "describe_buckets"),
        ("health", "describe_events"),
        ("ec2", "describe_fpga_images"),
        ("redshift", "describe_usage_limits"),
    ):
        with pytest.raises(ClientError, match="NotImplemented") as refused:
            getattr(aws.admin(service, CUSTOMER), method)()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_aws_own_not_found_is_not_mistaken_for_an_unknown_operation(aws: AwsStandIn) -> None:
    s3 = aws.admin("s3", CUSTOMER)
    s3.create_bucket(Bucket="plain-001")
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket="plain-001")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws.admin("lambda", CUSTOMER).get_function(FunctionName="none")


def test_objects_survive_the_way_through_the_stand_in(aws: AwsStandIn) -> None:
    s3 = aws.admin("s3", CUSTOMER)
    s3.create_bucket(Bucket="objects-001")
    body = bytes(range(256)) * 4096
    s3.put_object(Bucket="objects-001", Key="a folder/é+%.bin", Body=body, Metadata={"signature": "ab"})
    found = s3.get_object(Bucket="objects-001", Key="a folder/é+%.bin")
    assert (found["Body"].read(), found["Metadata"]) == (body, {"signature": "ab"})
