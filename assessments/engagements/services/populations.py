"""The populations of tests: what there was to choose from in an engagement's scope and period, as one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from accounts.audit import trail
from accounts.errors import InvalidInput
from assessments.engagements import scope
from assessments.models import Engagement
from evidence.models import CollectionUnit

MOST_ITEMS = 50_000


class Source(StrEnum):
    """What a population is made of."""

    RESOURCES = "resources"
    FAILURES = "failures"
    RUNS = "runs"
    MEMBERS = "members"
    DAYS = "days"

    @property
    def label(self) -> str:
        """The words shown to people."""
        return _LABELS[self]


_LABELS = {
    Source.RESOURCES: "Resources that a check looked at in the period",
    Source.FAILURES: "Findings that failed in the period",
    Source.RUNS: "Collection runs in the period",
    Source.MEMBERS: "Changes of members and roles in the period",
    Source.DAYS: "Days of the period",
}


def list_population(engagement: Engagement, citation: str, source: Source, subject: str) -> list[str]:
    """The items, unsorted. `subject` is the check of RESOURCES. Raises InvalidInput for none or too many."""
    items = [" ".join(item.split()) for item in _MAKERS[source](engagement, citation, subject)]
    if not items:
        raise InvalidInput(
            "There is nothing of this kind in the engagement's scope and period.", field="source"
        )
    if len(items) > MOST_ITEMS:
        raise InvalidInput(
            f"These are more than {MOST_ITEMS:,} items. Choose something narrower.", field="source"
        )
    return items


def _resources(engagement: Engagement, citation: str, subject: str) -> Iterable[str]:
    ours = {check.id for check in scope.checks_of(engagement, citation)}
    if subject not in ours and subject not in scope.tools_of(engagement, citation):
        raise InvalidInput("Choose a check that supports the safeguard.", field="subject")
    rows = scope.finding_periods(engagement, citation).filter(finding__check_id=subject)
    return _first(rows.values_list("finding__connection__aws_account_id", "finding__resource_arn").distinct())


def _failures(engagement: Engagement, citation: str, _subject: str) -> Iterable[str]:
    rows = scope.finding_periods(engagement, citation).filter(outcome="FAIL")
    fields = ("finding__check_id", "finding__connection__aws_account_id", "finding__resource_arn")
    return _first(rows.values_list(*fields).distinct())


def _runs(engagement: Engagement, _citation: str, _subject: str) -> Iterable[str]:
    rows = scope.runs(engagement).values_list("started_at", "connection__aws_account_id", "id")
    return [f"{_instant(at)} {account} {run_id}" for at, account, run_id in rows[: MOST_ITEMS + 1]]


def _members(engagement: Engagement, _citation: str, _subject: str) -> Iterable[str]:
    changes = trail.membership_changes(engagement.starts, engagement.ends, MOST_ITEMS + 1)
    return [f"{_instant(each.at)} {each.act} {each.object_id} {each.id}" for each in changes]


def _days(engagement: Engagement, _citation: str, _subject: str) -> Iterable[str]:
    last = min(engagement.period_to, datetime.now(UTC).date())
    number = (last - engagement.period_from).days + 1
    return [str(engagement.period_from + timedelta(days=day)) for day in range(max(number, 0))]


_MAKERS: Mapping[Source, Callable[[Engagement, str, str], Iterable[str]]] = {
    Source.RESOURCES: _resources,
    Source.FAILURES: _failures,
    Source.RUNS: _runs,
    Source.MEMBERS: _members,
    Source.DAYS: _days,
}


def _first(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """One line each; a dash where a tool's document names no account of the tenant's, or no resource."""
    return [" ".join(word or "-" for word in row) for row in rows[: MOST_ITEMS + 1]]  # type: ignore[index] # a QuerySet


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def evidence_by_day(engagement: Engagement, citation: str) -> dict[str, int]:
    """How many answers were collected of a safeguard on each day (UTC) of the period; days without any are left out."""
    counts: dict[str, int] = {}
    rows: Iterable[CollectionUnit] = scope.units(engagement, citation).only("collected_at")
    for unit in rows:
        day = str(unit.collected_at.astimezone(UTC).date()) if unit.collected_at else ""
        counts[day] = counts.get(day, 0) + 1
    return counts
