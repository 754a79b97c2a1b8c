"""Log groups of CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Iterator

from assessments.checks.base import Resource
from evidence.types import Seen


def groups(seen: Seen) -> Iterator[Resource]:
    """The log groups of the view's region, by the ARN without the `:*` that older answers end with."""
    for row in seen["logs"].items("DescribeLogGroups", "logGroups"):
        name = row["logGroupName"]
        built = f"arn:{seen.partition}:logs:{seen.region}:{seen.account_id}:log-group:{name}"
        arn = row.get("logGroupArn") or row.get("arn") or built
        yield Resource(arn.removesuffix(":*"), name, "log group", seen.region, row)
