"""What an engagement's pages show: the posture in scope as of the end of the period, its evidence and findings.

Statuses are derived anew from the findings in scope, since the tenant's own say something of every account and of now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery

from accounts.errors import NotFound
from assessments.checks.base import Check, checks
from assessments.engagements import documents, scope
from assessments.engagements.deriving import derive_scope
from assessments.models import Engagement, Finding, FindingPeriod
from assessments.posture import CheckTally, SafeguardState, worst_first
from assessments.rule.model import SECURITY_RULE, Family, children
from assessments.status import Derived
from assessments.submitted.reading import ToolCheck
from evidence.keyset import Page, page_by_time
from evidence.models import CollectionUnit, Snapshot, Submission

PERIODS_SHOWN = 100


def read_states(engagement: Engagement) -> list[SafeguardState]:
    """The safeguards in scope with their status as of the end of the period, in the order of the Rule."""
    by_id = {check.id: check for check in scope.checks_of(engagement)}
    tools = scope.tools_of(engagement)
    derived = derive_scope(engagement, tools)
    return [_state(derived[safeguard.citation], by_id, tools) for safeguard in scope.safeguards(engagement)]


def _state(derived: Derived, by_id: Mapping[str, Check], tools: Mapping[str, ToolCheck]) -> SafeguardState:
    tallies = (
        CheckTally(tally, by_id.get(tally.check_id), tools.get(tally.check_id)) for tally in derived.tallies
    )
    return SafeguardState(
        SECURITY_RULE[derived.citation], derived.status, derived.why, tuple(worst_first(tallies)), derived.needs,
        derived.decided, derived.total, None,
    )  # fmt: skip


def by_family(states: Iterable[SafeguardState]) -> list[tuple[Family, list[SafeguardState]]]:
    """Safeguards by section of the Rule; sections without any are left out."""
    found = list(states)
    groups = ((family, [state for state in found if state.safeguard.family is family]) for family in Family)
    return [(family, group) for family, group in groups if group]


@dataclass(frozen=True, slots=True)
class ScopedSafeguard:
    """A safeguard as its engagement shows it."""

    state: SafeguardState
    specifications: tuple[SafeguardState, ...]
    snapshots: tuple[Snapshot, ...]
    more_snapshots: bool
    documents: tuple[Submission, ...]


SNAPSHOTS_SHOWN = 25


def read_safeguard(engagement: Engagement, citation: str) -> ScopedSafeguard:
    """One safeguard of the scope. Raises NotFound."""
    scope.find_safeguard(engagement, citation)
    states = {state.safeguard.citation: state for state in read_states(engagement)}
    newest = list(
        _with_sighting(engagement, citation).order_by("-collected_at", "-id")[: SNAPSHOTS_SHOWN + 1]
    )
    return ScopedSafeguard(
        states[citation],
        tuple(states[child.citation] for child in children(citation)),
        tuple(newest[:SNAPSHOTS_SHOWN]),
        len(newest) > SNAPSHOTS_SHOWN,
        tuple(documents.submissions(engagement, citation).order_by("-received_at", "-id")[:SNAPSHOTS_SHOWN]),
    )


def list_snapshots(
    engagement: Engagement, *, citation: str = "", collector: str = "", after: str = ""
) -> Page:
    """The evidence in scope, newest first, each with `last_seen_at` in the period."""
    rows = _with_sighting(engagement, citation)
    return page_by_time(rows.filter(collector=collector) if collector else rows, "collected_at", after)


def _with_sighting(engagement: Engagement, citation: str) -> QuerySet[Snapshot]:
    seen = _sightings(engagement).filter(snapshot=OuterRef("pk")).order_by("-collected_at")
    return (
        scope.snapshots(engagement, citation)
        .select_related("connection", "blob")
        .annotate(last_seen_at=Subquery(seen.values("collected_at")[:1]))
    )


def _sightings(engagement: Engagement) -> QuerySet[CollectionUnit]:
    rows: QuerySet[CollectionUnit] = CollectionUnit.objects.filter(
        collected_at__gte=engagement.starts, collected_at__lt=engagement.ends
    )
    return rows


def sightings(engagement: Engagement, snapshot: Snapshot) -> list[datetime]:
    """When the snapshot's answer was seen in the period, newest first, 50 at most."""
    units = _sightings(engagement).filter(snapshot=snapshot).order_by("-collected_at")
    return [at for at in units.values_list("collected_at", flat=True)[:50] if at]


