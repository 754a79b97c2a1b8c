"""What exists for an engagement's auditors: nothing beyond its safeguards, connections and period.

Every question is a query with the scope in its WHERE; there is no list that is filtered afterwards by a page. What is
evidence of a safeguard: the answers of the collectors that its checks read, and what other tools' documents say of it
(assessments.engagements.documents). What names no account of the tenant's is beyond a scope that names accounts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.errors import NotFound
from assessments.checks.base import Check, checks
from assessments.models import Engagement, EngagementAuditor, Finding, FindingPeriod, SubmittedCheck
from assessments.rule.model import SECURITY_RULE, Safeguard, children
from assessments.submitted.reading import ToolCheck, tools_supporting
from evidence.models import AwsConnection, CollectionRun, CollectionUnit, RunState, Snapshot, UnitState

NOTHING = "There is nothing at this address, or it isn't yours to see."


def open_engagements(person_id: UUID, at: datetime | None = None) -> QuerySet[Engagement]:
    """The engagements in which the person is a named auditor and has access at a time (default: now)."""
    at = at or timezone.now()
    named = EngagementAuditor.objects.filter(
        engagement=OuterRef("pk"), person=person_id, removed_at__isnull=True
    )
    found: QuerySet[Engagement] = Engagement.objects.filter(
        Exists(named), ended_at__isnull=True, opens_at__lte=at, closes_at__gt=at
    )
    return found.order_by("closes_at", "title", "id")


def find_open_engagement(engagement_id: UUID, person_id: UUID) -> Engagement:
    """The auditor's engagement, if it is open now. Raises NotFound."""
    found: Engagement | None = open_engagements(person_id).filter(pk=engagement_id).first()
    if found is None:
        raise NotFound(NOTHING)
    return found


def as_of(engagement: Engagement) -> datetime:
    """The instant at which statuses are judged: the end of the period, or now while the period lasts."""
    return min(engagement.ends, timezone.now())


def safeguards(engagement: Engagement) -> list[Safeguard]:
    """The safeguards in scope, in the order of the Rule. A standard brings its specifications."""
    if engagement.citations is None:
        return list(SECURITY_RULE.values())
    named = set(engagement.citations)
    below = {child.citation for citation in named for child in children(citation)}
    return [safeguard for citation, safeguard in SECURITY_RULE.items() if citation in named | below]


def citations(engagement: Engagement) -> frozenset[str]:
    """The citations of `safeguards`."""
    return frozenset(safeguard.citation for safeguard in safeguards(engagement))


def find_safeguard(engagement: Engagement, citation: str) -> Safeguard:
    """The safeguard. Raises NotFound for one beyond the scope."""
    if citation not in citations(engagement):
        raise NotFound(NOTHING)
    return SECURITY_RULE[citation]


def checks_of(engagement: Engagement, citation: str = "") -> list[Check]:
    """The checks that support a safeguard in scope, or the one given."""
    wanted = wanted_citations(engagement, citation)
    return [check for check in checks().values() if not wanted.isdisjoint(check.supports)]


def tools_of(engagement: Engagement, citation: str = "") -> dict[str, ToolCheck]:
    """The checks of other tools that support a safeguard in scope, or the one given, by id."""
    return tools_supporting(wanted_citations(engagement, citation))


def wanted_citations(engagement: Engagement, citation: str = "") -> frozenset[str]:
    """The citations in scope, or of them the one given."""
    return citations(engagement) & {citation} if citation else citations(engagement)


def collectors_of(engagement: Engagement, citation: str = "") -> frozenset[str]:
    """The collectors whose answers are evidence of the safeguards in scope, or of the one given."""
    return frozenset(name for check in checks_of(engagement, citation) for name in check.collectors)


def connections(engagement: Engagement) -> QuerySet[AwsConnection]:
    """The connections in scope, removed ones as well: their evidence stays."""
    rows: QuerySet[AwsConnection] = AwsConnection.objects.order_by("name", "id")
    return rows if engagement.connection_ids is None else rows.filter(pk__in=engagement.connection_ids)


