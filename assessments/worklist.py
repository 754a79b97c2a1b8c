"""Findings for people: grouped by check, listed within one, and one in full with the evidence behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet

from accounts.errors import NotFound
from assessments.checks.base import Check, Severity, checks
from assessments.models import Finding, FindingPeriod
from assessments.posture import title_of
from evidence import ledger
from evidence.keyset import Page, page_by_time
from evidence.models import CollectionUnit
from evidence.types import GLOBAL

COUNT_OF = {"FAIL": "failed", "UNKNOWN": "unknown", "PASS": "passed", "NOT_APPLICABLE": "not_applicable"}
"""The count of a group by outcome: the outcome that says most first."""


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """What findings are narrowed to; "" or None leaves a field open. `text` is sought in titles and ARNs."""

    outcome: str = ""
    severity: str = ""
    service: str = ""
    region: str = ""
    connection: UUID | None = None
    citation: str = ""
    text: str = ""

    def apply(self, rows: QuerySet[Finding]) -> QuerySet[Finding]:
        """The rows that are in the filter, whatever their outcome."""
        given = {"severity": self.severity, "region": self.region, "connection": self.connection}
        rows = rows.filter(**{name: value for name, value in given.items() if value})
        if self.service or self.citation:
            rows = rows.filter(
                check_id__in=[check.id for check in checks().values() if self._concerns(check)]
            )
        text = self.text.strip()
        if text:
            words = text.lower()
            titled = [check.id for check in checks().values() if words in f"{check.id} {check.title}".lower()]
            rows = rows.filter(Q(check_id__in=titled) | Q(resource_arn__icontains=text))
        return rows

    def _concerns(self, check: Check) -> bool:
        served = not self.service or check.service == self.service
        return served and (not self.citation or self.citation in check.supports)


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """One check over its resources. `since`: when the oldest failure that still stands began."""

    check_id: str
    check: Check | None
    severity: Severity
    failed: int
    unknown: int
    passed: int
    not_applicable: int
    since: datetime | None

    @property
    def title(self) -> str:
        """The check's title, or its id."""
        return self.check.title if self.check else self.check_id

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
    groups = [
        _group(dict(row)) for row in rows.annotate(**counts, since=Min("since", filter=Q(outcome="FAIL")))
    ]
    if wanted.outcome:
        groups = [group for group in groups if getattr(group, COUNT_OF[wanted.outcome])]
    return sorted(groups, key=_weight)


def _weight(group: FindingGroup) -> tuple[int, int, int, int, str]:
    looks = list(COUNT_OF)
    return looks.index(group.look), group.severity.rank, -group.failed, -group.unknown, group.title


def _group(row: dict[str, Any]) -> FindingGroup:
    return FindingGroup(
        **{**row, "check": checks().get(row["check_id"]), "severity": Severity(row["severity"])}
    )


@dataclass(frozen=True, slots=True)
class CheckDetail:
    """A check with a page of its findings. `counts`: findings by outcome, what says most first."""

    check: Check
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
    rows = wanted.apply(current().filter(check_id=check_id))
    found = dict(rows.values_list("outcome").annotate(n=Count("pk")))
    counts = tuple((outcome, found[outcome]) for outcome in COUNT_OF if outcome in found)
    outcome = wanted.outcome or (counts[0][0] if counts else "")
    page = page_by_time(rows.filter(outcome=outcome).select_related("connection"), "since", after)
    return CheckDetail(check, counts, outcome, page)


@dataclass(frozen=True, slots=True)
class FindingDetail:
    """A finding in full: its evidence and its periods. `check` is None where this version has none."""

    finding: Finding
    check: Check | None
    title: str
    units: tuple[CollectionUnit, ...]
    periods: tuple[FindingPeriod, ...]


def read_finding(finding_id: UUID) -> FindingDetail:
    """One finding. Raises NotFound."""
    finding = Finding.objects.select_related("connection").filter(pk=finding_id).first()
    if finding is None:
        raise NotFound("There is no such finding.")
    check = checks().get(finding.check_id)
    units = _units_behind(finding, check.collectors if check else ())
    periods = tuple(finding.periods.order_by("-valid_from")[:50])
    return FindingDetail(finding, check, title_of(finding.check_id), tuple(units), periods)


def _units_behind(finding: Finding, collectors: Iterable[str]) -> list[CollectionUnit]:
    """A finding of the account may rest on every region; one of a region on that and on what is global."""
    units = ledger.latest_units(collectors, finding.connection_id)
    if finding.scope == GLOBAL:
        return units
    return [unit for unit in units if unit.region in {finding.scope, GLOBAL}]
