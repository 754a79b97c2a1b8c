"""Trails are looked for in every region: one good trail is enough, and its absence is only said when all was seen."""

from typing import Any

import pytest

from assessments.checks.base import Example, Outcome, Refused, Result, checks, seen_in_example
from assessments.checks.engine import evaluate
from assessments.checks.subjects.examples import TRAIL, trail
from evidence.types import GapReason

GOOD = trail({"IsLogging": True}, IsMultiRegionTrail=True)["cloudtrail"]
NONE: dict[str, Any] = {"DescribeTrails": {"": {"trailList": []}}}
UNSEEN: dict[str, Any] = {"DescribeTrails": {"": Refused()}}
REGIONS = ["eu-west-1", "us-east-1"]


def judged(check_id: str, **by_region: Any) -> list[Result]:
    example = {f"cloudtrail@{region.replace('_', '-')}": answers for region, answers in by_region.items()}
    return list(evaluate([checks()[check_id]], seen_in_example(example), REGIONS))


def outcome(check_id: str, **by_region: Any) -> Outcome:
    (result,) = judged(check_id, **by_region)
    return result.outcome


def test_a_good_trail_in_one_region_is_enough_though_another_was_not_seen() -> None:
    assert outcome("cloudtrail_multi_region", eu_west_1=UNSEEN, us_east_1=GOOD) is Outcome.PASS


def test_without_a_good_trail_a_region_that_was_not_seen_leaves_it_open() -> None:
    assert outcome("cloudtrail_multi_region", eu_west_1=UNSEEN, us_east_1=NONE) is Outcome.UNKNOWN


def test_without_a_good_trail_in_any_region_it_fails() -> None:
    assert outcome("cloudtrail_multi_region", eu_west_1=NONE, us_east_1=NONE) is Outcome.FAIL


def test_where_cloudtrail_was_never_read_it_is_unknown() -> None:
    assert outcome("cloudtrail_multi_region") is Outcome.UNKNOWN


def test_a_shadow_of_a_trail_in_another_region_is_not_a_second_trail() -> None:
    shadow = {"DescribeTrails": GOOD["DescribeTrails"]}
    found = judged("cloudtrail_log_file_validation", eu_west_1=shadow, us_east_1=GOOD)
    assert [(result.region, result.arn) for result in found] == [("us-east-1", TRAIL)]


def test_a_trail_of_one_region_records_only_the_buckets_there() -> None:
    rows = [{"Name": "here", "BucketRegion": "us-east-1"}, {"Name": "there", "BucketRegion": "eu-west-1"}]
    data = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]
    selectors = {"EventSelectors": [{"ReadWriteType": "All", "DataResources": data}]}
    example = {**trail({"IsLogging": True}, selectors), "s3@global": {"ListBuckets": {"": {"Buckets": rows}}}}
    found = evaluate([checks()["cloudtrail_s3_data_events"]], seen_in_example(example), REGIONS)
    assert {result.name: result.outcome for result in found} == {"here": Outcome.PASS, "there": Outcome.FAIL}


def test_a_bucket_that_receives_the_record_need_not_be_recorded() -> None:
    example = {
        **trail({"IsLogging": True}, {"EventSelectors": []}),
        "s3@global": {
            "ListBuckets": {"": {"Buckets": [{"Name": "trail-logs", "BucketRegion": "us-east-1"}]}}
        },
    }
    (result,) = evaluate([checks()["cloudtrail_s3_data_events"]], seen_in_example(example), REGIONS)
    assert result.outcome is Outcome.NOT_APPLICABLE


