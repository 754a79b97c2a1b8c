from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from typing import Any

import pytest

from evidence.aws.reader import UndeclaredCall
from evidence.collectors.base import Collector, Scope, collectors
from evidence.types import Answers, GapReason, Unseen
from tests.evidence.collectors.answers import ANSWERS, KEYS, SECRET, TRAIL
from tests.evidence.fake_aws import ACCOUNT, Answer, FakeSession, collect, denied

ALL = list(collectors().values())
DECLARED = [
    (collector, action.service or collector.service, action)
    for collector in ALL
    for action in collector.actions
]
EVERY_COLLECTOR = pytest.mark.parametrize("collector", ALL, ids=lambda collector: collector.name)


def test_the_collectors_of_the_contract_are_found():
    assert set(collectors()) >= {
        "account", "iam", "cloudtrail", "config", "kms", "s3", "ec2", "vpc", "rds", "secretsmanager", "logs", "cloudwatch",
    }  # fmt: skip


@EVERY_COLLECTOR
def test_a_collector_calls_exactly_what_it_declares(collector: Collector):
    session = FakeSession(ANSWERS)
    collect(collector, session)
    assert set(session.calls) == {
        f"{a.service or collector.service}:{a.operation}" for a in collector.actions
    }


@EVERY_COLLECTOR
def test_a_collector_that_is_allowed_everything_leaves_no_gap(collector: Collector):
    collected = collect(collector, FakeSession(ANSWERS))
    assert collected.gaps == ()
    assert collected.payload["gaps"] == []
    assert collected.payload["account_id"] == ACCOUNT


@pytest.mark.parametrize(
    ("collector", "service", "action"), DECLARED, ids=[f"{c.name}-{a.name}" for c, _, a in DECLARED]
)
def test_a_denied_action_is_a_named_gap_and_never_an_answer(collector, service, action):
    answers = ANSWERS | {f"{service}:{action.operation}": denied(action.operation)}
    collected = collect(collector, FakeSession(answers))
    assert {(gap.service, gap.operation, gap.action) for gap in collected.gaps} == {
        (service, action.operation, action.name)
    }
    assert {gap.reason for gap in collected.gaps} == {GapReason.DENIED}
    recorded = action.operation if service == collector.service else f"{service}:{action.operation}"
    assert recorded not in collected.payload["calls"]
    seen = Answers.from_payload(collected.payload)
    with pytest.raises(Unseen) as unseen:
        seen.get(recorded, collected.payload["gaps"][0]["key"])
    assert unseen.value.gap.reason is GapReason.DENIED


@EVERY_COLLECTOR
def test_the_payload_is_json_and_does_not_depend_on_who_answers_first(collector: Collector):
    def slow(answer: Answer) -> Answer:
        def respond(**params: Any) -> Mapping[str, Any]:
            time.sleep(random.random() / 500)
            if isinstance(answer, Exception):
                raise answer
            return answer(**params) if callable(answer) else answer

        return respond

    texts = {
        json.dumps(
            collect(collector, FakeSession({name: slow(answer) for name, answer in ANSWERS.items()})).payload
        )
        for _ in range(3)
    }
    assert len(texts) == 1


@EVERY_COLLECTOR
def test_reasons_are_sentences_and_regional_collectors_say_their_region(collector: Collector):
    assert all(action.why[0].isupper() and len(action.why) > 20 for action in collector.actions)
    region = "global" if collector.scope is Scope.GLOBAL else "eu-west-1"
    assert collect(collector, FakeSession(ANSWERS), "eu-west-1").payload["region"] == region


def test_an_undeclared_call_is_an_error_of_the_collector():
    def trespass(aws):
        aws.get("GetSecretValue", SecretId=SECRET)

    secrets = collectors()["secretsmanager"]
    trespasser = Collector(
        title="Trespasser",
        service="secretsmanager",
        scope=Scope.REGIONAL,
        version=1,
        actions=secrets.actions,
        collect=trespass,
    )
    session = FakeSession(ANSWERS)
    with pytest.raises(UndeclaredCall, match="secretsmanager:GetSecretValue"):
        collect(trespasser, session)
    assert not session.calls


def _answers(name: str) -> Answers:
    return Answers.from_payload(collect(collectors()[name], FakeSession(ANSWERS)).payload)


def test_account_records_calls_to_other_services_under_their_names():
    seen = _answers("account")
    assert seen.items("iam:ListAccountAliases", "AccountAliases") == ["hospital"]
    assert seen.items("ec2:DescribeRegions", "Regions")[0]["RegionName"] == "us-east-1"
    assert seen.get("account:GetAlternateContact", "SECURITY") is None


