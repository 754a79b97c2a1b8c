"""Trails are looked for in every region: one good trail is enough, and its absence is only said when all was seen."""

from typing import Any

from assessments.checks.base import Outcome, Refused, Result, checks, seen_in_example
from assessments.checks.engine import evaluate
from assessments.checks.subjects.examples import TRAIL, trail

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
