"""Faults strike the calls they were ordered for, in AWS's words, as often as ordered."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from portal.demo.aws import AwsStandIn, StandInRefused
from tests.standin.conftest import CUSTOMER, MakeRole, assume, trust

OTHER = "333333333333"


def code_of(client: Any, method: str, **arguments: Any) -> tuple[str, int] | None:
    try:
        getattr(client, method)(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    return None


@pytest.mark.parametrize(
    ("service", "method", "throttled", "closed", "expired"),
    [
        (
            "ec2",
            "describe_volumes",
            ("RequestLimitExceeded", 503),
            ("AuthFailure", 401),
            ("RequestExpired", 400),
        ),
        ("s3", "list_buckets", ("SlowDown", 503), ("InvalidAccessKeyId", 403), ("ExpiredToken", 400)),
        (
            "rds",
            "describe_db_instances",
            ("Throttling", 400),
            ("InvalidClientTokenId", 403),
            ("ExpiredToken", 403),
        ),
        (
            "cloudwatch",
            "describe_alarms",
            ("Throttling", 400),
            ("InvalidClientTokenId", 403),
            ("ExpiredToken", 403),
        ),
        (
            "kms",
            "list_keys",
            ("ThrottlingException", 400),
            ("UnrecognizedClientException", 400),
            ("ExpiredTokenException", 400),
        ),
        (
            "lambda",
            "list_functions",
            ("TooManyRequestsException", 429),
            ("UnrecognizedClientException", 403),
            ("ExpiredTokenException", 403),
        ),
        (
            "backup",
            "list_backup_vaults",
            ("ThrottlingException", 429),
            ("UnrecognizedClientException", 403),
            ("ExpiredTokenException", 403),
        ),
    ],
)
def test_throttling_closed_regions_and_expiry_speak_the_words_of_the_service(
    aws: AwsStandIn,
    make_role: MakeRole,
    *,
    service: str,
    method: str,
    throttled: Any,
    closed: Any,
    expired: Any,
) -> None:
    client = aws.client(service, "us-west-2", **assume(aws, make_role(trust())))
    aws.throttle()
    assert code_of(client, method) == throttled
    aws.reset_faults()
    aws.close_region("us-west-2")
    assert code_of(client, method) == closed
    aws.reset_faults()
    assert code_of(client, method) is None
    aws.expire_tokens()
    assert code_of(client, method) == expired


def test_a_session_assumed_after_the_expiry_works(aws: AwsStandIn, make_role: MakeRole) -> None:
    role = make_role(trust())
    aws.expire_tokens()
    assert code_of(aws.client("kms", **assume(aws, role)), "list_keys") is None


def test_a_throttle_ordered_three_times_strikes_three_times(aws: AwsStandIn) -> None:
    aws.throttle("ec2:DescribeVolumes", times=3)
    ec2 = aws.admin("ec2", CUSTOMER)
    struck = [code_of(ec2, "describe_volumes") for _ in range(5)]
    assert struck == [("RequestLimitExceeded", 503)] * 3 + [None] * 2


def test_botocore_retries_through_a_short_throttle(aws: AwsStandIn) -> None:
    aws.throttle("kms:ListKeys", times=1)
    kms = aws.client(
        "kms", config=Config(retries={"total_max_attempts": 3}), **aws.admin_credentials(CUSTOMER)
    )
    assert kms.list_keys()["Keys"] == []
    assert aws.calls()["kms:ListKeys"] == 2


@pytest.mark.parametrize(
    "action", ["s3:GetBucketEncryption", "s3:GetEncryptionConfiguration", "S3:getencryption*"]
)
def test_a_denial_goes_by_operation_or_by_iam_action(aws: AwsStandIn, action: str) -> None:
    s3 = aws.admin("s3", CUSTOMER)
    s3.create_bucket(Bucket="some-bucket")
    aws.deny(action)
    assert code_of(s3, "get_bucket_encryption", Bucket="some-bucket") == ("AccessDenied", 403)
    assert code_of(s3, "get_bucket_versioning", Bucket="some-bucket") is None


def test_a_denial_names_the_policy_to_blame(aws: AwsStandIn) -> None:
    kms = aws.admin("kms", CUSTOMER)
    aws.deny("kms:ListKeys", times=1)
    with pytest.raises(ClientError, match="with an explicit deny in a service control policy"):
        kms.list_keys()
    aws.deny("kms:ListKeys", by_organisation=False)
    with pytest.raises(ClientError, match="because no identity-based policy allows the kms:ListKeys action"):
        kms.list_keys()


def test_a_fault_keeps_to_its_region_and_account(aws: AwsStandIn) -> None:
    aws.deny("kms:*", region="us-west-2")
    aws.throttle("iam:*", account=OTHER)
    assert code_of(aws.admin("kms", CUSTOMER, "us-east-1"), "list_keys") is None
    assert code_of(aws.admin("kms", CUSTOMER, "us-west-2"), "list_keys") == ("AccessDeniedException", 400)
    assert code_of(aws.admin("iam", CUSTOMER), "list_users") is None
    assert code_of(aws.admin("iam", OTHER), "list_users") == ("Throttling", 400)


def test_a_closed_region_leaves_global_services_open(aws: AwsStandIn) -> None:
    aws.close_region("us-east-1")
    assert code_of(aws.admin("iam", CUSTOMER), "list_users") is None


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_error_has_the_status_ordered(aws: AwsStandIn, status: int) -> None:
    aws.fail("kms:ListKeys", status=status, times=1)
    kms = aws.admin("kms", CUSTOMER)
    struck = code_of(kms, "list_keys")
    assert struck is not None
    assert struck[1] == status
    assert code_of(kms, "list_keys") is None


def test_a_cut_closes_the_connection_and_the_next_call_gets_a_new_one(aws: AwsStandIn) -> None:
    kms = aws.admin("kms", CUSTOMER)
    aws.cut("kms:ListKeys")
    with pytest.raises(ConnectionClosedError):
        kms.list_keys()
    assert kms.list_keys()["Keys"] == []


def test_a_delay_holds_each_call(aws: AwsStandIn) -> None:
    kms = aws.admin("kms", CUSTOMER)
    kms.list_keys()
    aws.delay(ms=150)
    started = time.monotonic()
    kms.list_keys()
    assert time.monotonic() - started >= 0.15


def test_calls_are_counted_by_operation_account_and_region(aws: AwsStandIn) -> None:
    aws.admin("kms", CUSTOMER, "us-east-1").list_keys()
    aws.admin("kms", CUSTOMER, "us-west-2").list_keys()
    aws.admin("cloudwatch", OTHER).describe_alarms()
    assert aws.calls() == {"kms:ListKeys": 2, "cloudwatch:DescribeAlarms": 1}
    assert aws.calls(region="us-west-2") == {"kms:ListKeys": 1}
    assert aws.calls(account=OTHER) == {"cloudwatch:DescribeAlarms": 1}
    aws.reset_calls()
    assert not aws.calls()


def test_a_refused_call_is_counted_too(aws: AwsStandIn) -> None:
    aws.deny("kms:ListKeys")
    code_of(aws.admin("kms", CUSTOMER), "list_keys")
    assert aws.calls()["kms:ListKeys"] == 1


def test_an_order_with_a_wrong_word_is_refused(aws: AwsStandIn) -> None:
    with pytest.raises(StandInRefused, match="no output member analyzer"):
        aws.answer("accessanalyzer:ListAnalyzers", {"analyzer": []})
    with pytest.raises(StandInRefused, match="OperationNotFoundError"):
        aws.answer("kms:ListKey", {})
