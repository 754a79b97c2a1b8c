"""Every collector over HTTP, through botocore's own parsers, against the stand-in for AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from evidence.aws.reader import Collected, collect_unit
from evidence.aws.session import AwsSession, Limits, RoleAccess
from evidence.collectors.base import Collector, Scope, collectors
from evidence.types import GapReason
from portal.demo.aws import AwsStandIn
from tests.evidence.aws.conftest import CUSTOMER, aws, environment, role, stand_in

__all__ = ["aws", "environment", "role", "stand_in"]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


def run(
    collector: Collector, access: RoleAccess, pool: ThreadPoolExecutor, place: str = "us-east-1"
) -> Collected:
    region = "global" if collector.scope is Scope.GLOBAL else place
    return collect_unit(AwsSession(access, Limits(max_attempts=1)), collector, region, pool=pool)


@pytest.mark.parametrize("name", sorted(collectors()))
def test_a_collector_reads_an_account_through_its_generated_role(aws, role, pool, name):
    collector = collectors()[name]
    collected = run(collector, role, pool)
    assert [gap for gap in collected.gaps if gap.reason is GapReason.DENIED] == []
    assert collected.payload["calls"]
    assert json.loads(json.dumps(collected.payload)) == collected.payload
    assert collected.payload["account_id"] == CUSTOMER
    own = AwsSession(role).partition
    assert own == collected.payload["partition"] == "aws"


@pytest.mark.parametrize(
    ("name", "action", "recorded"),
    [
        ("kms", "kms:ListAliases", "ListAliases"),
        ("iam", "iam:GetAccountSummary", "GetAccountSummary"),
        ("vpc", "ec2:DescribeVpcs", "DescribeVpcs"),
        ("s3", "s3:ListAllMyBuckets", "ListBuckets"),
        ("s3", "s3:GetAccountPublicAccessBlock", "s3control:GetPublicAccessBlock"),
        ("account", "account:GetAlternateContact", "account:GetAlternateContact"),
        ("cloudwatch", "cloudwatch:DescribeAlarms", "DescribeAlarms"),
        ("config", "config:DescribeConfigRules", "DescribeConfigRules"),
    ],
)
@pytest.mark.parametrize("fault", ["deny", "throttle"])
def test_every_protocols_refusal_is_a_gap_with_its_action(
    aws: AwsStandIn, role, pool, name, action, recorded, fault
):
    AwsSession(role).account_id()
    (aws.deny if fault == "deny" else aws.throttle)(action, account=CUSTOMER)
    collected = run(collectors()[name], role, pool)
    reason = {"deny": GapReason.DENIED, "throttle": GapReason.THROTTLED}[fault]
    found = [gap for gap in collected.gaps if gap.action == action]
    assert [gap.reason for gap in found] == [reason]
    assert found[0].message
    assert recorded not in collected.payload["calls"]


def test_a_region_that_is_no_trails_home_lists_and_answers_for_its_shadow(aws: AwsStandIn, role, pool):
    aws.admin("s3", CUSTOMER).create_bucket(Bucket="trail-logs-001")
    trail = aws.admin("cloudtrail", CUSTOMER)
    arn = trail.create_trail(Name="audit", S3BucketName="trail-logs-001", IsMultiRegionTrail=True)["TrailARN"]
    trail.start_logging(Name="audit")
    for region in ("us-east-1", "us-west-2"):
        collected = run(collectors()["cloudtrail"], role, pool, region)
        assert collected.gaps == ()
        calls = collected.payload["calls"]
        (row,) = calls["DescribeTrails"][""]["response"]["trailList"]
        assert (row["TrailARN"], row["HomeRegion"]) == (arn, "us-east-1")
        assert calls["GetTrailStatus"][arn]["response"]["IsLogging"] is True
        assert arn in calls["GetEventSelectors"]
