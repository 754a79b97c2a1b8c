"""Whether a security event that CloudTrail records raises an alarm that reaches somebody.

The chain: a trail of all regions delivers to a log group; a metric filter of that group matches the event; an alarm
watches the filter's metric; the alarm, or a composite alarm above it, has actions that are enabled. A filter is
judged by the sample events that it must match, not by its wording.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects import iam, trail
from assessments.checks.subjects.filter_pattern import matcher
from evidence.types import Answers, Gap, Json, Seen, Unseen

_IN_ALARM = re.compile(r"""\bALARM\(\s*["']?([^"')]+?)["']?\s*\)""")

_HARMLESS = {
    "eventType": "AwsApiCall",
    "eventSource": "ec2.amazonaws.com",
    "eventName": "DescribeInstances",
    "userIdentity": {"type": "AssumedRole", "invokedBy": "autoscaling.amazonaws.com"},
    "sourceIPAddress": "203.0.113.7",
}


def call(service: str, *names: str, **more: Any) -> tuple[Json, ...]:
    """CloudTrail records of successful calls to a service, as far as filters look at them."""
    user = {"type": "IAMUser", "userName": "maria"}
    common = {
        "eventType": "AwsApiCall",
        "eventSource": f"{service}.amazonaws.com",
        "sourceIPAddress": "203.0.113.7",
    }
    return tuple({**common, "userIdentity": user, "eventName": name, **more} for name in names)


class SecurityEvent(NamedTuple):
    """What must be noticed: a name for the metric, a filter pattern that would do, and records that must match."""

    name: str
    pattern: str
    records: tuple[Json, ...]


class LogGroup(NamedTuple):
    """A log group that a trail of all regions delivers to."""

    name: str
    region: str
    account_id: str


def log_groups(seen: Seen) -> tuple[list[LogGroup], Gap | None]:
    """Where the account's events arrive, and a gap if some trail could not be seen."""
    found, gap = trail.all_trails(seen)
    groups: list[LogGroup] = []
    for one in found:
        arn = one.data.get("CloudWatchLogsLogGroupArn") or ""
        try:
            if arn and trail.covers_account(one, seen):
                _, _, _, region, account, _, name, *_ = arn.split(":")
                groups.append(LogGroup(name, region, account))
        except Unseen as unseen:
            gap = unseen.gap
    return groups, gap


def _judge_event(events: tuple[Json, ...], seen: Seen) -> Verdict:
    groups, gap = log_groups(seen)
    own = [group for group in groups if group.account_id == seen.account_id]
    verdicts = []
    for group in own:
        try:
            verdicts.append(_judge_group(group, events, seen))
        except Unseen as unseen:
            gap = unseen.gap
    for verdict in verdicts:
        if verdict.outcome == "PASS":
            return verdict
    if gap is not None:
        raise Unseen(gap)
    if verdicts:
        return verdicts[0]
    if groups:
        return unknown(
            f"the trail's log group belongs to account {groups[0].account_id}, whose alarms are not seen here"
        )
    return failed("no trail of all regions delivers to CloudWatch Logs, so no alarm can follow")


def _judge_group(group: LogGroup, events: tuple[Json, ...], seen: Seen) -> Verdict:
    alarmed = _alarmed_metrics(seen, group.region)
    silent, unread, names = set(), 0, []
    pending = list(events)
    for row in _filters(group, seen):
        try:
            match = matcher(row.get("filterPattern") or "")
            caught = [] if match(_HARMLESS) else [event for event in pending if match(event)]
        except ValueError:
            unread += 1
            continue
        if caught and not (alarms := _alarms_of(row, alarmed)):
            silent.add(row.get("filterName", ""))
        elif caught:
            names += alarms
            pending = [event for event in pending if event not in caught]
    return _word(group, names, sorted({_label(event) for event in pending}), sorted(silent), unread)


def _label(event: Json) -> str:
    """An event in a few words: what was called, who is special about it, what came of it."""
    who = " by root" if event["userIdentity"]["type"] == "Root" else ""
    came = event.get("errorCode") or event.get("errorMessage")
    return f"{event['eventName']}{who}" + (f" with {came}" if came else "")


def _word(group: LogGroup, names: list[str], missed: list[str], silent: list[str], unread: int) -> Verdict:
    if not missed:
        return passed(f"log group {group.name} raises {', '.join(sorted(set(names)))}")
    if unread:
        return unknown(
            f"metric filters of {group.name} that could not be read: {unread}; no other catches {', '.join(missed)}"
        )
    if silent:
        return failed(
            f"metric filter {', '.join(silent)} catches {', '.join(missed)}, but no alarm with an action watches it"
        )
    return failed(f"no metric filter of {group.name} catches {', '.join(missed)}")


def _filters(group: LogGroup, seen: Seen) -> Iterator[Json]:
    for row in seen.in_region("logs", group.region).items("DescribeMetricFilters", "metricFilters"):
        if row.get("logGroupName") == group.name:
            yield row


def _alarms_of(row: Json, alarmed: dict[tuple[str, str], list[str]]) -> list[str]:
    metrics = row.get("metricTransformations") or ()
    return [
        name
        for one in metrics
        for name in alarmed.get((one.get("metricNamespace"), one.get("metricName")), ())
    ]