ORGANISATION = "arn:aws:cloudtrail:us-east-1:999999999999:trail/organisation"
SELECTORS = {"EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "All"}]}
STATUS = {"IsLogging": True, "LatestDeliveryTime": "2026-01-15T11:50:00Z"}
OF_TRAILS = [
    check.id for check in checks().values() if check.service == "cloudtrail" and check.id != "cloudtrail_s3_data_events"
]  # fmt: skip


def listed(arn: str = TRAIL, *, status: Any = STATUS, selectors: Any = SELECTORS, **more: Any) -> Any:
    """A multi-region trail of us-east-1, as any region lists it and its home region answers for it."""
    row = {
        "TrailARN": arn, "Name": "main", "HomeRegion": "us-east-1", "IsMultiRegionTrail": True, "S3BucketName": "logs",
        "IncludeGlobalServiceEvents": True, "LogFileValidationEnabled": True, **more,
    }  # fmt: skip
    return {
        "DescribeTrails": {"": {"trailList": [row]}},
        "GetTrailStatus": {arn: status},
        "GetEventSelectors": {arn: selectors},
    }


RECORDED = ["cloudtrail_multi_region", "cloudtrail_management_events", "cloudtrail_global_service_events"]
OWN_RESULTS = ["cloudtrail_delivery", "cloudtrail_log_file_validation"]


def judged_in(check_id: str, *regions: str, **by_region: Any) -> list[Result]:
    example = {f"cloudtrail@{region.replace('_', '-')}": answers for region, answers in by_region.items()}
    return list(evaluate([checks()[check_id]], seen_in_example(example), regions))


@pytest.mark.parametrize("check_id", RECORDED + OWN_RESULTS)
def test_a_trail_at_home_in_a_region_that_is_not_collected_counts_by_its_shadow(check_id: str) -> None:
    (result,) = judged_in(check_id, "us-west-2", us_west_2=listed())
    assert result.outcome is Outcome.PASS
    assert check_id in RECORDED or (result.arn, result.region) == (TRAIL, "us-east-1")


@pytest.mark.parametrize("check_id", RECORDED + OWN_RESULTS)
def test_a_member_account_is_recorded_by_its_organisations_trail(check_id: str) -> None:
    (result,) = judged_in(check_id, "us-east-1", us_east_1=listed(ORGANISATION, IsOrganizationTrail=True))
    assert result.outcome is Outcome.PASS


@pytest.mark.parametrize("check_id", OF_TRAILS)
def test_a_trail_that_every_region_lists_is_one_resource_with_one_result(check_id: str) -> None:
    for arn in (TRAIL, ORGANISATION):
        found = judged_in(
            check_id, "eu-west-1", "us-east-1", "us-west-2",
            eu_west_1=listed(arn), us_east_1=listed(arn), us_west_2=listed(arn),
        )  # fmt: skip
        assert len(found) == 1
        assert found[0].scope in ("us-east-1", "global")


def test_two_shadows_of_a_trail_whose_home_is_not_collected_are_one_resource() -> None:
    found = judged_in("cloudtrail_delivery", "eu-west-1", "us-west-2", eu_west_1=listed(), us_west_2=listed())
    assert [(result.arn, result.scope) for result in found] == [(TRAIL, "eu-west-1")]


def test_the_home_regions_view_of_a_trail_counts_before_a_shadows() -> None:
    found = judged_in(
        "cloudtrail_delivery", "eu-west-1", "us-east-1", eu_west_1=listed(status={}), us_east_1=listed()
    )
    assert [result.outcome for result in found] == [Outcome.PASS]


def test_a_trail_whose_home_was_asked_in_vain_stays_with_its_home_and_still_counts_for_the_account() -> None:
    regions: dict[str, Any] = {"eu_west_1": listed(), "us_east_1": UNSEEN}
    found = judged_in("cloudtrail_delivery", "eu-west-1", "us-east-1", **regions)
    assert [(result.scope, result.outcome) for result in found] == [("us-east-1", Outcome.UNKNOWN)]
    (result,) = judged_in("cloudtrail_multi_region", "eu-west-1", "us-east-1", **regions)
    assert result.outcome is Outcome.PASS


def test_a_home_region_that_is_off_in_the_account_leaves_the_trail_to_its_shadow() -> None:
    off = {"DescribeTrails": {"": Refused(GapReason.REGION_OFF)}}
    found = judged_in("cloudtrail_delivery", "eu-west-1", eu_west_1=listed(), us_east_1=off)
    assert [result.outcome for result in found] == [Outcome.PASS]


@pytest.mark.parametrize(
    ("check_id", "refused"),
    [(check_id, "status") for check_id in RECORDED] + [("cloudtrail_delivery", "status")]
    + [("cloudtrail_management_events", "selectors")],
)  # fmt: skip
def test_a_member_that_may_not_ask_about_its_organisations_trail_leaves_it_open(
    check_id: str, refused: str
) -> None:
    (result,) = judged_in(check_id, "us-east-1", us_east_1=listed(ORGANISATION, **{refused: Refused()}))
    assert result.outcome is Outcome.UNKNOWN
    assert result.gap is not None


def test_a_delivery_that_a_member_account_is_not_told_of_is_unknown_and_of_an_own_trail_a_failure() -> None:
    silent = {"IsLogging": True}
    group = "arn:aws:logs:us-east-1:999999999999:log-group:trail:*"
    for check_id in ("cloudtrail_delivery", "cloudtrail_cloudwatch_logs"):
        for arn, expected in ((ORGANISATION, Outcome.UNKNOWN), (TRAIL, Outcome.FAIL)):
            answers = listed(arn, status=silent, CloudWatchLogsLogGroupArn=group)
            (result,) = judged_in(check_id, "us-east-1", us_east_1=answers)
            assert result.outcome is expected


def test_a_trails_key_is_looked_up_where_the_key_is() -> None:
    key = "arn:aws:kms:eu-west-1:111122223333:key/k1"
    example = {
        "cloudtrail@us-east-1": listed(KmsKeyId=key),
        "kms@eu-west-1": {"DescribeKey": {"k1": {"KeyMetadata": {"KeyManager": "CUSTOMER"}}}},
    }
    (result,) = evaluate([checks()["cloudtrail_customer_key"]], seen_in_example(example), ["us-east-1"])
    assert result.outcome is Outcome.PASS


def test_a_bucket_in_an_unknown_region_is_unknown_where_only_trails_of_single_regions_record_it() -> None:
    data = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::charts/"]}]
    selectors = {"EventSelectors": [{"ReadWriteType": "All", "DataResources": data}]}
    buckets: dict[str, Any] = {
        "ListBuckets": {"": {"Buckets": [{"Name": "charts"}]}},
        "GetBucketLocation": {"charts": Refused()},
        "GetBucketLogging": {"charts": {}},
    }
    for check_id in ("cloudtrail_s3_data_events", "s3_bucket_access_recorded"):
        example: Example = {**trail({"IsLogging": True}, selectors), "s3@global": buckets}
        (result,) = evaluate([checks()[check_id]], seen_in_example(example), REGIONS)
        assert result.outcome is Outcome.UNKNOWN


def test_server_access_logs_are_a_record_of_access_but_no_trails_record() -> None:
    buckets: dict[str, Any] = {
        "ListBuckets": {"": {"Buckets": [{"Name": "charts", "BucketRegion": "us-east-1"}]}},
        "GetBucketLogging": {"charts": {"LoggingEnabled": {"TargetBucket": "logs"}}},
    }
    example: Example = {**trail({"IsLogging": True}, {"EventSelectors": []}), "s3@global": buckets}
    for check_id, expected in (
        ("s3_bucket_access_recorded", Outcome.PASS), ("cloudtrail_s3_data_events", Outcome.FAIL),
    ):  # fmt: skip
        (result,) = evaluate([checks()[check_id]], seen_in_example(example), REGIONS)
        assert result.outcome is expected
