"""What policies say, from the AWS documentation's examples and the ways they are got wrong."""

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import text

from assessments.checks.conditions import covers, meets
from assessments.checks.policy import (
    allows,
    allows_everything,
    covers_world,
    denies_plain_http,
    external_accounts,
    parse,
    public_grants,
)

BUCKET = "arn:aws:s3:::charts"
OWN = "111122223333"
OTHER = "444455556666"
BOTH = [BUCKET, f"{BUCKET}/*"]


def policy(*statements: Any):
    return parse({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect: str = "Allow", **elements: Any):
    return {"Effect": effect, "Action": "s3:*", "Resource": BOTH, "Principal": "*"} | elements


def without(written: Any, *names: Any):
    return {name: value for name, value in written.items() if name not in names}


INSECURE = {"Bool": {"aws:SecureTransport": "false"}}


def deny_http(**elements: Any):
    return statement("Deny", **({"Condition": INSECURE} | elements))


@pytest.mark.parametrize(
    "statements",
    [
        [deny_http()],
        [deny_http(Principal={"AWS": "*"})],
        [deny_http(Principal={"AWS": ["*"]}, Action=["s3:*"])],
        [deny_http(Action="*", Resource="*")],
        [deny_http(Action="*:*", Resource="arn:aws:s3:::*")],
        [deny_http(Resource=BUCKET), deny_http(Resource=f"{BUCKET}/*")],
        [deny_http(Resource=f"{BUCKET}*")],
        [deny_http(Condition={"Bool": {"aws:securetransport": False}})],
        [deny_http(Condition={"BoolIfExists": {"aws:SecureTransport": ["false"]}})],
        [deny_http(Condition={"NumericLessThanIfExists": {"s3:TlsVersion": "1.2"}})],
        [without(deny_http(NotAction="ec2:*"), "Action")],
        [deny_http(), statement("Allow", Principal={"AWS": OWN})],
    ],
)
def test_plain_http_is_denied_where_everyone_and_every_action_on_bucket_and_objects_is(
    statements: Any,
) -> None:
    assert denies_plain_http(policy(*statements), BUCKET)


@pytest.mark.parametrize(
    "statements",
    [
        [statement("Allow", Condition={"Bool": {"aws:SecureTransport": "true"}})],
        [deny_http(Condition={"Bool": {"aws:SecureTransport": "true"}})],
        [deny_http(Resource=f"{BUCKET}/*")],
        [deny_http(Resource=BUCKET)],
        [deny_http(Resource=[BUCKET, f"{BUCKET}/reports/*"])],
        [deny_http(Resource=[BUCKET, f"{BUCKET}/?"])],
        [deny_http(Resource=["arn:aws:s3:::other", "arn:aws:s3:::other/*"])],
        [deny_http(Action=["s3:GetObject", "s3:PutObject"])],
        [deny_http(Action="s3:Get*")],
        [without(deny_http(NotAction="s3:PutObject"), "Action")],
        [deny_http(Principal={"AWS": f"arn:aws:iam::{OWN}:root"})],
        [deny_http(Principal={"Service": "*"})],
        [without(deny_http(NotPrincipal={"AWS": OWN}), "Principal")],
        [deny_http(Condition=INSECURE | {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})],
        [deny_http(Condition={"Bool": {"aws:SecureTransport": "false", "aws:ViaAWSService": "false"}})],
        [deny_http(Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}})],
        [deny_http(Condition={"NumericLessThan": {"s3:TlsVersion": 1.2}})],
        [deny_http(Condition={"Null": {"aws:SecureTransport": "true"}})],
        [deny_http(Resource=BUCKET), deny_http(Resource=f"{BUCKET}/*", Action="s3:GetObject")],
    ],
)
def test_plain_http_is_not_denied_by_less(statements: Any) -> None:
    assert not denies_plain_http(policy(*statements), BUCKET)


