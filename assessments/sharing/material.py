"""What a tenant has that a grant could show, read once for all of its grants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, DateTimeField, F, Max, Min, Q, QuerySet, Window
from django.db.models.functions import Coalesce, RowNumber

from assessments.checks.base import checks
from assessments.models import Evaluation, Finding, SubmittedCheck
from assessments.posture import SafeguardState, read_safeguards
from assessments.sharing.levels import Level
from assessments.submitted.reading import ToolCheck, said_by_tools, tool_checks
from evidence import ledger
from evidence.models import Submission, SubmissionState

MOST_RESOURCES = 50
"""Failing resources of one check that are named."""


@dataclass(frozen=True, slots=True)
class Failing:
    """On how many resources a check fails, and since when."""

    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Material:
    """The posture by citation, and as far as a level needs it: times by collector, what fails by check.

    `failing` are our own checks and other tools'; `tools` are the latter, by id. `told`: by citation, the time of the
    newest document of each stream that speaks of it, the oldest of these.
    `resources` (by check) and `snapshots` (by collector) name things and are for level 4 alone.
    """

    states: Mapping[str, SafeguardState]
    evaluated_at: datetime | None
    collected: Mapping[str, datetime] = field(default_factory=dict)
    told: Mapping[str, datetime] = field(default_factory=dict)
    tools: Mapping[str, ToolCheck] = field(default_factory=dict)
    failing: Mapping[str, Failing] = field(default_factory=dict)
    resources: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    snapshots: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)


def gather(most: Level) -> Material:
    """Reads what grants up to a level show of the open tenant."""
    failing = _failing() if most >= Level.FINDINGS else {}
    return Material(
        states={state.safeguard.citation: state for state in read_safeguards()},
        evaluated_at=Evaluation.objects.aggregate(newest=Max("at"))["newest"],
        collected=ledger.collected_at_by_collector() if most >= Level.COUNTS else {},
        told=_told() if most >= Level.COUNTS else {},
        tools=tool_checks(failing),
        failing=failing,
        resources=_resources() if most >= Level.EVIDENCE else {},
        snapshots=_snapshots() if most >= Level.EVIDENCE else {},
    )


def _counted() -> QuerySet[Finding]:
    """What fails and counts for a status: of another tool's checks those that their stream names a safeguard for."""
    named = Q(said_by_tools(citations__len__gt=0), stream__isnull=False)
    return Finding.objects.filter(Q(stream=None) | named, gone_at=None, outcome="FAIL")


def _told() -> dict[str, datetime]:
    at = Coalesce("effective_to", "produced_at", "received_at", output_field=DateTimeField())
    accepted = Submission.objects.filter(state=SubmissionState.ACCEPTED).values("stream")
    newest = dict(accepted.annotate(newest=Max(at)).values_list("stream", "newest"))
    found: dict[str, datetime] = {}
    speaking = SubmittedCheck.objects.filter(
        Q(passed__gt=0) | Q(failed__gt=0) | Q(unknown__gt=0) | Q(not_applicable__gt=0)
    )
    for stream, citations in speaking.values_list("stream", "citations"):
        for citation in citations if stream in newest else ():
            found[citation] = min(newest[stream], found.get(citation, newest[stream]))
    return found


def _failing() -> dict[str, Failing]:
    rows = _counted().values("check_id")
    found = rows.annotate(number=Count("id"), oldest=Min("since")).values_list("check_id", "number", "oldest")
    return {check_id: Failing(number, oldest) for check_id, number, oldest in found}


def _resources() -> dict[str, list[dict[str, Any]]]:
    place = Window(RowNumber(), partition_by=F("check_id"), order_by=["since", "id"])
    rows = _counted().annotate(place=place)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in (
        rows.filter(place__lte=MOST_RESOURCES).select_related("connection").order_by("check_id", "place")
    ):
        found.setdefault(row.check_id, []).append(
            {
                "name": row.resource_name, "arn": row.resource_arn,
                "account": row.connection.aws_account_id if row.connection else "", "region": row.region,
                "since": row.since.isoformat(),
            }
        )  # fmt: skip
    return found


def _snapshots() -> dict[str, list[dict[str, Any]]]:
    names = {name for check in checks().values() for name in check.collectors}
    found: dict[str, list[dict[str, Any]]] = {}
    for unit in ledger.sealed_units(names):
        found.setdefault(unit.collector, []).append(
            {
                "collector": unit.collector, "account": unit.snapshot.aws_account_id, "region": unit.region,
                "collected_at": unit.collected_at.isoformat() if unit.collected_at else "",
                "sha256": unit.snapshot.blob.digest,
            }
        )  # fmt: skip
    return found
