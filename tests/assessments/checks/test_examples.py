"""Every check is held to its own examples, and to saying UNKNOWN when an answer that it relies on is refused."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from assessments.checks.base import (
    Absent,
    Check,
    Example,
    Outcome,
    Per,
    Refused,
    Result,
    checks,
    seen_in_example,
)
from assessments.checks.engine import evaluate
from assessments.checks.subjects.examples import identities, user
from evidence.collectors.base import Scope, collectors

REGION = "us-east-1"
ELSEWHERE = "eu-west-1"

UNCHANGED: Mapping[tuple[str, str], str] = {}
"""(check, operation): why refusing the operation leaves the outcomes of the passing examples as they were."""


def global_collectors() -> set[str]:
    return {name for name, collector in collectors().items() if collector.scope is Scope.GLOBAL}


def results(check: Check, example: Example, *, later: timedelta = timedelta()) -> list[Result]:
    seen = seen_in_example(example, region=REGION, global_collectors=global_collectors())
    seen = replace(seen, at=seen.at + later)
    places = {REGION} | {place.partition("@")[2] for place in example if "@" in place}
    return list(evaluate([check], seen, places))


def outcomes(found: list[Result]) -> dict[Outcome, list[str]]:
    by_outcome: dict[Outcome, list[str]] = {}
    for result in found:
        by_outcome.setdefault(result.outcome, []).append(f"{result.name}: {result.observed}")
    return by_outcome


def examples(which: Callable[[Check], tuple[Example, ...]]) -> list[Any]:
    return [
        pytest.param(check, example, id=f"{check.id}-{number}")
        for check in checks().values()
        for number, example in enumerate(which(check))
    ]


def every(check: Check) -> Iterator[Example]:
    yield from check.passing
    yield from check.failing


@pytest.mark.parametrize(("check", "example"), examples(lambda check: check.passing))
def test_a_passing_example_passes_and_has_nothing_that_fails_or_is_unknown(
    check: Check, example: Example
) -> None:
    found = outcomes(results(check, example))
    assert Outcome.PASS in found, found
    assert not {Outcome.FAIL, Outcome.UNKNOWN} & set(found), found


@pytest.mark.parametrize(("check", "example"), examples(lambda check: check.failing))
def test_a_failing_example_fails(check: Check, example: Example) -> None:
    found = outcomes(results(check, example))
    assert Outcome.FAIL in found, found


def refusals(check: Check) -> Iterator[Any]:
    """The passing examples with each answer refused in turn."""
    for number, example in enumerate(check.passing):
        for place, operations in example.items():
            for operation, answers in operations.items():
                for key, answer in answers.items():
                    if not isinstance(answer, Refused):
                        refused = {**operations, operation: {**answers, key: Refused()}}
                        name = f"{check.id}-{number}-{place}-{operation}-{key}"
                        yield pytest.param(check, operation, example, {**example, place: refused}, id=name)


@pytest.mark.parametrize(
    ("check", "operation", "example", "refused"),
    [case for check in checks().values() for case in refusals(check)],
)
def test_a_refused_answer_never_makes_a_check_pass(
    check: Check, operation: str, example: Example, refused: Example
) -> None:
    found = outcomes(results(check, refused))
    if (check.id, operation) in UNCHANGED:
        assert found == outcomes(results(check, example)), found
    else:
        assert Outcome.UNKNOWN in found, found


def test_every_reason_for_an_unchanged_outcome_is_about_an_answer_of_an_example() -> None:
    known = {
        (check.id, operation)
        for check in checks().values()
        for example in check.passing
        for operations in example.values()
        for operation in operations
    }
    assert set(UNCHANGED) <= known
    assert all(UNCHANGED.values())


@pytest.mark.parametrize("check", [pytest.param(check, id=check.id) for check in checks().values()])
def test_a_check_reads_collectors_that_exist_and_its_examples_name_no_others(check: Check) -> None:
    assert set(check.collectors) <= set(collectors())
    used = {place.partition("@")[0] for example in every(check) for place in example}
    assert used <= set(check.collectors)


@pytest.mark.parametrize("check", [pytest.param(check, id=check.id) for check in checks().values()])
def test_a_check_of_a_global_collector_is_evaluated_once_for_the_account(check: Check) -> None:
    if collectors()[check.collectors[0]].scope is Scope.GLOBAL:
        assert check.per is Per.ACCOUNT


@pytest.mark.parametrize("check", [pytest.param(check, id=check.id) for check in checks().values()])
def test_examples_answer_only_what_collectors_ask(check: Check) -> None:
    for example in every(check):
        for place, operations in example.items():
            declared = {
                action.operation if not action.service else f"{action.service}:{action.operation}"
                for action in collectors()[place.partition("@")[0]].actions
            }
            assert set(operations) <= declared, (place, set(operations) - declared)


@pytest.mark.parametrize("check", [pytest.param(check, id=check.id) for check in checks().values()])
def test_resources_are_named_by_arn_and_never_twice(check: Check) -> None:
    for example in every(check):
        found = results(check, example)
        arns = [result.arn for result in found]
        assert all(arn.startswith("arn:aws:") and arn.count(":") >= 5 for arn in arns), arns
        assert len(set(arns)) == len(arns), arns


@pytest.mark.parametrize("check", [pytest.param(check, id=check.id) for check in checks().values()])
def test_a_check_never_supports_what_concerns_clearinghouses_or_health_plans(check: Check) -> None:
    assert "164.308(a)(4)(ii)(A)" not in check.supports
    assert not [citation for citation in check.supports if citation.startswith("164.314(b)")]


@pytest.mark.parametrize("check", [pytest.param(check, id=check.id) for check in checks().values()])
def test_what_is_observed_is_said_in_words_and_never_as_compliance(check: Check) -> None:
    for example in every(check):
        for result in results(check, example):
            assert result.observed
            assert not result.observed.endswith(".")
            assert "compliant" not in result.observed.lower().replace("non_compliant", "")


@pytest.mark.parametrize("check", [pytest.param(check, id=check.id) for check in checks().values()])
def test_what_is_observed_does_not_change_by_the_passing_of_time_alone(check: Check) -> None:
    for example in every(check):
        next_day = results(check, example, later=timedelta(days=1))
        for before, after in zip(results(check, example), next_day, strict=True):
            assert before.arn == after.arn
            if before.outcome == after.outcome:
                assert before.observed == after.observed


def reordered(value: Any) -> Any:
    """The same answers with every list backwards: AWS promises no order."""
    if isinstance(value, Mapping):
        return {key: reordered(entry) for key, entry in value.items()}
    return [reordered(entry) for entry in reversed(value)] if isinstance(value, list) else value


@pytest.mark.parametrize("check", [pytest.param(check, id=check.id) for check in checks().values()])
def test_what_is_observed_does_not_depend_on_the_order_in_which_aws_lists_things(check: Check) -> None:
    for example in every(check):
        said = {result.arn: result[:3] for result in results(check, example)}
        assert {result.arn: result[:3] for result in results(check, reordered(example))} == said


_SENDERS = {"FromPort": 5432, "ToPort": 5432, "IpProtocol": "tcp", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
_ALARM = {"AlarmName": "a", "ActionsEnabled": True, "AlarmActions": ["arn:b", "arn:a"]}
_LOG = {"ResourceId": "vpc-1", "FlowLogStatus": "ACTIVE", "TrafficType": "ACCEPT"}
SEVERAL: Mapping[str, Example] = {
    "cloudwatch_alarm_has_action": {"cloudwatch": {"DescribeAlarms": {"": {"MetricAlarms": [_ALARM]}}}},
    "iam_user_policies_by_group": identities(
        UserDetailList=[user("ana", UserPolicyList=[{"PolicyName": "b"}, {"PolicyName": "a"}])]
    ),
    "vpc_flow_logs": {
        "vpc": {
            "DescribeVpcs": {"": {"Vpcs": [{"VpcId": "vpc-1"}]}},
            "DescribeFlowLogs": {
                "": {"FlowLogs": [{"FlowLogId": name, **_LOG} for name in ("fl-2", "fl-1")]}
            },
        }
    },
    "vpc_sg_only_web_ports_open": {
        "vpc": {
            "DescribeSecurityGroups": {
                "": {
                    "SecurityGroups": [
                        {
                            "GroupId": "sg-1",
                            "IpPermissions": [
                                {**_SENDERS, "Ipv6Ranges": []},
                                {**_SENDERS, "FromPort": 22, "ToPort": 22, "Ipv6Ranges": []},
                            ],
                        }
                    ]
                }
            }
        }
    },
}
"""Examples in which a check names several things."""


@pytest.mark.parametrize("check_id", sorted(SEVERAL))
def test_several_things_are_named_in_an_order_of_their_own(check_id: str) -> None:
    example = SEVERAL[check_id]
    (listed,), (backwards,) = (
        results(checks()[check_id], example),
        results(checks()[check_id], reordered(example)),
    )
    assert listed.outcome in (Outcome.PASS, Outcome.FAIL)
    assert "," in listed.observed or ";" in listed.observed
    assert listed.observed == backwards.observed


def moved(value: Any) -> Any:
    """The same answers in another region."""
    if isinstance(value, str):
        return value.replace(REGION, ELSEWHERE)
    if isinstance(value, Mapping):
        return {moved(key): moved(entry) for key, entry in value.items()}
    return [moved(entry) for entry in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "check", [pytest.param(check, id=check.id) for check in checks().values() if check.per is Per.REGION]
)
def test_things_of_the_same_name_in_two_regions_stay_two_resources(check: Check) -> None:
    for example in every(check):
        here = {place: answers for place, answers in example.items() if "@" not in place}
        regional = {place: answers for place, answers in here.items() if place not in global_collectors()}
        there = {f"{place}@{ELSEWHERE}": moved(answers) for place, answers in regional.items()}
        found = results(check, {**here, **there})
        assert {result.scope for result in found} == {REGION, ELSEWHERE}
        assert len({result.arn for result in found}) == len(found)


def test_an_absent_setting_is_an_answer_and_not_a_gap() -> None:
    seen = seen_in_example({"s3": {"GetBucketPolicy": {"logs": Absent("NoSuchBucketPolicy")}}})
    assert seen["s3"].get("GetBucketPolicy", "logs") is None