def _alarmed_metrics(seen: Seen, region: str) -> dict[tuple[str, str], list[str]]:
    """Alarms that act, by the metric that they watch. Raises Unseen."""
    answers = seen.in_region("cloudwatch", region)
    above = _composites(answers)
    found: dict[tuple[str, str], list[str]] = {}
    for row in answers.items("DescribeAlarms", "MetricAlarms"):
        name = row.get("AlarmName", "")
        if acts(row) or name in above:
            for metric in _metrics(row):
                found.setdefault(metric, []).append(name)
    return found


def _metrics(alarm: Json) -> Iterator[tuple[str, str]]:
    """What an alarm watches: one metric, or those of a metric expression."""
    stats = [one.get("MetricStat", {}).get("Metric", {}) for one in alarm.get("Metrics") or ()]
    for one in [alarm, *stats]:
        if one.get("MetricName"):
            yield one.get("Namespace", ""), one["MetricName"]


def acts(alarm: Json) -> bool:
    """Whether an alarm does something when it goes off."""
    return bool(alarm.get("ActionsEnabled") and alarm.get("AlarmActions"))


def alarms(seen: Seen) -> Iterator[Resource]:
    """The region's metric and composite alarms, with `AboveIt`: composite alarms that include one and act."""
    answers = seen["cloudwatch"]
    above = _composites(answers)
    for field in ("MetricAlarms", "CompositeAlarms"):
        for row in answers.items("DescribeAlarms", field):
            name = row.get("AlarmName", "")
            arn = (
                row.get("AlarmArn")
                or f"arn:{seen.partition}:cloudwatch:{seen.region}:{seen.account_id}:alarm:{name}"
            )
            yield Resource(arn, name, "alarm", seen.region, {**row, "AboveIt": above.get(name, [])})


def _composites(answers: Answers) -> dict[str, list[str]]:
    """Composite alarms that act, by the names of the alarms whose state they look at."""
    found: dict[str, list[str]] = {}
    for row in answers.items("DescribeAlarms", "CompositeAlarms"):
        if acts(row):
            for named in _IN_ALARM.findall(row.get("AlarmRule", "")):
                found.setdefault(named.rpartition(":alarm:")[2], []).append(row.get("AlarmName", ""))
    return found


def alarm_check(
    *, title: str, rationale: str, supports: tuple[str, ...], event: SecurityEvent, severity: Severity
) -> Check:
    """A check that an event raises an alarm."""
    return Check(
        title=title,
        severity=severity,
        collectors=("cloudwatch", "logs", "cloudtrail"),
        supports=supports,
        rationale=rationale,
        expected="A metric filter on the log group of a trail of all regions matches the event, and an alarm on its metric has an enabled action.",
        fix=_fix(event.pattern, event.name),
        resources=iam.account,
        judge=lambda _account, seen: _judge_event(event.records, seen),
        per=Per.ACCOUNT,
        passing=(
            _example(
                event.pattern,
                {"ActionsEnabled": True, "AlarmActions": ["arn:aws:sns:us-east-1:111122223333:security"]},
            ),
        ),
        failing=(
            _example(event.pattern, {"ActionsEnabled": False, "AlarmActions": []}),
            _example("{ $.eventName = Other }", {}),
        ),
    )


def _fix(pattern: str, name: str) -> Fix:
    return Fix(
        console="CloudWatch, Log groups, the trail's group, Metric filters, Create: enter the pattern and a metric; then create an alarm on that metric (Sum, 5 minutes, at least 1) that notifies an SNS topic somebody reads.",
        cli=(
            f"aws logs put-metric-filter --log-group-name LOG_GROUP --filter-name {name} --filter-pattern '{pattern}' "
            f"--metric-transformations metricName={name},metricNamespace=CloudTrailMetrics,metricValue=1 && "
            f"aws cloudwatch put-metric-alarm --alarm-name {name} --metric-name {name} --namespace CloudTrailMetrics "
            "--statistic Sum --period 300 --evaluation-periods 1 --threshold 1 "
            "--comparison-operator GreaterThanOrEqualToThreshold --alarm-actions SNS_TOPIC_ARN"
        ),
        terraform='resource "aws_cloudwatch_log_metric_filter" and resource "aws_cloudwatch_metric_alarm" with alarm_actions = [aws_sns_topic.security.arn]',
    )


def _example(pattern: str, alarm: Json) -> dict[str, Any]:
    arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
    group = "arn:aws:logs:us-east-1:111122223333:log-group:trail:*"
    row = {"TrailARN": arn, "Name": "main", "HomeRegion": "us-east-1", "IsMultiRegionTrail": True}
    metric = {"metricName": "Watched", "metricNamespace": "Trail"}
    filters = [
        {
            "filterName": "watch",
            "logGroupName": "trail",
            "filterPattern": pattern,
            "metricTransformations": [metric],
        }
    ]
    return {
        "cloudtrail": {
            "DescribeTrails": {"": {"trailList": [{**row, "CloudWatchLogsLogGroupArn": group}]}},
            "GetTrailStatus": {arn: {"IsLogging": True}},
        },
        "logs": {"DescribeMetricFilters": {"": {"metricFilters": filters}}},
        "cloudwatch": {
            "DescribeAlarms": {
                "": {
                    "MetricAlarms": [
                        {"AlarmName": "watch", "MetricName": "Watched", "Namespace": "Trail", **alarm}
                    ]
                }
            }
        },
    }
