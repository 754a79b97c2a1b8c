"""Who may assume a role: with the customer's external ID, without it, and with another one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from portal.demo.aws import AwsStandIn, Credentials
from tests.standin.conftest import CUSTOMER, EXTERNAL_ID, PORTAL_USER, MakeRole, assume, trust

OURS = {"sts:ExternalId": EXTERNAL_ID}


def lets_in(aws: AwsStandIn, role: str, **more: Any) -> bool:
    try:
        assume(aws, role, **more)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


# Each trust policy's condition (None: it has no Condition at all), and whether AWS lets the caller in with the
# right external ID, with none, with a random one.
CONDITIONS = {
    "sound": ({"StringEquals": OURS}, True, False, False),
    "no condition": (None, True, True, True),
    "empty condition": ({}, True, True, True),
    "any of two values": ({"StringEquals": {"sts:ExternalId": ["other", EXTERNAL_ID]}}, True, False, False),
    "key in another case": ({"StringEquals": {"STS:externalid": EXTERNAL_ID}}, True, False, False),
    "operator in another case": ({"stringequals": OURS}, True, False, False),
    "wrong key": ({"StringEquals": {"aws:ExternalId": EXTERNAL_ID}}, False, False, False),
    "value in another case": ({"StringEquals": {"sts:ExternalId": EXTERNAL_ID.upper()}}, False, False, False),
    "equals ignoring case": (
        {"StringEqualsIgnoreCase": {"sts:ExternalId": EXTERNAL_ID.upper()}},
        True,
        False,
        False,
    ),
    "like anything": ({"StringLike": {"sts:ExternalId": "*"}}, True, False, True),
    "equals a star": ({"StringEquals": {"sts:ExternalId": "*"}}, False, False, False),
    "like a prefix": ({"StringLike": {"sts:ExternalId": f"{EXTERNAL_ID[:8]}*"}}, True, False, False),
    "if exists": ({"StringEqualsIfExists": OURS}, True, True, False),
    "like anything if exists": ({"StringLikeIfExists": {"sts:ExternalId": "*"}}, True, True, True),
    "any value": ({"ForAnyValue:StringEquals": OURS}, True, False, False),
    "any value like anything": ({"ForAnyValue:StringLike": {"sts:ExternalId": "*"}}, True, False, True),
    "all values": ({"ForAllValues:StringEquals": OURS}, True, True, False),
    "not equal to another": ({"StringNotEquals": {"sts:ExternalId": "other"}}, True, True, True),
    "not equal to ours": ({"StringNotEquals": OURS}, False, True, True),
    "not like if exists": ({"StringNotLikeIfExists": {"sts:ExternalId": "zz*"}}, True, True, True),
    "any value not equal": ({"ForAnyValue:StringNotEquals": {"sts:ExternalId": "other"}}, True, False, True),
    "present": ({"Null": {"sts:ExternalId": "false"}}, True, False, True),
    "absent": ({"Null": {"sts:ExternalId": "true"}}, False, True, False),
    "two operators are joined": (
        {"StringEquals": OURS, "StringLike": {"aws:PrincipalArn": "*:user/nobody"}},
        False,
        False,
        False,
    ),
    "principal in the condition": (
        {"StringEquals": OURS, "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:user/*"}},
        True,
        False,
        False,
    ),
    "only over TLS": ({"StringEquals": OURS, "Bool": {"aws:SecureTransport": "true"}}, True, False, False),
    "second factor": (
        {"StringEquals": OURS, "Bool": {"aws:MultiFactorAuthPresent": "true"}},
        False,
        False,
        False,
    ),
    "another network": (
        {"StringEquals": OURS, "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        False,
        False,
        False,
    ),
    "policy variable": ({"StringEquals": {"sts:ExternalId": "${aws:username}"}}, False, False, False),
}


@pytest.mark.parametrize(
    ("condition", "with_ours", "with_none", "with_random"), CONDITIONS.values(), ids=CONDITIONS
)
def test_the_external_id_decides_as_at_aws(
    aws: AwsStandIn,
    make_role: MakeRole,
    *,
    condition: Any,
    with_ours: bool,
    with_none: bool,
    with_random: bool,
) -> None:
    role = make_role(trust(condition=condition))
    found = (
        lets_in(aws, role, ExternalId=EXTERNAL_ID),
        lets_in(aws, role),
        lets_in(aws, role, ExternalId="0b9a3d1e-random"),
    )
    assert found == (with_ours, with_none, with_random)


PRINCIPALS = {
    "the account's root": ({"AWS": "arn:aws:iam::111111111111:root"}, True),
    "the account's number": ({"AWS": "111111111111"}, True),
    "the user": ({"AWS": PORTAL_USER}, True),
    "everybody": ("*", True),
    "everybody in AWS": ({"AWS": "*"}, True),
    "one of a list": ({"AWS": ["arn:aws:iam::999988887777:root", PORTAL_USER]}, True),
    "another account": ({"AWS": "arn:aws:iam::999988887777:root"}, False),
    "another user": ({"AWS": "arn:aws:iam::111111111111:user/somebody"}, False),
    "a service": ({"Service": "ec2.amazonaws.com"}, False),
}


@pytest.mark.parametrize(("principal", "expected"), PRINCIPALS.values(), ids=PRINCIPALS)
def test_the_principal_decides(aws: AwsStandIn, make_role: MakeRole, principal: Any, expected: bool) -> None:
    assert lets_in(aws, make_role(trust(principal))) is expected


def test_a_deny_wins_over_an_allow(aws: AwsStandIn, make_role: MakeRole) -> None:
    denied = trust(condition={"Null": {"sts:ExternalId": "true"}}, Effect="Deny")
    role = make_role(trust(), denied)
    assert lets_in(aws, role, ExternalId=EXTERNAL_ID)
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        assume(aws, role)


def test_a_missing_role_answers_in_the_words_of_a_refusal(aws: AwsStandIn) -> None:
    role = f"arn:aws:iam::{CUSTOMER}:role/NoSuchRole"
    with pytest.raises(ClientError) as refused:
        assume(aws, role)
    assert refused.value.response["Error"]["Message"] == (
        f"User: {PORTAL_USER} is not authorized to perform: sts:AssumeRole on resource: {role}"
    )


def test_a_role_that_trusts_another_action_lets_nobody_in(aws: AwsStandIn, make_role: MakeRole) -> None:
    assert not lets_in(aws, make_role(trust(Action="sts:TagSession")))


def test_a_source_identity_needs_its_own_permission(aws: AwsStandIn, make_role: MakeRole) -> None:
    bare = make_role(trust(), name="Bare")
    with pytest.raises(ClientError, match="sts:SetSourceIdentity"):
        assume(aws, bare, SourceIdentity="connection-1")
    both = make_role(trust(Action=["sts:AssumeRole", "sts:SetSourceIdentity"]), name="Both")
    assert assume(aws, both, SourceIdentity="connection-1")


def test_session_tags_need_their_own_permission(aws: AwsStandIn, make_role: MakeRole) -> None:
    with pytest.raises(ClientError, match="sts:TagSession"):
        assume(aws, make_role(trust()), Tags=[{"Key": "run", "Value": "1"}])


def test_the_source_identity_of_a_session_is_a_condition_key_of_the_next_role(
    aws: AwsStandIn, make_role: MakeRole
) -> None:
    actions = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    first = make_role(trust(Action=actions), name="First")
    wanted = {"StringEquals": {"aws:SourceIdentity": "connection-1"}}
    second = make_role(trust({"AWS": first}, wanted, Action=actions), name="Second")
    known = assume(aws, first, SourceIdentity="connection-1")
    assert assume(aws, second, credentials=known)
    with pytest.raises(ClientError, match="not authorized"):
        assume(aws, second, credentials=assume(aws, first, SourceIdentity="connection-2"))


def test_the_session_is_in_the_account_of_the_role(aws: AwsStandIn, make_role: MakeRole) -> None:
    session = assume(aws, make_role(trust()))
    identity = aws.client("sts", **session).get_caller_identity()
    assert identity["Account"] == CUSTOMER
    assert identity["Arn"] == f"arn:aws:sts::{CUSTOMER}:assumed-role/Reader/run-1"


def test_a_user_of_another_account_also_needs_permission_at_home(
    aws: AwsStandIn, make_role: MakeRole
) -> None:
    role = make_role(trust({"AWS": "arn:aws:iam::444444444444:root"}))
    iam = aws.admin("iam", "444444444444")
    iam.create_user(UserName="caller")
    key = iam.create_access_key(UserName="caller")["AccessKey"]
    credentials: Credentials = {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }
    assert not lets_in(aws, role, credentials=credentials)
    allowed = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role},
    }
    iam.put_user_policy(UserName="caller", PolicyName="assume", PolicyDocument=json.dumps(allowed))
    assert lets_in(aws, role, credentials=credentials)


def test_a_condition_operator_that_aws_lacks_is_not_taken_for_a_match(
    aws: AwsStandIn, make_role: MakeRole
) -> None:
    role = make_role(trust(condition={"StringMatches": OURS}))
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        assume(aws, role, ExternalId=EXTERNAL_ID)
