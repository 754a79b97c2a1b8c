"""Runs checks over what was seen of one account. Pure: no database, no AWS, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assessments.checks.base import Check, Outcome, Per, Resource, Result
from evidence.types import GLOBAL, Gap, Seen, Unseen


def evaluate(checks: Iterable[Check], seen: Seen, regions: Iterable[str]) -> Iterator[Result]:
    """The results of all checks in all regions, one per resource.

    A listing that was not seen gives one UNKNOWN for the region (or the account), never silence.
    """
    views = [seen.from_region(region) for region in sorted(regions)]
    account = seen.from_region(GLOBAL)
    for check in checks:
        for view in [account] if check.per is Per.ACCOUNT else views:
            yield from _evaluate_one(check, view)


def _evaluate_one(check: Check, seen: Seen) -> Iterator[Result]:
    try:
        resources = list(check.resources(seen))
    except Unseen as unseen:
        yield _unlisted(check, seen, unseen.gap)
        return
    judge = check.judge
    for resource in resources:
        try:
            outcome, observed = judge(resource, seen)
            gap = None
        except Unseen as unseen:
            outcome, observed, gap = Outcome.UNKNOWN, f"not seen: {unseen.gap}", unseen.gap
        yield _result(check, resource, seen, outcome, observed, gap)


def _result(
    check: Check, resource: Resource, seen: Seen, outcome: Outcome, observed: str, gap: Gap | None
) -> Result:
    arn, name, kind, region, _data = resource
    return Result(check.id, outcome, observed, arn, name, kind, region, seen.region, gap)


def _unlisted(check: Check, seen: Seen, gap: Gap) -> Result:
    arn = f"arn:{seen.partition}:{check.service}:{'' if seen.region == GLOBAL else seen.region}:{seen.account_id}:*"
    name = f"{check.service} in {seen.region}"
    return Result(check.id, Outcome.UNKNOWN, f"not seen: {gap}", arn, name, "", seen.region, seen.region, gap)
