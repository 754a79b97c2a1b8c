from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from evidence.aws import session as sessions
from evidence.aws.policy import role_policy
from evidence.aws.session import RoleAccess
from portal.demo.aws import PORTAL_ACCOUNT_ID, AwsStandIn
from portal.demo.hospital import seed
from tests.faults.hospital import ACCOUNT, Hospital

EXTERNAL_ID = "0c3dcb25-6a2e-4f7c-8a87-0f6b8a0c9e11"


@pytest.fixture(scope="package")
def own_aws() -> Iterator[AwsStandIn]:
    """A stand-in of these tests' own: faults and expired sessions are nobody else's."""
    with AwsStandIn() as running:
        yield running


@pytest.fixture(scope="package")
def seeded_aws(own_aws: AwsStandIn) -> AwsStandIn:
    """It holds the demonstration hospital, with a snapshot that people made: only of those is asked who shares them."""
    seed(
        own_aws.url, account_id=ACCOUNT, external_id=EXTERNAL_ID, portal_account_id=PORTAL_ACCOUNT_ID,
        role_policy=role_policy(),
    )  # fmt: skip
    rds = own_aws.admin("rds", ACCOUNT)
    cluster = rds.describe_db_clusters()["DBClusters"][0]["DBClusterIdentifier"]
    rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="before-upgrade", DBClusterIdentifier=cluster)
    return own_aws


@pytest.fixture
def reaches_aws(seeded_aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStandIn]:
    """The environment points at it as the portal's own user, and no fault is left from another test."""
    for name, value in seeded_aws.environment().items():
        monkeypatch.setenv(name, value)
    sessions.source_session.cache_clear()
    seeded_aws.reset_faults()
    yield seeded_aws
    seeded_aws.reset_faults()
    sessions.source_session.cache_clear()


@pytest.fixture(scope="package")
def _collected(seeded_aws: AwsStandIn) -> Iterator[Hospital]:
    access = RoleAccess(f"arn:aws:iam::{ACCOUNT}:role/SuretyReader", EXTERNAL_ID)
    with ThreadPoolExecutor(8) as pool:
        yield Hospital(seeded_aws, access, pool)


@pytest.fixture
def hospital(_collected: Hospital, reaches_aws: AwsStandIn) -> Hospital:
    """The hospital's account, collected once without faults."""
    assert _collected.expected
    return _collected
