"""Alarms: what raises one, and whom it tells."""

from __future__ import annotations

from evidence.collectors.base import Action, Collector, Reader, Scope

_LARGEST_PAGE = 100


def collect(aws: Reader) -> None:
    # Without the types AWS lists metric alarms alone, and says nothing of the others.
    aws.list(
        "DescribeAlarms",
        "MetricAlarms",
        AlarmTypes=["MetricAlarm", "CompositeAlarm"],
        MaxRecords=_LARGEST_PAGE,
    )


COLLECTOR = Collector(
    title="CloudWatch alarms",
    service="cloudwatch",
    scope=Scope.REGIONAL,
    version=1,
    actions=(
        Action(
            "cloudwatch:DescribeAlarms",
            "DescribeAlarms",
            "Shows which events raise an alarm and whom it reaches.",
        ),
    ),
    collect=collect,
)
