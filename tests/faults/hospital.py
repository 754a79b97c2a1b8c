"""The demonstration hospital, read by the collectors and evaluated by the checks without a database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from assessments.checks.base import Outcome, Result, checks
from assessments.checks.engine import evaluate
from evidence.aws.errors import AwsCallFailed
from evidence.aws.reader import collect_unit
from evidence.aws.session import AwsSession, Limits, RoleAccess
from evidence.collectors.base import Scope, collectors
from evidence.types import GLOBAL, Answers, Gap, Seen
from portal.demo.aws import AwsStandIn
from portal.demo.hospital import MERCY_LAKES_ACCOUNT_ID, REGIONS

ACCOUNT = MERCY_LAKES_ACCOUNT_ID
AT = datetime.now(UTC)

Place = tuple[str, str]
Subject = tuple[str, str, str]


@dataclass(frozen=True)
class Unit:
    """What one collector brought home in one region: what checks read, and what a unit's page shows."""

    answers: Answers
    gaps: tuple[Gap, ...]


@dataclass
class Hospital:
    """Collected once without faults; `collect` reads parts of it again."""

    aws: AwsStandIn
    access: RoleAccess
    pool: ThreadPoolExecutor

    def session(self, max_attempts: int = 1) -> AwsSession:
        return AwsSession(self.access, Limits(concurrency=8, max_attempts=max_attempts))

    @cached_property
    def ready_session(self) -> AwsSession:
        """One whose clients are built and whose account is known."""
        return self.session()

    @cached_property
    def baseline(self) -> Mapping[Place, Unit]:
        return {(name, region): self.collect(name, region, self.ready_session) for name, region in places()}

    @cached_property
    def expected(self) -> Mapping[Subject, Result]:
        return self.judge({})

    def collect(self, name: str, region: str, session: AwsSession) -> Unit:
        """As the unit's service does it: an account that can't be entered is a gap of the whole unit."""
        try:
            found = collect_unit(session, collectors()[name], region, pool=self.pool)
        except AwsCallFailed as error:
            return Unit(Answers(name, region, {}, {("*", ""): error.gap}), (error.gap,))
        return Unit(Answers.from_payload(found.payload), found.gaps)

    def judge(self, changed: Mapping[Place, Unit]) -> Mapping[Subject, Result]:
        units = {**self.baseline, **changed}
        seen = Seen(ACCOUNT, "aws", "", AT, {place: unit.answers for place, unit in units.items()})
        results = evaluate(checks().values(), seen, REGIONS)
        return {(result.check_id, result.scope, result.arn): result for result in results}

    def unsound(self, changed: Mapping[Place, Unit]) -> list[str]:
        """What the checks say differently of the hospital without saying that they don't know."""
        found = self.judge(changed)
        return [*differing(self.expected, found), *vanished(self.expected, found)]


def places() -> Iterable[Place]:
    for name, collector in collectors().items():
        for region in [GLOBAL] if collector.scope is Scope.GLOBAL else REGIONS:
            yield name, region


def differing(expected: Mapping[Subject, Result], found: Mapping[Subject, Result]) -> list[str]:
    return [
        f"{subject}: {expected[subject].outcome if subject in expected else 'new'} -> {result.outcome} ({result.observed})"
        for subject, result in found.items()
        if result.outcome is not Outcome.UNKNOWN and _said(expected.get(subject)) != _said(result)
    ]


def _said(result: Result | None) -> tuple[str, str] | None:
    """Without times of day: the hospital's trails go on delivering."""
    return (result.outcome, re.sub(r"\d{4}-\d\d-\d\dT[\d:]+", "then", result.observed)) if result else None


def vanished(expected: Mapping[Subject, Result], found: Mapping[Subject, Result]) -> list[str]:
    """Resources that are gone from a check's scope without an UNKNOWN for what they were listed in."""
    unlisted = {
        (result.check_id, result.scope) for result in found.values() if not result.kind and result.gap
    }
    return [
        f"{subject} is gone" for subject in expected if subject not in found and subject[:2] not in unlisted
    ]
