from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from evidence.aws import session as sessions
from evidence.aws.errors import AwsCallFailed, WrongAccount
from evidence.aws.partitions import home_region, parse_role_arn, partition_of, regions_of
from evidence.aws.reader import collect_unit
from evidence.aws.session import (
    AmbientAccess,
    AwsSession,
    Limits,
    RoleAccess,
    assume_role_once,
    open_session,
    own_principal,
)
from evidence.collectors.base import collectors
from evidence.types import GapReason
from tests.evidence.aws.conftest import CUSTOMER, EXTERNAL_ID, PORTAL

ONCE = Limits(max_attempts=1)


def call(session: AwsSession, service: str, method: str) -> dict[str, Any]:
    answer: dict[str, Any] = getattr(session.client(service), method)()
    return answer


def test_a_role_arn_is_taken_apart():
    role = parse_role_arn("arn:aws-us-gov:iam::123456789012:role/team/audit/Reader@1")
    assert role == ("aws-us-gov", "123456789012", "/team/audit/", "Reader@1")
    assert str(role) == "arn:aws-us-gov:iam::123456789012:role/team/audit/Reader@1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "arn:aws:iam::123456789012:user/Reader",
        "arn:aws:iam::12345678901:role/Reader",
        "arn:aws:iam::1234567890123:role/Reader",
        "arn:aws:iam::\uff11\uff12\uff13456789012:role/Reader",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::123456789012:role/Re ader",
        "arn:aws:iam::123456789012:role/Reader\n",
        " arn:aws:iam::123456789012:role/Reader",
        "arn:aws:iam:us-east-1:123456789012:role/Reader",
        "arn:aws:iam::123456789012:role/" + "x" * 65,
        "arn:aws:iam::123456789012:role/" + "p/" * 300 + "Reader",
        "arn:aws:sts::123456789012:assumed-role/Reader/session",
        "arn:aws-iso:iam::123456789012:role/Reader",
    ],
)
def test_what_is_not_exactly_a_role_arn_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match=r"\.$"):
        parse_role_arn(text)
    with pytest.raises(ValueError):
        RoleAccess(text, EXTERNAL_ID)


def test_each_partition_has_its_regions_and_its_home():
    for partition, sample in {
        "aws": "eu-west-1",
        "aws-us-gov": "us-gov-east-1",
        "aws-cn": "cn-northwest-1",
    }.items():
        assert sample in regions_of(partition)
        assert home_region(partition) in regions_of(partition)
        assert partition_of(sample) == partition


@pytest.mark.parametrize(("text", "close"), [("eu-west1", "eu-west-1"), ("us-esat-1", "us-east-1"), ("", "")])
def test_an_unknown_region_is_refused_with_close_names(text, close):
    with pytest.raises(ValueError, match=f"close names are: .*{close}"):
        partition_of(text)