@pytest.mark.parametrize(
    "written",
    [
        statement(),
        statement(Principal={"AWS": "*"}),
        statement(Principal={"AWS": [OWN, "*"]}),
        without(statement(NotPrincipal={"AWS": OWN}), "Principal"),
        statement(Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
        statement(Condition={"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "0.0.0.0/0"]}}),
        statement(Condition={"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}),
        statement(Condition={"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
        statement(Condition={"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/reader"}}),
        statement(Condition={"StringLike": {"aws:PrincipalAccount": "1*"}}),
        statement(Condition={"StringLike": {"aws:SourceVpce": "vpce-*"}}),
        statement(Condition={"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-abcdefghij"}}),
        statement(Condition={"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}),
        statement(Condition={"StringNotEquals": {"aws:PrincipalAccount": OTHER}}),
        statement(Condition={"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}),
        statement(Condition={"StringLike": {"aws:Referer": "https://clinic.example/*"}}),
        statement(Condition={"Bool": {"aws:SecureTransport": "true"}}),
    ],
)
def test_a_wildcard_principal_that_no_condition_narrows_is_public(written: Any) -> None:
    (grant,) = public_grants(policy(written), OWN)
    assert "anyone may s3:*" in str(grant)


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}},
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-abcdefghij/r-ab12/*"}},
        {"StringEquals": {"aws:PrincipalAccount": [OWN, OTHER]}},
        {"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}},
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/*"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::uploads"}},
        {"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}},
        {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/48"]}},
        {"StringEquals": {"kms:CallerAccount": OWN, "kms:ViaService": "s3.us-east-1.amazonaws.com"}},
    ],
)
def test_a_wildcard_principal_narrowed_to_known_callers_is_not_public(condition: Any) -> None:
    assert public_grants(policy(statement(Condition=condition)), OWN) == ()


@pytest.mark.parametrize(
    ("deny", "public"),
    [
        (statement("Deny"), False),
        (statement("Deny", Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}), False),
        (
            statement(
                "Deny",
                Condition={
                    "StringNotEqualsIfExists": {"aws:PrincipalAccount": OWN},
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                },
            ),
            False,
        ),
        (statement("Deny", Condition={"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), False),
        (statement("Deny", Condition={"NotIpAddress": {"aws:SourceIp": "0.0.0.0/0"}}), True),
        (statement("Deny", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}), True),
        (statement("Deny", Condition=INSECURE), True),
        (
            statement(
                "Deny",
                Condition={
                    "StringNotEquals": {"aws:PrincipalOrgID": "o-abcdefghij"},
                    "Bool": {"aws:ViaAWSService": "false"},
                },
            ),
            True,
        ),
        (statement("Deny", Action="s3:DeleteObject"), True),
        (statement("Deny", Resource=f"{BUCKET}/private/*"), True),
        (statement("Deny", Principal={"AWS": OTHER}), True),
    ],
)
def test_a_deny_takes_a_public_grant_away_only_where_it_covers_all_of_it(deny: Any, public: Any) -> None:
    assert bool(public_grants(policy(statement(), deny), OWN)) is public


def test_services_and_named_accounts_are_not_the_public() -> None:
    written = [
        statement(Principal={"Service": "delivery.logs.amazonaws.com"}),
        statement(Principal={"AWS": OTHER}),
    ]
    assert public_grants(policy(*written), OWN) == ()


@pytest.mark.parametrize(
    ("statements", "accounts"),
    [
        ([statement(Principal={"AWS": OWN})], ()),
        ([statement(Principal={"AWS": [OTHER, f"arn:aws:iam::{OWN}:root"]})], (OTHER,)),
        ([statement(Principal={"AWS": f"arn:aws:iam::{OTHER}:role/lab"})], (OTHER,)),
        ([statement(Principal={"AWS": f"arn:aws-us-gov:sts::{OTHER}:assumed-role/lab/me"})], (OTHER,)),
        ([statement(Principal={"Service": "s3.amazonaws.com"})], ()),
        ([statement("Deny", Principal={"AWS": OTHER})], ()),
        ([statement(Condition={"StringEquals": {"aws:PrincipalAccount": [OWN, OTHER]}})], (OTHER,)),
        ([statement(Condition={"StringNotEquals": {"aws:PrincipalAccount": OTHER}})], ()),
        ([statement(Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/*"}})], (OTHER,)),
        ([statement(Principal={"AWS": OTHER}), statement("Deny", Principal={"AWS": OTHER})], ()),
        ([statement(Principal={"AWS": OTHER}), statement("Deny", Action="s3:PutObject")], (OTHER,)),
    ],
)
def test_other_accounts_that_are_let_in_are_named(statements: Any, accounts: Any) -> None:
    assert external_accounts(policy(*statements), OWN) == accounts


def identity(effect: str = "Allow", **elements: Any):
    return {"Effect": effect, "Resource": "*"} | elements


@pytest.mark.parametrize(
    ("statements", "everything"),
    [
        ([identity(Action="*")], True),
        ([identity(Action=["s3:Get*", "*:*"], Resource=["*"])], True),
        ([identity(Action="iam:*")], True),
        ([identity(Action="i*")], True),
        ([identity(NotAction="aws-portal:*")], True),
        ([identity(NotAction=["iam:*", "organizations:*"])], False),
        ([identity(NotAction="iam:CreateUser")], False),
        ([identity(Action="*", Resource="arn:aws:s3:::charts/*")], False),
        ([identity(Action="s3:*")], False),
        ([identity("Deny", Action="*")], False),
        ([identity(Action="*"), identity("Deny", Action="iam:*")], False),
        ([identity(Action="*"), identity("Deny", NotAction="s3:*")], False),
        ([identity(Action="*"), identity("Deny", Action="s3:DeleteBucket")], True),
        ([identity(Action="*"), identity("Deny", Action="*", Condition=INSECURE)], True),
        ([identity(Action="*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})], True),
        ([without(identity(Action="*", NotResource="arn:aws:s3:::x"), "Resource")], False),
    ],
)
def test_everything_is_allowed_where_the_holder_can_make_themselves_administrator(
    statements: Any, everything: Any
) -> None:
    assert allows_everything(policy(*statements)) is everything


READER = f"arn:aws:iam::{OWN}:role/reader"


@pytest.mark.parametrize(
    ("statements", "request_", "allowed"),
    [
        ([identity(Action="S3:getobject")], ("s3:GetObject", f"{BUCKET}/a"), True),
        ([identity(Action="s3:Get*")], ("s3:PutObject", f"{BUCKET}/a"), False),
        ([identity(Action="s3:Get?bject")], ("s3:GetObject", ""), True),
        ([identity(Action="s3:[Gg]etObject")], ("s3:GetObject", ""), False),
        ([identity(Action="*"), identity("Deny", Action="s3:*")], ("s3:GetObject", ""), False),
        ([identity(Action="*"), identity("Deny", NotAction="s3:*")], ("ec2:RunInstances", ""), False),
        ([identity(Action="*"), identity("Deny", NotAction="s3:*")], ("s3:GetObject", ""), True),
        ([identity(Action="s3:*"), identity("Deny", Action="s3:DeleteObject")], ("s3:*", ""), False),
        ([identity(NotAction="s3:*")], ("s3:GetObject", ""), False),
        ([without(identity(Action="*", NotResource=f"{BUCKET}/*"), "Resource")], ("s3:GetObject", f"{BUCKET}/a"), False),
        ([statement(Principal={"AWS": OWN})], ("s3:GetObject", BUCKET, READER), True),
        ([statement(Principal={"AWS": f"arn:aws:iam::{OWN}:root"})], ("s3:GetObject", BUCKET, READER), True),
        ([statement(Principal={"AWS": READER})], ("s3:GetObject", BUCKET, f"{READER}2"), False),
        ([statement(Principal={"AWS": OWN})], ("s3:GetObject", BUCKET, "*"), False),
        ([without(statement("Deny", NotPrincipal={"AWS": READER}), "Principal"), statement()], ("s3:GetObject", BUCKET, READER), True),
        ([without(statement("Deny", NotPrincipal={"AWS": READER}), "Principal"), statement()], ("s3:GetObject", BUCKET, OTHER), False),
    ],
)  # fmt: skip
def test_a_request_is_allowed_by_an_allow_and_no_deny(statements: Any, request_: Any, allowed: Any) -> None:
    assert allows(policy(*statements), *request_) is allowed


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"StringEquals": {"aws:PrincipalTag/team": ["a", "b"]}}, {"aws:principaltag/team": "b"}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "a"}}, {}, False),
        ({"StringEqualsIfExists": {"aws:PrincipalTag/team": "a"}}, {}, True),
        ({"StringNotEquals": {"aws:PrincipalTag/team": ["a", "b"]}}, {"aws:principaltag/team": "b"}, False),
        ({"StringNotEquals": {"aws:PrincipalTag/team": "a"}}, {}, True),
        ({"StringLike": {"s3:prefix": "home/*"}}, {"s3:prefix": "home/me"}, True),
        ({"NumericLessThan": {"s3:TlsVersion": "1.2"}}, {"s3:tlsversion": "1.1"}, True),
        ({"NumericLessThan": {"s3:TlsVersion": "1.2"}}, {}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, {"aws:currenttime": "2025-12-31T23:00:00Z"}, False),
        ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:sourceip": "203.0.113.9"}, True),
        ({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:sourceip": "203.0.113.9"}, False),
        ({"Null": {"aws:MultiFactorAuthAge": "true"}}, {}, True),
        ({"Null": {"aws:MultiFactorAuthAge": False}}, {"aws:multifactorauthage": "9"}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:*"}}, {"aws:sourcearn": "arn:aws:sns:us-east-1:111122223333:x"}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*"}}, {"aws:sourcearn": "arn:aws:sns:us-east-1:111122223333:x"}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}, {"aws:tagkeys": ["a", "b"]}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}, {}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}}, {"aws:tagkeys": ["a", "b"]}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}}, {}, False),
        ({"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"x": "y"}}, {"aws:securetransport": "true"}, False),
    ],
)  # fmt: skip
def test_conditions_hold_as_iam_evaluates_them(condition: Any, context: Any, holds: Any) -> None:
    assert allows(policy(identity(Action="*", Condition=condition)), "s3:GetObject", context=context) is holds


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{",
        "[]",
        "{}",
        {"Statement": "all"},
        {"Statement": [{"Effect": "Allow"}]},
        {"Statement": [{"Effect": "Maybe", "Action": "*"}]},
        {"Statement": [{"Action": "*"}]},
        {"Statement": [{"Effect": "Allow", "Action": 3}]},
        {"Statement": [{"Effect": "Allow", "Action": "*", "NotAction": "*"}]},
        {"Statement": [{"Effect": "Allow", "Action": "*", "Principal": {"AWS": {}}}]},
        {"Statement": [{"Effect": "Allow", "Action": "*", "Condition": "none"}]},
        {"Statement": [{"Effect": "Allow", "Action": "*", "Condition": {"StringEquals": "x"}}]},
        {"Statement": [{"Effect": "Allow", "Action": "*", "Condition": {"StringIsh": {"a": "b"}}}]},
        {
            "Statement": [
                {"Effect": "Allow", "Action": "*", "Condition": {"ForSome:StringEquals": {"a": "b"}}}
            ]
        },
    ],
)
def test_what_is_no_policy_is_refused(document: Any) -> None:
    with pytest.raises(ValueError):
        parse(document)


def test_a_single_statement_and_a_text_are_read_as_a_list_and_an_object_are() -> None:
    one = deny_http()
    assert parse(json.dumps({"Statement": one})) == parse({"Statement": [one]})


@pytest.mark.parametrize(
    ("cidrs", "world"),
    [
        (["0.0.0.0/0"], True),
        (["::/0"], True),
        (["2000::/3"], True),
        (["0.0.0.0/1", "128.0.0.0/1"], True),
        (["::/1", "8000::/1"], True),
        (["2000::/4", "3000::/4"], True),
        (["1.0.0.0/8", "2.0.0.0/7", "4.0.0.0/6", "8.0.0.0/5", "16.0.0.0/4", "32.0.0.0/3", "64.0.0.0/2", "128.0.0.0/1"], True),
        ([f"{first}.0.0.0/8" for first in range(11, 224)], True),
        (["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"], False),
        (["203.0.113.0/24", "2001:db8::/32", "fc00::/7"], False),
        (["224.0.0.0/3", "10.0.0.0/8"], False),
        (["203.0.113.7"], False),
        ([], False),
    ],
)  # fmt: skip
def test_the_world_is_recognised_however_it_is_written(cidrs: Any, world: Any) -> None:
    assert covers_world(cidrs) is world


def test_a_range_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError):
        covers_world(["anywhere"])


PATTERNS = text("ab*?", max_size=5)
NAMES = ["".join(letters) for length in range(9) for letters in product("ab", repeat=length)]


@given(PATTERNS, PATTERNS)
def test_two_patterns_meet_exactly_where_a_name_matches_both(one: str, other: str) -> None:
    assert meets(one, other) is any(covers(one, name) and covers(other, name) for name in NAMES)


@given(PATTERNS, PATTERNS)
def test_a_pattern_covers_another_only_where_it_covers_all_that_the_other_does(one: str, other: str) -> None:
    if covers(one, other):
        assert all(covers(one, name) for name in NAMES if covers(other, name))


def test_no_pattern_makes_matching_slow() -> None:
    hostile, name = "a*" * 500 + "b", "a" * 2000
    assert not covers(hostile, name)
    assert not meets(hostile, name + "*c")
