"""Findings for people: grouped by check, listed within one, and one in full with the evidence behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet

from accounts.errors import NotFound
from assessments.checks.base import Check, Severity, checks
from assessments.models import Finding, FindingPeriod
from assessments.submitted.reading import (
    ToolCheck,
    find_tool_check,
    of_source,
    said_by_tools,
    supporting,
    tool_checks,
)
from evidence import ledger
from evidence.keyset import Page, page_by_time
from evidence.models import CollectionUnit
from evidence.types import GLOBAL

COUNT_OF = {"FAIL": "failed", "UNKNOWN": "unknown", "PASS": "passed", "NOT_APPLICABLE": "not_applicable"}
"""The count of a group by outcome: the outcome that says most first."""


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """What findings are narrowed to; "" or None leaves a field open. `text` is sought in titles and ARNs.

    `source`: a tool's name, or "surety" for our own checks.
    """

    outcome: str = ""
    severity: str = ""
    service: str = ""
    region: str = ""
    connection: UUID | None = None
    citation: str = ""
    source: str = ""
    text: str = ""

    def apply(self, rows: QuerySet[Finding]) -> QuerySet[Finding]:
        """The rows that are in the filter, whatever their outcome."""
        given = {"severity": self.severity, "region": self.region, "connection": self.connection}
        rows = rows.filter(**{name: value for name, value in given.items() if value})
        rows = of_source(rows, self.source) if self.source else rows
        rows = supporting(rows, [self.citation]) if self.citation else rows
        if self.service:
            serving = [check.id for check in checks().values() if check.service == self.service]
            rows = rows.filter(check_id__in=serving)
        text = self.text.strip()
        return rows.filter(_has_words(text)) if text else rows


def _has_words(text: str) -> Q:
    words = text.lower()
    titled = [check.id for check in checks().values() if words in f"{check.id} {check.title}".lower()]
    return (
        Q(check_id__in=titled)
        | Q(resource_arn__icontains=text)
        | (Q(stream__isnull=False) & (Q(check_id__icontains=text) | Q(said_by_tools(title__icontains=text))))
    )


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """One check over its resources. `since`: when the oldest failure that still stands began.

    `tool_check`: the check of another tool; None, as `check`, for one that this version no longer has.
    """

    check_id: str
    check: Check | None
    tool_check: ToolCheck | None
    severity: Severity
    failed: int
    unknown: int
    passed: int
    not_applicable: int
    since: datetime | None

    @property
    def title(self) -> str:
        """The check's title, or its id."""
        known = self.check or self.tool_check
        return known.title if known else self.check_id

    @property
    def judged(self) -> int:
        """The resources that the expectation concerns."""
        return self.failed + self.unknown + self.passed

    @property
    def look(self) -> str:
        """The outcome that says most."""
        return next(outcome for outcome, name in COUNT_OF.items() if getattr(self, name))

    @property
    def words(self) -> str:
        """The counts as a sentence, for who can't see the bar."""
        return f"{self.failed:,} fail, {self.unknown:,} not seen, {self.passed:,} pass"


def current() -> QuerySet[Finding]:
    """The findings whose resource is still there."""
    rows: QuerySet[Finding] = Finding.objects.filter(gone_at=None)
    return rows


def list_groups(wanted: FindingFilter) -> list[FindingGroup]:
    """The checks that have a finding in the filter: failing first, then by severity, then by resources."""
    rows = wanted.apply(current()).values("check_id", "severity")
    counts: dict[str, Any] = {
        name: Count("pk", filter=Q(outcome=outcome)) for outcome, name in COUNT_OF.items()
    }
    found = list(rows.annotate(**counts, since=Min("since", filter=Q(outcome="FAIL"))))
    tools = tool_checks(row["check_id"] for row in found)
    groups = _summed(_group(dict(row), tools.get(row["check_id"])) for row in found)
    if wanted.outcome:
        groups = [group for group in groups if getattr(group, COUNT_OF[wanted.outcome])]
    return sorted(groups, key=_weight)


