"""What an engagement's pages show: the posture in scope as of the end of the period, its evidence and findings.

Statuses are derived anew from the findings in scope, since the tenant's own say something of every account and of now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery

from accounts.errors import NotFound
from assessments.checks.base import Check
from assessments.engagements import scope
from assessments.models import Engagement, Finding, FindingPeriod
from assessments.posture import CheckTally, SafeguardState, title_of, worst_first
from assessments.rule.model import SECURITY_RULE, Family, children
from assessments.status import Derived, Tally, derive_statuses
from assessments.statuses import citations_by_check, tally_of
from evidence.keyset import Page, page_by_time
from evidence.models import CollectionUnit, Snapshot

PERIODS_SHOWN = 100


def read_states(engagement: Engagement) -> list[SafeguardState]:
    """The safeguards in scope with their status as of the end of the period, in the order of the Rule."""
    by_id = {check.id: check for check in scope.checks_of(engagement)}
    derived = derive_statuses(_tallies(engagement), citations_by_check())
    return [_state(derived[safeguard.citation], by_id) for safeguard in scope.safeguards(engagement)]


def _tallies(engagement: Engagement) -> list[Tally]:
    rows = scope.standing_periods(engagement).values_list("finding__check_id", "outcome")
    counts: dict[str, Counter[str]] = {}
    for check_id, outcome, number in rows.annotate(number=Count("pk")):
        counts.setdefault(check_id, Counter())[outcome] = number
    return [tally_of(check_id, found) for check_id, found in counts.items()]


def _state(derived: Derived, by_id: dict[str, Check]) -> SafeguardState:
    tallies = (CheckTally(tally, by_id.get(tally.check_id)) for tally in derived.tallies)
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
    """A check with what it said of each resource as of the end of the period. `counts` are of all outcomes."""

    check: Check
    citations: tuple[str, ...]
    counts: tuple[tuple[str, int], ...]
    outcome: str
    page: Page


def read_check(engagement: Engagement, check_id: str, outcome: str, after: str) -> ScopedCheck:
    """A check in scope, with the resources of one outcome: the one asked for, else the gravest. Raises NotFound."""
    check = next((each for each in scope.checks_of(engagement) if each.id == check_id), None)
    if check is None:
        raise NotFound(scope.NOTHING)
    rows = scope.standing_periods(engagement).filter(finding__check_id=check_id)
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
    """What a finding said, cut to the engagement's period. `ends_at` is None where it still held at the end."""

    outcome: str
    observed: str
    begins_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class ScopedFinding:
    """A finding as the period shows it."""

    finding: Finding
    check: Check
    title: str
    periods: tuple[ScopedPeriod, ...]


def read_finding(engagement: Engagement, finding_id: UUID) -> ScopedFinding:
    """A finding in scope. Raises NotFound."""
    finding = scope.findings(engagement).select_related("connection").filter(pk=finding_id).first()
    if finding is None:
        raise NotFound(scope.NOTHING)
    rows = scope.finding_periods(engagement).filter(finding=finding).order_by("-valid_from")[:PERIODS_SHOWN]
    check = next(each for each in scope.checks_of(engagement) if each.id == finding.check_id)
    return ScopedFinding(
        finding, check, title_of(finding.check_id), tuple(_cut(engagement, row) for row in rows)
    )


def _cut(engagement: Engagement, row: FindingPeriod) -> ScopedPeriod:
    at = scope.as_of(engagement)
    ended = row.valid_to if row.valid_to and row.valid_to < at else None
    return ScopedPeriod(row.outcome, row.observed, max(row.valid_from, engagement.starts), ended)
