from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from evidence.aws import session as sessions
from evidence.aws.policy import role_policy, trust_policy
from evidence.aws.session import RoleAccess
from portal.demo.aws import AwsStandIn

CUSTOMER = "222222222222"
PORTAL = "arn:aws:iam::111111111111:user/surety-portal"
EXTERNAL_ID = "3f0b8a6e-5a43-4c7e-9a55-0d5b8c1f2e6d"


@pytest.fixture(scope="session")
def stand_in() -> Iterator[AwsStandIn]:
    with AwsStandIn() as running:
        yield running


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """No AWS settings but those of the test, and no identity left over from another test."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    sessions.source_session.cache_clear()
    yield monkeypatch
    sessions.source_session.cache_clear()


@pytest.fixture
def aws(stand_in: AwsStandIn, environment: pytest.MonkeyPatch) -> AwsStandIn:
    """The stand-in without faults, with the environment pointing at it; each test makes a role of its own."""
    stand_in.reset_faults()
    for name, value in stand_in.environment().items():
        environment.setenv(name, value)
    return stand_in


@cache
def _iam(aws: AwsStandIn) -> Any:
    return aws.admin("iam", CUSTOMER)


def make_role(aws: AwsStandIn, *, trust: dict[str, Any] | None = None) -> RoleAccess:
    """A new role of the customer's, as our own template would make it unless a trust policy is given."""
    iam, name = _iam(aws), f"Reader-{uuid.uuid4()}"
    document = trust or trust_policy(PORTAL, EXTERNAL_ID)
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=json.dumps(role_policy()))
    aws.reset_calls()
    return RoleAccess(arn, EXTERNAL_ID)


@pytest.fixture
def role(aws: AwsStandIn) -> RoleAccess:
    return make_role(aws)