def test_iam_records_the_credential_report_as_text_and_all_four_lists():
    seen = _answers("iam")
    report = seen.get("GetCredentialReport")
    assert report == {
        "Content": "user,arn\nroot,x\n",
        "ReportFormat": "text/csv",
        "GeneratedTime": "2026-01-02T03:04:05Z",
    }
    assert seen.items("GetAccountAuthorizationDetails", "UserDetailList") == [{"UserName": "ana"}]
    assert seen.items("GetAccountAuthorizationDetails", "RoleDetailList") == [{"RoleName": "R"}]
    assert seen.get("GetAccountPasswordPolicy") is None


def test_cloudtrail_asks_each_trail_by_its_arn():
    seen = _answers("cloudtrail")
    assert seen.get("GetTrailStatus", TRAIL) == {
        "IsLogging": True,
        "LatestDeliveryTime": "2026-01-02T03:04:05Z",
    }


def test_cloudtrail_lists_shadow_trails_and_asks_each_in_its_home_region():
    organisation = "arn:aws:cloudtrail:us-east-1:999999999999:trail/organisation"
    rows = [
        {"Name": "main", "TrailARN": TRAIL, "HomeRegion": "eu-west-1"},
        {"Name": "organisation", "TrailARN": organisation, "HomeRegion": "us-east-1"},
    ]

    def describe(includeShadowTrails: bool = True):  # noqa: N803  AWS's name
        return {"trailList": rows if includeShadowTrails else []}

    session = FakeSession(ANSWERS | {"cloudtrail:DescribeTrails": describe})
    payload = collect(collectors()["cloudtrail"], session, "us-west-2").payload
    asked = {
        (name.partition(":")[2], region, params.get("Name") or params.get("TrailName"))
        for name, region, params in session.asked
    }
    assert asked == {("DescribeTrails", "us-west-2", None)} | {
        (operation, region, arn)
        for operation in ("GetTrailStatus", "GetEventSelectors")
        for region, arn in (("eu-west-1", TRAIL), ("us-east-1", organisation))
    }
    assert len(session.asked) == 5
    assert set(payload["calls"]["GetEventSelectors"]) == {TRAIL, organisation}


def test_kms_asks_rotation_and_policy_only_where_aws_has_an_answer():
    seen = _answers("kms")
    assert set(seen.keys("DescribeKey")) == set(KEYS)
    assert set(seen.keys("GetKeyRotationStatus")) == {"customer"}
    assert set(seen.keys("GetKeyPolicy")) == {"customer", "imported", "signing", "resting"}


def test_s3_asks_each_bucket_in_its_own_region():
    session = FakeSession(ANSWERS)
    payload = collect(collectors()["s3"], session).payload
    places = {
        (params["Bucket"], region) for name, region, params in session.asked if name == "s3:GetBucketPolicy"
    }
    assert places == {("scans", "eu-west-1"), ("old", "eu-west-1")}
    assert set(payload["calls"]["GetBucketLocation"]) == {"old"}
    assert payload["calls"]["GetObjectLockConfiguration"]["scans"] == {
        "absent": "ObjectLockConfigurationNotFoundError"
    }
    assert payload["calls"]["s3control:GetPublicAccessBlock"][""] == {
        "absent": "NoSuchPublicAccessBlockConfiguration"
    }


def test_rds_asks_manual_snapshots_and_parameter_groups_in_use_and_keeps_no_password():
    collected = collect(collectors()["rds"], FakeSession(ANSWERS))
    calls = collected.payload["calls"]
    assert set(calls["DescribeDBSnapshotAttributes"]) == {"by-hand"}
    assert set(calls["DescribeDBParameters"]) == {"strict"}
    assert set(calls["DescribeDBClusterParameters"]) == {"strict-cluster"}
    assert "hunter2" not in json.dumps(collected.payload)
    assert calls["DescribeDBInstances"][""]["response"]["DBInstances"][0]["PendingModifiedValues"] == {
        "Port": 5433
    }


def test_numbers_that_json_would_change_are_kept_as_text():
    seen = _answers("logs")
    assert seen.items("DescribeLogGroups", "logGroups")[0]["storedBytes"] == "9007199254740993"


def test_a_bucket_in_a_region_newer_than_our_data_is_a_gap_and_the_others_are_read():
    buckets = {
        "Buckets": [
            {"Name": "future", "BucketRegion": "moon-east-1"},
            {"Name": "scans", "BucketRegion": "eu-west-1"},
        ]
    }
    collected = collect(collectors()["s3"], FakeSession(ANSWERS | {"s3:ListBuckets": buckets}))
    assert {(gap.key, gap.reason, gap.code) for gap in collected.gaps} == {
        ("future", GapReason.UNSUPPORTED, "UnknownRegion")
    }
    assert set(collected.payload["calls"]["GetBucketPolicy"]) == {"scans"}
