"""One stand-in for all tests of a worker; faults, expired sessions and resources are each test's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from portal.demo.aws import AwsStandIn, Credentials

CUSTOMER = "222222222222"
PORTAL_ROOT = "arn:aws:iam::111111111111:root"
PORTAL_USER = "arn:aws:iam::111111111111:user/surety-portal"
EXTERNAL_ID = "4f1c7a52-7a3e-4c7e-9d51-0d1f3a3b6c11"

MakeRole = Callable[..., str]


@pytest.fixture(scope="session")
def stand_in() -> Iterator[AwsStandIn]:
    with AwsStandIn() as aws:
        yield aws


@pytest.fixture
def aws(stand_in: AwsStandIn) -> AwsStandIn:
    stand_in.reset()
    return stand_in


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal: Any = None, condition: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": principal or {"AWS": PORTAL_ROOT},
        "Action": "sts:AssumeRole",
        **more,
    }
    return {**statement, "Condition": condition} if condition is not None else statement


@pytest.fixture
def make_role(aws: AwsStandIn) -> MakeRole:
    def make(
        *trust_statements: Mapping[str, Any], allows: Any = "*", name: str = "Reader", **inline: Any
    ) -> str:
        iam = aws.admin("iam", CUSTOMER)
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(*trust_statements))["Role"]
        allowed = {"Effect": "Allow", "Action": allows, "Resource": "*"}
        statements = [allowed, *inline.get("statements", [])]
        iam.put_role_policy(RoleName=name, PolicyName="reads", PolicyDocument=document(*statements))
        return str(role["Arn"])

    return make


def assume(aws: AwsStandIn, role: str, *, credentials: Credentials | None = None, **more: Any) -> Credentials:
    """Assume the role as the portal; keyword arguments for a client of the session."""
    sts = aws.client("sts", **(credentials or aws.portal_credentials()))
    given = sts.assume_role(RoleArn=role, RoleSessionName="run-1", **more)["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