def _weight(group: FindingGroup) -> tuple[int, int, int, int, str]:
    looks = list(COUNT_OF)
    return looks.index(group.look), group.severity.rank, -group.failed, -group.unknown, group.title


def _group(row: dict[str, Any], tool_check: ToolCheck | None) -> FindingGroup:
    known = {"check": checks().get(row["check_id"]), "tool_check": tool_check}
    return FindingGroup(**{**row, **known, "severity": Severity(row["severity"])})


def _summed(groups: Iterable[FindingGroup]) -> list[FindingGroup]:
    """One group for each check: another tool may give each finding a severity of its own, and the worst is shown."""
    found: dict[str, FindingGroup] = {}
    for group in groups:
        before = found.get(group.check_id)
        found[group.check_id] = group if before is None else _added(before, group)
    return list(found.values())


def _added(one: FindingGroup, other: FindingGroup) -> FindingGroup:
    times = [group.since for group in (one, other) if group.since]
    return replace(
        one,
        severity=min(one.severity, other.severity, key=lambda severity: severity.rank),
        since=min(times, default=None),
        **{name: getattr(one, name) + getattr(other, name) for name in COUNT_OF.values()},
    )


@dataclass(frozen=True, slots=True)
class CheckDetail:
    """A check with a page of its findings. `counts`: findings by outcome, what says most first."""

    check: Check | ToolCheck
    counts: tuple[tuple[str, int], ...]
    outcome: str
    page: Page


def read_check(check_id: str, wanted: FindingFilter, after: str) -> CheckDetail:
    """The check and its findings of one outcome: the one asked for, else the one that says most.

    Raises NotFound for a check that there isn't.
    """
    check = checks().get(check_id)
    if check is None:
        raise NotFound("There is no such check.")
    return _detail(check, wanted, after)


def read_tool_check(row_id: UUID, wanted: FindingFilter, after: str) -> CheckDetail:
    """The same of a check of another tool. Raises NotFound."""
    return _detail(find_tool_check(row_id), wanted, after)


def _detail(check: Check | ToolCheck, wanted: FindingFilter, after: str) -> CheckDetail:
    rows = wanted.apply(current().filter(check_id=check.id))
    found = dict(rows.values_list("outcome").annotate(n=Count("pk")))
    counts = tuple((outcome, found[outcome]) for outcome in COUNT_OF if outcome in found)
    outcome = wanted.outcome or (counts[0][0] if counts else "")
    page = page_by_time(rows.filter(outcome=outcome).select_related("connection", "stream"), "since", after)
    return CheckDetail(check, counts, outcome, page)


@dataclass(frozen=True, slots=True)
class FindingDetail:
    """A finding in full: its evidence and its periods. `check` is None where this version has none.

    `tool_check`: the check of the tool whose document said it.
    """

    finding: Finding
    check: Check | None
    tool_check: ToolCheck | None
    units: tuple[CollectionUnit, ...]
    periods: tuple[FindingPeriod, ...]

    @property
    def title(self) -> str:
        """The check's title, or its id."""
        known = self.check or self.tool_check
        return known.title if known else self.finding.check_id


def read_finding(finding_id: UUID) -> FindingDetail:
    """One finding. Raises NotFound."""
    rows = Finding.objects.select_related("connection", "stream", "submission")
    finding = rows.filter(pk=finding_id).first()
    if finding is None:
        raise NotFound("There is no such finding.")
    check = checks().get(finding.check_id)
    units = _units_behind(finding, check.collectors) if check else []
    tool_check = tool_checks([finding.check_id]).get(finding.check_id)
    periods = tuple(finding.periods.select_related("submission").order_by("-valid_from")[:50])
    return FindingDetail(finding, check, tool_check, tuple(units), periods)


def _units_behind(finding: Finding, collectors: Iterable[str]) -> list[CollectionUnit]:
    """A finding of the account may rest on every region; one of a region on that and on what is global."""
    units = ledger.latest_units(collectors, finding.connection_id)
    if finding.scope == GLOBAL:
        return units
    return [unit for unit in units if unit.region in {finding.scope, GLOBAL}]
