"""Whether events raise alarms: filter patterns as CloudWatch reads them, and the chain from trail to action."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from assessments.checks.base import Outcome, Result, checks, seen_in_example
from assessments.checks.engine import evaluate
from assessments.checks.subjects.filter_pattern import matcher

EVENT = {
    "eventName": "DeleteTrail",
    "eventType": "AwsApiCall",
    "userIdentity": {"type": "Root", "mfa": False},
    "errorCode": "Client.UnauthorizedOperation",
    "count": 3,
}


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ('{ $.eventName = "DeleteTrail" }', True),
        ("{ $.eventName = DeleteTrail }", True),
        ("{($.eventName=DeleteTrail)||($.eventName=StopLogging)}", True),
        ("{ $.eventName = StopLogging }", False),
        ("{ $.eventName != DeleteTrail }", False),
        ('{ $.errorCode = "*UnauthorizedOperation" }', True),
        ('{ $.errorCode = "AccessDenied*" }', False),
        ("{ $.eventName = Delete* && $.eventType != AwsServiceEvent }", True),
        ("{ $.eventName = Stop* || $.eventName = Delete* && $.count > 5 }", False),
        ("{ ($.eventName = Stop* || $.eventName = Delete*) && $.count >= 3 }", True),
        ("{ $.userIdentity.invokedBy NOT EXISTS }", True),
        ("{ $.userIdentity.type NOT EXISTS }", False),
        ("{ $.userIdentity.mfa IS FALSE }", True),
        ("{ $.missing = x }", False),
        ("{ $.missing != x }", False),
        ("{ $.eventName = %Delete% }", True),
        ("DeleteTrail", True),
        ("DeleteTrail Nothing", False),
        ("?StopLogging ?DeleteTrail", True),
        ("DeleteTrail -Root", False),
        ('"DeleteTrail"', True),
        ("", True),
    ],
)
def test_a_pattern_matches_as_cloudwatch_would(pattern: str, matches: bool) -> None:
    assert matcher(pattern)(EVENT) is matches


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.eventName = }",
        "{ ($.eventName = a }",
        "{ eventName = a }",
        "{ $.eventName ~ a }",
        "{ $.a = b",
        "{ $.a = %(x+)+% }",
        "{ $.a = b $.c = d }",
        "{ $.a IS MAYBE }",
    ],
)
def test_a_pattern_that_cannot_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError):
        matcher(pattern)


CHECK = checks()["cloudwatch_alarm_cloudtrail_changes"]
Answers = dict[str, Any]


def judged(change: Callable[[Answers], None]) -> Result:
    example = copy.deepcopy(dict(CHECK.passing[0]))
    change(example)
    (result,) = evaluate([CHECK], seen_in_example(example), ["us-east-1"])
    return result


def trails(answers: Answers) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = answers["cloudtrail"]["DescribeTrails"][""]["trailList"]
    return listed


def filters(answers: Answers) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = answers["logs"]["DescribeMetricFilters"][""]["metricFilters"]
    return listed


def alarms(answers: Answers) -> dict[str, Any]:
    listed: dict[str, Any] = answers["cloudwatch"]["DescribeAlarms"][""]
    return listed


def unchanged(_answers: Answers) -> None: ...


def without_delivery(answers: Answers) -> None:
    del trails(answers)[0]["CloudWatchLogsLogGroupArn"]


def of_one_region(answers: Answers) -> None:
    trails(answers)[0]["IsMultiRegionTrail"] = False


def of_another_group(answers: Answers) -> None:
    filters(answers)[0]["logGroupName"] = "application"


def of_part_of_the_events(answers: Answers) -> None:
    filters(answers)[0]["filterPattern"] = "{ $.eventName = StopLogging }"


def of_part_narrowed_by_person(answers: Answers) -> None:
    filters(answers)[0]["filterPattern"] = (
        "{ ($.eventName = UpdateTrail || $.eventName = DeleteTrail || $.eventName = StopLogging)"
        " && $.userIdentity.userName = robert }"
    )


def of_everything(answers: Answers) -> None:
    filters(answers)[0]["filterPattern"] = ""


def of_another_metric(answers: Answers) -> None:
    alarms(answers)["MetricAlarms"][0]["Namespace"] = "Other"


def with_actions_off(answers: Answers) -> None:
    alarms(answers)["MetricAlarms"][0]["ActionsEnabled"] = False


def split_over_two_filters(answers: Answers) -> None:
    (one,) = filters(answers)
    one["filterPattern"] = "{ $.eventName = StopLogging || $.eventName = DeleteTrail }"
    filters(answers).append({**one, "filterPattern": "{ $.eventName = UpdateTrail }"})


def by_composite(answers: Answers) -> None:
    with_actions_off(answers)
    rule = {"AlarmName": "all", "AlarmRule": 'OK("x") AND ALARM("watch")'}
    alarms(answers)["CompositeAlarms"] = [{**rule, "ActionsEnabled": True, "AlarmActions": ["arn:aws:sns:x"]}]


def by_silent_composite(answers: Answers) -> None:
    by_composite(answers)
    alarms(answers)["CompositeAlarms"][0]["ActionsEnabled"] = False


def by_composite_of_a_longer_name(answers: Answers) -> None:
    by_composite(answers)
    alarms(answers)["CompositeAlarms"][0]["AlarmRule"] = 'ALARM("watch-disk")'


def unreadable(answers: Answers) -> None:
    filters(answers)[0]["filterPattern"] = "{ $.eventName = %(Delete|Stop|Update).*% }"


def into_another_account(answers: Answers) -> None:
    trails(answers)[0]["CloudWatchLogsLogGroupArn"] = "arn:aws:logs:us-east-1:999988887777:log-group:trail:*"


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (unchanged, Outcome.PASS),
        (split_over_two_filters, Outcome.PASS),
        (by_composite, Outcome.PASS),
        (without_delivery, Outcome.FAIL),
        (of_one_region, Outcome.FAIL),
        (of_another_group, Outcome.FAIL),
        (of_part_of_the_events, Outcome.FAIL),
        (of_part_narrowed_by_person, Outcome.FAIL),
        (of_everything, Outcome.FAIL),
        (of_another_metric, Outcome.FAIL),
        (with_actions_off, Outcome.FAIL),
        (by_silent_composite, Outcome.FAIL),
        (by_composite_of_a_longer_name, Outcome.FAIL),
        (unreadable, Outcome.UNKNOWN),
        (into_another_account, Outcome.UNKNOWN),
    ],
)
def test_an_event_is_watched_only_where_the_whole_chain_holds(
    change: Callable[[Answers], None], outcome: Outcome
) -> None:
    result = judged(change)
    assert result.outcome is outcome, result.observed