def runs(engagement: Engagement) -> QuerySet[CollectionRun]:
    """The finished runs over the connections in scope that ended in the period."""
    rows: QuerySet[CollectionRun] = CollectionRun.objects.filter(
        _connected(engagement, "connection"),
        state=RunState.FINISHED,
        finished_at__gte=engagement.starts,
        finished_at__lt=engagement.ends,
    )
    return rows


def units(engagement: Engagement, citation: str = "") -> QuerySet[CollectionUnit]:
    """What collectors in scope learned over connections in scope, in the period; one row for each time of asking."""
    rows: QuerySet[CollectionUnit] = CollectionUnit.objects.filter(
        _connected(engagement, "run__connection"),
        collector__in=collectors_of(engagement, citation),
        state=UnitState.DONE,
        collected_at__gte=engagement.starts,
        collected_at__lt=engagement.ends,
    )
    return rows


def snapshots(engagement: Engagement, citation: str = "") -> QuerySet[Snapshot]:
    """The snapshots that were seen in the period. One that was first seen earlier, and again in it, is among them."""
    seen = CollectionUnit.objects.filter(
        snapshot=OuterRef("pk"), collected_at__gte=engagement.starts, collected_at__lt=engagement.ends
    )
    rows: QuerySet[Snapshot] = Snapshot.objects.filter(
        _connected(engagement, "connection"),
        Exists(seen),
        collector__in=collectors_of(engagement, citation),
    )
    return rows


def find_snapshot(engagement: Engagement, snapshot_id: UUID) -> Snapshot:
    """The snapshot with its connection and blob. Raises NotFound for one beyond the scope."""
    found: Snapshot | None = (
        snapshots(engagement).select_related("connection", "blob").filter(pk=snapshot_id).first()
    )
    if found is None:
        raise NotFound(NOTHING)
    return found


def finding_periods(engagement: Engagement, citation: str = "") -> QuerySet[FindingPeriod]:
    """What findings in scope said at any time of the period."""
    ours = [check.id for check in checks_of(engagement, citation)]
    rows: QuerySet[FindingPeriod] = FindingPeriod.objects.filter(
        _connected(engagement, "finding__connection"),
        _overlaps(engagement),
        Q(finding__stream=None, finding__check_id__in=ours) | _of_tools(tools_of(engagement, citation)),
    )
    return rows


def _of_tools(tools: Iterable[str]) -> Q:
    """Findings of these checks, but for streams in which they support nothing: those count for no status either."""
    said = SubmittedCheck.objects.filter(
        stream=OuterRef("finding__stream"), check_id=OuterRef("finding__check_id")
    ).exclude(citations=[])
    return Q(Exists(said), finding__stream__isnull=False, finding__check_id__in=list(tools))


def standing_periods(engagement: Engagement, citation: str = "") -> QuerySet[FindingPeriod]:
    """What findings in scope said as of the end of the period: one row for each resource that was there."""
    at = as_of(engagement)
    return finding_periods(engagement, citation).filter(
        Q(valid_to=None) | Q(valid_to__gt=at), valid_from__lte=at
    )


def findings(engagement: Engagement, citation: str = "") -> QuerySet[Finding]:
    """The findings in scope that said something in the period.

    A finding's own columns hold what it says now, which may be after the period: show `finding_periods`.
    """
    said = finding_periods(engagement, citation).filter(finding=OuterRef("pk"))
    rows: QuerySet[Finding] = Finding.objects.filter(Exists(said))
    return rows


def _connected(engagement: Engagement, field: str) -> Q:
    return Q() if engagement.connection_ids is None else Q(**{f"{field}__in": engagement.connection_ids})


def _overlaps(engagement: Engagement) -> Q:
    ended = Q(valid_to=None) | Q(valid_to__gt=engagement.starts)
    return ended & Q(valid_from__lt=engagement.ends)
