"""Findings are periods: what didn't change isn't written, what is gone is closed, what wasn't seen is UNKNOWN."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from accounts.tenancy.scope import open_tenant
from assessments.checks.base import Outcome, Result
from assessments.findings import FindingChanges, write_findings
from assessments.models import Finding, FindingPeriod
from evidence.types import Gap, GapReason
from tests.factories import make_connection

CHECK = "s3_bucket_versioning"
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
DENIED = Gap("s3", "ListBuckets", "global", GapReason.DENIED, action="s3:ListAllMyBuckets")


def _result(
    name: str, outcome: Outcome = Outcome.PASS, observed: str = "seen", scope: str = "global"
) -> Result:
    return Result(
        CHECK, outcome, observed, f"arn:aws:s3:::{name}", name, "AWS::S3::Bucket", "us-east-1", scope
    )


UNLISTED = Result(
    CHECK,
    Outcome.UNKNOWN,
    f"not seen: {DENIED}",
    "arn:aws:s3::1:*",
    "s3 in global",
    "",
    "global",
    "global",
    DENIED,
)


@pytest.fixture
def aws_connection(tenant):
    connection = make_connection(tenant)
    with open_tenant(tenant.pk):
        yield connection


def _outcomes() -> dict[str, str]:
    return {row.resource_name: row.outcome for row in Finding.objects.filter(gone_at=None)}


def _periods(name: str) -> list[tuple[str, datetime, datetime | None]]:
    rows = FindingPeriod.objects.filter(finding__resource_name=name).order_by("valid_from")
    return [(row.outcome, row.valid_from, row.valid_to) for row in rows]


def test_the_same_results_again_write_nothing(aws_connection):
    results = [_result("logs"), _result("scans", Outcome.FAIL)]
    assert write_findings(aws_connection, results, MONDAY) == FindingChanges(opened=2, appeared=1)
    assert write_findings(aws_connection, results, TUESDAY) == FindingChanges()
    assert FindingPeriod.objects.count() == 2


def test_a_changed_outcome_ends_one_period_and_begins_another(aws_connection):
    write_findings(aws_connection, [_result("logs", Outcome.FAIL)], MONDAY)
    assert write_findings(aws_connection, [_result("logs")], TUESDAY) == FindingChanges(changed=1, fixed=1)
    assert _periods("logs") == [("FAIL", MONDAY, TUESDAY), ("PASS", TUESDAY, None)]
    finding = Finding.objects.get()
    assert (finding.outcome, finding.first_seen_at, finding.since) == ("PASS", MONDAY, TUESDAY)


def test_a_resource_that_a_listing_no_longer_has_is_gone_and_may_come_back(aws_connection):
    write_findings(aws_connection, [_result("logs"), _result("scans")], MONDAY)
    assert write_findings(aws_connection, [_result("scans")], TUESDAY).gone == 1
    assert _outcomes() == {"scans": "PASS"}
    write_findings(aws_connection, [_result("scans"), _result("logs")], TUESDAY + timedelta(days=1))
    assert len(_periods("logs")) == 2
    assert _outcomes() == {"logs": "PASS", "scans": "PASS"}


def test_what_a_refused_listing_hides_becomes_unknown_and_is_not_cleaned_up(aws_connection):
    write_findings(aws_connection, [_result("logs"), _result("scans", Outcome.FAIL)], MONDAY)
    write_findings(aws_connection, [UNLISTED], TUESDAY)
    assert _outcomes() == {"logs": "UNKNOWN", "scans": "UNKNOWN", "s3 in global": "UNKNOWN"}
    assert {row.missing_action for row in Finding.objects.all()} == {"s3:ListAllMyBuckets"}


def test_same_named_things_in_two_regions_stay_two_findings(aws_connection):
    east, west = _result("db", scope="us-east-1"), _result("db", Outcome.FAIL, scope="us-west-2")
    write_findings(aws_connection, [east, west], MONDAY)
    assert sorted(Finding.objects.values_list("scope", "outcome")) == [
        ("us-east-1", "PASS"),
        ("us-west-2", "FAIL"),
    ]


def test_the_database_refuses_overlapping_periods(aws_connection):
    write_findings(aws_connection, [_result("logs")], MONDAY)
    finding = Finding.objects.get()
    with pytest.raises(DatabaseError), transaction.atomic():
        FindingPeriod.objects.create(finding=finding, outcome="FAIL", observed="x", valid_from=TUESDAY)
