"""Log groups and the filters that watch them. Log entries are never read."""

from __future__ import annotations

from evidence.collectors.base import Action, Collector, Reader, Scope

_LARGEST_PAGE = 50


def collect(aws: Reader) -> None:
    aws.list("DescribeLogGroups", "logGroups", limit=_LARGEST_PAGE)
    aws.list("DescribeMetricFilters", "metricFilters", limit=_LARGEST_PAGE)


COLLECTOR = Collector(
    title="CloudWatch Logs",
    service="logs",
    scope=Scope.REGIONAL,
    version=1,
    actions=(
        Action(
            "logs:DescribeLogGroups",
            "DescribeLogGroups",
            "Shows how long logs are kept and whether they are encrypted; never what they say.",
        ),
        Action(
            "logs:DescribeMetricFilters",
            "DescribeMetricFilters",
            "Shows which events in the logs are watched for.",
        ),
    ),
    collect=collect,
)
