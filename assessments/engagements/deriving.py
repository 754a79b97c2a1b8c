"""Statuses over a scope, from its findings at the end of its period: our own checks' and other tools' alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from django.db.models import Count, Q

from assessments.checks.base import checks
from assessments.engagements import scope
from assessments.engagements.models import Engagement
from assessments.status import Derived, Tally, derive_statuses
from assessments.statuses import citations_by_check, tally_of
from assessments.submitted.reading import ToolCheck

_WEIGHS = Q(outcome="FAIL") & ~Q(finding__severity="low")


def derive_scope(engagement: Engagement, tools: Mapping[str, ToolCheck]) -> dict[str, Derived]:
    """Every safeguard's status by citation. `tools`: the scope's checks of other tools (scope.tools_of)."""
    supports = {check_id: tool.supports for check_id, tool in tools.items()}
    return derive_statuses(_tallies(engagement, tools), {**citations_by_check(), **supports})


def _tallies(engagement: Engagement, tools: Mapping[str, ToolCheck]) -> list[Tally]:
    rows = scope.standing_periods(engagement).values_list("finding__check_id", "outcome")
    counts: dict[str, Counter[str]] = {}
    for check_id, outcome, number, weighing in rows.annotate(
        number=Count("pk"), weighing=Count("pk", filter=_WEIGHS)
    ):
        counts.setdefault(check_id, Counter()).update({outcome: number, "weighing": weighing})
    ours = [tally_of(check_id, found) for check_id, found in counts.items() if check_id in checks()]
    return [*ours, *(_tally(tools[check_id], counts[check_id]) for check_id in tools if check_id in counts)]


def _tally(tool: ToolCheck, counts: Counter[str]) -> Tally:
    """As assessments.submitted.tallies counts them: a failure of low severity makes no gap."""
    return Tally(
        tool.id, counts["weighing"] > 0, counts["PASS"], counts["FAIL"], counts["UNKNOWN"],
        counts["NOT_APPLICABLE"], title=tool.title, severity=tool.severity,
    )  # fmt: skip