@dataclass(frozen=True, slots=True)
class ScopedCheck:
    """A check, ours or another tool's, with what it said of each resource as of the end of the period.

    `counts` are of all outcomes.
    """

    check: Check | ToolCheck
    citations: tuple[str, ...]
    counts: tuple[tuple[str, int], ...]
    outcome: str
    page: Page


def read_check(engagement: Engagement, check_id: str, outcome: str, after: str) -> ScopedCheck:
    """A check in scope, with the resources of one outcome: the one asked for, else the gravest. Raises NotFound."""
    check = next((each for each in scope.checks_of(engagement) if each.id == check_id), None)
    if check is None:
        raise NotFound(scope.NOTHING)
    return _scoped_check(engagement, check, outcome, after)


def read_tool_check(engagement: Engagement, page_id: UUID, outcome: str, after: str) -> ScopedCheck:
    """The same of another tool's check, by its ToolCheck.page_id. Raises NotFound."""
    check = next((each for each in scope.tools_of(engagement).values() if each.page_id == page_id), None)
    if check is None:
        raise NotFound(scope.NOTHING)
    return _scoped_check(engagement, check, outcome, after)


def _scoped_check(engagement: Engagement, check: Check | ToolCheck, outcome: str, after: str) -> ScopedCheck:
    rows = scope.standing_periods(engagement).filter(finding__check_id=check.id)
    found = dict(rows.values_list("outcome").annotate(n=Count("pk")))
    counts = tuple(
        (name, found[name]) for name in ("FAIL", "UNKNOWN", "PASS", "NOT_APPLICABLE") if name in found
    )
    wanted = outcome if outcome in found else counts[0][0] if counts else ""
    page = page_by_time(
        rows.filter(outcome=wanted).select_related("finding__connection"), "valid_from", after
    )
    named = scope.citations(engagement)
    return ScopedCheck(check, tuple(c for c in check.supports if c in named), counts, wanted, page)


@dataclass(frozen=True, slots=True)
class ScopedPeriod:
    """What a finding said, cut to the engagement's period. `ends_at` is None where it still held at the end.

    `document` said so, where another tool's does and it is in scope.
    """

    outcome: str
    observed: str
    begins_at: datetime
    ends_at: datetime | None
    document: Submission | None


@dataclass(frozen=True, slots=True)
class ScopedFinding:
    """A finding as the period shows it."""

    finding: Finding
    check: Check | ToolCheck
    title: str
    periods: tuple[ScopedPeriod, ...]


def read_finding(engagement: Engagement, finding_id: UUID) -> ScopedFinding:
    """A finding in scope. Raises NotFound."""
    finding = scope.findings(engagement).select_related("connection").filter(pk=finding_id).first()
    if finding is None:
        raise NotFound(scope.NOTHING)
    rows = list(
        scope.finding_periods(engagement).filter(finding=finding).order_by("-valid_from")[:PERIODS_SHOWN]
    )
    known = checks().get(finding.check_id) or scope.tools_of(engagement)[finding.check_id]
    said_by = documents.submissions(engagement).in_bulk(
        [row.submission_id for row in rows if row.submission_id]
    )
    return ScopedFinding(finding, known, known.title, tuple(_cut(engagement, row, said_by) for row in rows))


def _cut(
    engagement: Engagement, row: FindingPeriod, said_by: Mapping[UUID | None, Submission]
) -> ScopedPeriod:
    at = scope.as_of(engagement)
    ended = row.valid_to if row.valid_to and row.valid_to < at else None
    begins, document = max(row.valid_from, engagement.starts), said_by.get(row.submission_id)
    return ScopedPeriod(row.outcome, row.observed, begins, ended, document)
