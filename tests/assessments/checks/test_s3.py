"""What buckets' checks must not be fooled by."""

import json
from typing import Any

import pytest

from assessments.checks.base import Absent, Outcome, Refused
from evidence.types import GapReason
from tests.examples_kit import assert_no_field_is_relied_on, checks_of, only, outcomes, results

ALL_EVENTS = {
    "ReadWriteType": "All",
    "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
}
NO_BLOCK = Absent("NoSuchPublicAccessBlockConfiguration")
MEANINGFUL = {("s3_trail_bucket_retention", "Expiration"): "a lifecycle rule without it deletes nothing"}


def buckets(*names: str, **operations: Any) -> dict[str, Any]:
    listed = [{"Name": name, "BucketRegion": "us-east-1"} for name in names]
    return {"ListBuckets": {"": {"Buckets": listed}}, **operations}


def policy(**fields: Any) -> dict[str, str]:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::records/*",
    }
    return {"Policy": json.dumps({"Statement": [{**statement, **fields}]})}


def test_no_check_of_buckets_relies_on_a_field_being_there() -> None:
    assert_no_field_is_relied_on("s3", MEANINGFUL)


@pytest.mark.parametrize(
    ("bucket", "location", "region"),
    [
        ({"BucketRegion": "eu-central-1"}, None, "eu-central-1"),
        ({}, {"LocationConstraint": None}, "us-east-1"),
        ({}, {}, "us-east-1"),
        ({}, {"LocationConstraint": "EU"}, "eu-west-1"),
        ({}, {"LocationConstraint": "us-west-2"}, "us-west-2"),
        ({}, Refused(), "global"),
    ],
)
def test_a_bucket_is_found_in_its_region(bucket: dict[str, str], location: Any, region: str) -> None:
    answers: dict[str, Any] = {
        "ListBuckets": {"": {"Buckets": [{"Name": "records", **bucket}]}},
        "GetBucketVersioning": {"records": {"Status": "Enabled"}},
        **({} if location is None else {"GetBucketLocation": {"records": location}}),
    }
    (result,) = results("s3_bucket_versioning", {"s3": answers})
    assert (result.region, result.outcome) == (region, Outcome.PASS)


def test_a_denied_answer_about_one_bucket_leaves_the_others_judged() -> None:
    answers = buckets("a", "b", GetBucketVersioning={"a": Refused(), "b": {"Status": "Enabled"}})
    assert outcomes("s3_bucket_versioning", {"s3": answers}) == {"a": Outcome.UNKNOWN, "b": Outcome.PASS}


def test_a_denied_listing_is_one_unknown_for_each_check() -> None:
    for check in checks_of("s3"):
        found = results(check.id, {"s3": {"ListBuckets": {"": Refused()}}})
        assert [result.outcome for result in found] == [Outcome.UNKNOWN], check.id


def test_the_accounts_switches_are_enough_where_the_buckets_are_not_seen() -> None:
    on = dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    )
    answers = buckets(
        "records",
        GetPublicAccessBlock={"records": Refused()},
        **{"s3control:GetPublicAccessBlock": {"": {"PublicAccessBlockConfiguration": on}}},
    )
    assert only("s3_bucket_public_access_blocked", {"s3": answers}) is Outcome.PASS


def test_a_public_policy_is_unknown_while_the_switch_that_could_void_it_is_not_seen() -> None:
    answers = buckets(
        "records",
        GetBucketPolicy={"records": policy()},
        GetPublicAccessBlock={"records": NO_BLOCK},
        **{"s3control:GetPublicAccessBlock": {"": Refused()}},
    )
    assert only("s3_bucket_policy_not_public", {"s3": answers}) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "check", ["s3_bucket_tls_only", "s3_bucket_policy_not_public", "s3_bucket_no_foreign_accounts"]
)
def test_a_policy_that_cannot_be_read_is_unknown(check: str) -> None:
    answers = buckets("records", GetBucketPolicy={"records": {"Policy": "{"}})
    assert only(check, {"s3": answers}) is Outcome.UNKNOWN


def trail(name: str = "t", **fields: Any) -> dict[str, Any]:
    return {"TrailARN": name, "S3BucketName": "logs", "HomeRegion": "us-east-1", **fields}


def trails(*rows: dict[str, Any], logging: bool = True, selectors: Any = None) -> dict[str, Any]:
    return {
        "DescribeTrails": {"": {"trailList": list(rows)}},
        "GetTrailStatus": {row["TrailARN"]: {"IsLogging": logging} for row in rows},
        "GetEventSelectors": {row["TrailARN"]: selectors or {"EventSelectors": [ALL_EVENTS]} for row in rows},
    }


def advanced(*fields: dict[str, Any]) -> dict[str, Any]:
    kind = {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}
    data = {"Field": "eventCategory", "Equals": ["Data"]}
    return {"AdvancedEventSelectors": [{"FieldSelectors": [data, kind, *fields]}]}


UNLOGGED = buckets("records", GetBucketLogging={"records": {}})


@pytest.mark.parametrize(
    ("cloudtrail", "outcome"),
    [
        ({"cloudtrail": trails(trail())}, Outcome.PASS),
        ({"cloudtrail": trails(trail(), logging=False)}, Outcome.FAIL),
        ({"cloudtrail@eu-west-1": trails(trail(HomeRegion="eu-west-1"))}, Outcome.FAIL),
        (
            {"cloudtrail@eu-west-1": trails(trail(HomeRegion="eu-west-1", IsMultiRegionTrail=True))},
            Outcome.PASS,
        ),
        ({"cloudtrail": trails(trail(), selectors=advanced())}, Outcome.PASS),
        (
            {"cloudtrail": trails(trail(), selectors=advanced({"Field": "readOnly", "Equals": ["false"]}))},
            Outcome.FAIL,
        ),
        (
            {
                "cloudtrail": trails(
                    trail(),
                    selectors=advanced({"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::records/"]}),
                )
            },
            Outcome.PASS,
        ),
        (
            {
                "cloudtrail": trails(
                    trail(),
                    selectors=advanced(
                        {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::records/scans/"]}
                    ),
                )
            },
            Outcome.FAIL,
        ),
        (
            {
                "cloudtrail": trails(),
                "cloudtrail@af-south-1": {"DescribeTrails": {"": Refused(GapReason.REGION_OFF)}},
            },
            Outcome.FAIL,
        ),
        (
            {"cloudtrail": trails(), "cloudtrail@eu-west-1": {"DescribeTrails": {"": Refused()}}},
            Outcome.UNKNOWN,
        ),
        (
            {"cloudtrail@ap-east-1": {"DescribeTrails": {"": Refused()}}, "cloudtrail": trails(trail())},
            Outcome.PASS,
        ),
        ({}, Outcome.UNKNOWN),
    ],
)
def test_data_events_count_only_where_a_trail_records_all_of_the_buckets_objects(
    cloudtrail: dict[str, Any], outcome: Outcome
) -> None:
    assert only("s3_bucket_access_recorded", {"s3": UNLOGGED, **cloudtrail}) is outcome


def test_a_trails_bucket_in_another_account_is_unknown_and_not_missing() -> None:
    for check in ("s3_trail_bucket_logged", "s3_trail_bucket_not_public", "s3_log_bucket_object_lock"):
        assert outcomes(check, {"s3": buckets(), "cloudtrail": trails(trail())}) == {"logs": Outcome.UNKNOWN}


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        ({"Expiration": {"Days": 90}}, Outcome.FAIL),
        ({"Expiration": {"Days": 90}, "Prefix": "hospital/AWSLogs/"}, Outcome.FAIL),
        (
            {"Expiration": {"Days": 90}, "Filter": {"And": {"Prefix": "hospital", "ObjectSizeLessThan": 5}}},
            Outcome.FAIL,
        ),
        ({"Expiration": {"Days": 90}, "Filter": {"Tag": {"Key": "a", "Value": "b"}}}, Outcome.PASS),
        ({"Expiration": {"Days": 90}, "Filter": {"Prefix": "AWSLogs/"}}, Outcome.PASS),
        ({"Expiration": {"Date": "2026-02-01T00:00:00Z"}}, Outcome.FAIL),
        ({"Expiration": {"Date": "2020-02-01T00:00:00Z"}}, Outcome.FAIL),
        ({"Expiration": {"ExpiredObjectDeleteMarker": True}}, Outcome.PASS),
        ({"NoncurrentVersionExpiration": {"NoncurrentDays": 1}}, Outcome.PASS),
    ],
)
def test_only_lifecycle_rules_that_delete_the_trails_logs_early_count(
    rule: dict[str, Any], outcome: Outcome
) -> None:
    answer = {"Rules": [{"Status": "Enabled", **rule}]}
    example = {
        "s3": buckets("logs", GetBucketLifecycleConfiguration={"logs": answer}),
        "cloudtrail": trails(trail(S3KeyPrefix="hospital")),
    }
    assert only("s3_trail_bucket_retention", example) is outcome


@pytest.mark.parametrize(
    ("key", "outcome"),
    [
        ("arn:aws:kms:us-east-1:111122223333:key/k", Outcome.PASS),
        ("k", Outcome.PASS),
        ("alias/records", Outcome.PASS),
        ("arn:aws:kms:us-east-1:111122223333:alias/records", Outcome.PASS),
        ("arn:aws:kms:us-east-1:999988887777:key/theirs", Outcome.PASS),
        ("arn:aws:kms:us-east-1:111122223333:alias/aws/s3", Outcome.FAIL),
        ("arn:aws:kms:us-east-1:111122223333:key/aws-managed", Outcome.FAIL),
        ("arn:aws:kms:us-east-1:111122223333:key/unseen", Outcome.UNKNOWN),
    ],
)
def test_whose_key_it_is_is_told_by_the_key_and_not_by_its_being_there(key: str, outcome: Outcome) -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    answer = {
        "ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    }
    kms = {
        "ListAliases": {"": {"Aliases": [{"AliasName": "alias/records", "TargetKeyId": "k"}]}},
        "DescribeKey": {
            "k": {"KeyMetadata": {"KeyManager": "CUSTOMER"}},
            "aws-managed": {"KeyMetadata": {"KeyManager": "AWS"}},
        },
    }
    example = {"s3": buckets("records", GetBucketEncryption={"records": answer}), "kms": kms}
    assert only("s3_bucket_customer_key", example) is outcome