@pytest.mark.parametrize(
    ("partition", "host"),
    [
        ("aws", "sts.us-east-1.amazonaws.com"),
        ("aws-us-gov", "sts.us-gov-west-1.amazonaws.com"),
        ("aws-cn", "sts.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_each_partition_asks_its_own_regional_sts(environment, partition, host):
    session = AwsSession(RoleAccess(f"arn:{partition}:iam::{CUSTOMER}:role/R", EXTERNAL_ID))
    assert session.client("sts").meta.endpoint_url == f"https://{host}"


def test_a_client_is_built_once_for_all_threads(aws, role):
    session = AwsSession(role)
    with ThreadPoolExecutor(8) as pool:
        clients = set(pool.map(lambda _: id(session.client("kms", "eu-west-1")), range(64)))
    assert len(clients) == 1


def test_every_call_names_the_product_and_retries_adaptively(environment):
    config: Any = AwsSession(AmbientAccess(), Limits(concurrency=7)).client("kms").meta.config
    assert "surety" in config.user_agent_extra
    assert config.retries == {"mode": "adaptive", "total_max_attempts": 5}
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (10, 30, 7)


def test_the_account_is_what_aws_says(aws, role):
    assert AwsSession(role).account_id() == CUSTOMER
    assert AwsSession(AmbientAccess()).account_id() == "111111111111"


def test_a_swapped_account_is_refused(aws, role, monkeypatch):
    monkeypatch.setattr(AwsSession, "_caller", lambda _session: {"Account": "333333333333"})
    with pytest.raises(WrongAccount, match="333333333333"):
        AwsSession(role).account_id()


def test_a_role_that_refuses_stops_the_unit_with_the_reason(aws):
    session = AwsSession(RoleAccess(f"arn:aws:iam::{CUSTOMER}:role/Nowhere", EXTERNAL_ID), ONCE)
    with pytest.raises(AwsCallFailed) as failed:
        session.account_id()
    assert (failed.value.gap.reason, failed.value.gap.action) == (GapReason.DENIED, "sts:AssumeRole")


def test_a_session_of_fifteen_minutes_is_not_renewed_at_every_call(aws, role):
    session = AwsSession(role, ONCE)
    for _ in range(5):
        call(session, "sts", "get_caller_identity")
        call(session, "iam", "get_account_summary")
    assert aws.calls()["sts:AssumeRole"] == 1


def test_a_session_can_only_read_whatever_the_role_may_do(aws, role):
    aws.admin("iam", CUSTOMER).put_role_policy(
        RoleName=role.role_arn.split("/")[-1],
        PolicyName="everything",
        PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
    )
    handed_out = assume_role_once(role, ONCE)
    names = ("access_key", "secret_key", "token")
    values = dict(
        zip(
            ("aws_access_key_id", "aws_secret_access_key", "aws_session_token"),
            (handed_out[name] for name in names),
            strict=True,
        )
    )

    def stolen(service: str) -> Any:
        return aws.client(service, **values)

    assert stolen("iam").list_users()["Users"] == []
    for attempt in (
        lambda: stolen("iam").create_user(UserName="mallory"),
        lambda: stolen("secretsmanager").get_secret_value(SecretId="x"),
        lambda: stolen("s3").get_object(Bucket="scans", Key="x"),
        lambda: stolen("dynamodb").list_tables(),
    ):
        with pytest.raises(ClientError, match=r"(?i)denied|authorized"):
            attempt()  # type: ignore[no-untyped-call]


def test_an_expired_session_is_renewed_once_and_nothing_is_lost(aws, role):
    session = AwsSession(role, ONCE)
    assert session.account_id() == CUSTOMER
    aws.expire_tokens()
    aws.reset_calls()
    with ThreadPoolExecutor(8) as pool:
        collected = collect_unit(session, collectors()["vpc"], "us-east-1", pool=pool)
    assert collected.gaps == ()
    assert collected.payload["calls"]["DescribeVpcs"][""]["response"]["Vpcs"]
    assert aws.calls()["sts:AssumeRole"] == 1


def test_s3_and_its_control_service_work_where_the_endpoint_is_overridden(aws, role):
    aws.admin("s3", CUSTOMER).create_bucket(Bucket="scans")
    with ThreadPoolExecutor(4) as pool:
        collected = collect_unit(AwsSession(role, ONCE), collectors()["s3"], "global", pool=pool)
    assert collected.gaps == ()
    assert "scans" in collected.payload["calls"]["GetBucketAcl"]
    assert "s3control:GetPublicAccessBlock" in collected.payload["calls"]


def test_a_closed_region_is_a_gap_that_says_so(aws, role):
    aws.close_region("eu-south-1", account=CUSTOMER)
    session = AwsSession(role, ONCE)
    with ThreadPoolExecutor(4) as pool:
        for name in (
            "vpc",
            "kms",
            "rds",
            "logs",
            "cloudwatch",
            "secretsmanager",
            "config",
            "cloudtrail",
            "ec2",
        ):
            collected = collect_unit(session, collectors()[name], "eu-south-1", pool=pool)
            assert collected.payload["calls"] == {}, name
            assert {gap.reason for gap in collected.gaps} == {GapReason.REGION_OFF}, name


def test_throttling_is_overcome_and_the_retries_are_counted(aws, role):
    session = AwsSession(role, Limits(max_attempts=4))
    session.account_id()
    aws.throttle("kms:ListAliases", times=1)
    with ThreadPoolExecutor(4) as pool:
        collected = collect_unit(session, collectors()["kms"], "us-east-1", pool=pool)
    assert collected.gaps == ()
    assert collected.calls["kms:ListAliases"] == 2


def test_a_client_has_no_method_that_no_collector_declares(environment):
    session = AwsSession(AmbientAccess())
    assert hasattr(session.client("secretsmanager"), "list_secrets")
    for service, method in {
        "secretsmanager": "get_secret_value",
        "s3": "get_object",
        "iam": "create_user",
    }.items():
        assert not hasattr(session.client(service), method)
    assert hasattr(session.client("sts"), "assume_role_with_web_identity"), (
        "the portal's own identity may need it"
    )


def test_the_units_of_a_run_share_a_session(aws, role, monkeypatch):
    aws.reset_calls()
    assert {open_session(role).account_id() for _ in range(5)} == {CUSTOMER}
    assert aws.calls()["sts:AssumeRole"] == aws.calls()["sts:GetCallerIdentity"] == 1
    later = time.monotonic() + 601
    monkeypatch.setattr("evidence.aws.session.time.monotonic", lambda: later)
    open_session(role).account_id()
    assert aws.calls()["sts:AssumeRole"] == 2


def test_a_shared_session_is_for_one_access_alone(environment):
    first = RoleAccess(f"arn:aws:iam::{CUSTOMER}:role/R", EXTERNAL_ID)
    assert open_session(first) is open_session(replace(first))
    assert open_session(first) is not open_session(replace(first, external_id="another"))
    assert open_session(first) is not open_session(replace(first, session_name="other"))
    others = [open_session(replace(first, session_name=f"run-{number}")) for number in range(20)]
    assert len(set(map(id, others))) == 20
    assert len(sessions._KEPT) <= 8


def test_a_session_carries_the_connection_into_the_customers_trail(aws, role):
    assert AwsSession(replace(role, source_identity="connection-1")).account_id() == CUSTOMER


@pytest.mark.parametrize("name", ["a", "with space", "x" * 65])
def test_a_name_that_sts_would_refuse_is_refused_at_once(name):
    with pytest.raises(ValueError, match="AWS takes"):
        RoleAccess(f"arn:aws:iam::{CUSTOMER}:role/R", EXTERNAL_ID, session_name=name)


def test_our_own_principal_is_what_customers_name_in_their_trust_policies(aws, monkeypatch):
    assert own_principal() == PORTAL
    session = {"Account": "111111111111", "Arn": "arn:aws:sts::111111111111:assumed-role/Worker/i-1"}
    monkeypatch.setattr(AwsSession, "_caller", lambda _session: session)
    assert own_principal() == "arn:aws:iam::111111111111:root"
