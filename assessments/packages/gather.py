"""What a package's scope holds, read from the database: safeguards with their status, evidence, an engagement's work.

Every question goes through engagements.scope; each function runs in the tenant that is open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, QuerySet, Sum

from accounts.audit.seals import Seal, seals_of
from assessments.checks.base import Check, checks
from assessments.engagements import documents, scope
from assessments.engagements.deriving import derive_scope
from assessments.engagements.models import Engagement
from assessments.models import FindingPeriod
from assessments.packages.withholding import Withholding
from assessments.posture import CheckTally
from assessments.rule.model import Safeguard
from assessments.status import Derived
from assessments.submitted.reading import ToolCheck
from evidence.models import AwsConnection, Blob, Snapshot

CHUNK = 1000
PROSE = frozenset({"title", "text", "by", "reasons", "reason", "note", "item"})
"""What people wrote, by its name in Work."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A snapshot that belongs in the package. `seal` is its entry in the log, None where the log has none."""

    snapshot_id: UUID
    collector: str
    region: str
    aws_account_id: str
    first_seen_at: datetime
    blob: Blob
    seal: Seal | None

    @property
    def path(self) -> str:
        """Where its original bytes stand in the package."""
        return f"evidence/{self.snapshot_id}.json"

    @property
    def withheld_path(self) -> str:
        """Where it stands when some of its fields are withheld."""
        return f"evidence/{self.snapshot_id}.withheld.json"


@dataclass(frozen=True, slots=True)
class InScope:
    """A safeguard of the scope with the status that its evidence gives, and what evidence that is."""

    safeguard: Safeguard
    derived: Derived
    collectors: frozenset[str]
    tools: Mapping[str, ToolCheck]

    @property
    def level(self) -> str:
        """Required or Addressable; for a standard with specifications, Standard."""
        designation = self.safeguard.designation
        return designation.value.capitalize() if designation else "Standard"

    @property
    def tallies(self) -> list[CheckTally]:
        """Its checks as they came out."""
        return [
            CheckTally(tally, checks().get(tally.check_id), self.tools.get(tally.check_id))
            for tally in self.derived.tallies
        ]


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a scope holds: what is shown before a package is made. `bytes` are of snapshots and documents."""

    safeguards: int
    snapshots: int
    documents: int
    bytes: int
    findings: int
    failing: int
    newest: datetime | None
    whole_only: int = field(default=0)
    """Snapshots that were sealed without salted leaves: their fields can't be withheld one by one."""


def measure(of: Engagement) -> Extent:
    """Counts and bytes of a scope, by queries that read no evidence."""
    rows = scope.snapshots(of)
    sums = rows.aggregate(n=Count("pk"), bytes=Sum("blob__size"), newest=Max("collected_at"))
    sent = documents.submissions(of).aggregate(n=Count("pk"), bytes=Sum("size"))
    outcomes = Counter(dict(scope.standing_periods(of).values_list("outcome").annotate(n=Count("pk"))))
    return Extent(
        len(scope.safeguards(of)), sums["n"], sent["n"], (sums["bytes"] or 0) + (sent["bytes"] or 0),
        outcomes.total(), outcomes["FAIL"],
        sums["newest"], rows.filter(blob__fields_root="").count(),
    )  # fmt: skip


def safeguards_in(of: Engagement) -> list[InScope]:
    """The scope's safeguards in the order of the Rule; statuses rest on the scope's findings at the period's end."""
    tools = scope.tools_of(of)
    derived = derive_scope(of, tools)
    return [
        InScope(safeguard, derived[safeguard.citation], scope.collectors_of(of, safeguard.citation), tools)
        for safeguard in scope.safeguards(of)
    ]


def pieces_in(of: Engagement) -> list[Piece]:
    """The scope's evidence, by collector, region and time."""
    rows = (
        scope.snapshots(of)
        .select_related("blob")
        .order_by("collector", "region", "aws_account_id", "collected_at", "id")
        .defer("provenance")
    )
    found = [_piece(row) for row in rows.iterator(CHUNK)]
    seals = seals_of(piece.snapshot_id for piece in found)
    return [replace(piece, seal=seals.get(piece.snapshot_id)) for piece in found]


def _piece(row: Snapshot) -> Piece:
    return Piece(row.pk, row.collector, row.region, row.aws_account_id, row.collected_at, row.blob, None)


def connections_in(of: Engagement) -> list[AwsConnection]:
    """The scope's connections, by name."""
    return list(scope.connections(of))


def findings_of(of: Engagement, citation: str, after: UUID | None = None) -> Sequence[FindingPeriod]:
    """What findings that concern a safeguard said in the period: the next chunk, by id."""
    rows: QuerySet[FindingPeriod] = scope.finding_periods(of, citation).select_related("finding__connection")
    rows = rows.filter(pk__gt=after) if after else rows
    return list(rows.order_by("pk")[:CHUNK])


def check_of(check_id: str) -> Check | None:
    """The check, None where this version has none."""
    return checks().get(check_id)


def ids_in(of: Engagement, pieces: Iterable[Piece]) -> set[str]:
    """The ids that an entry of the log is about when it is about the scope."""
    found = {str(piece.snapshot_id) for piece in pieces}
    found.update(str(pk) for pk in scope.connections(of).values_list("pk", flat=True))
    found.update(str(pk) for pk in scope.runs(of).values_list("pk", flat=True))
    return found


@dataclass(frozen=True, slots=True)
class Work:
    """What was asked, said, drawn and concluded in an engagement, as JSON."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    conclusions: list[dict[str, Any]] = field(default_factory=list)

    def cleaned(self, withholding: Withholding) -> Work:
        """The same without withheld values in what people wrote. Samples' items stay: they prove the draw."""
        return Work(
            **{each.name: withholding.clean(getattr(self, each.name), PROSE) for each in fields(self)}
        )


def work_of(engagement: Engagement | None) -> Work:
    """The work of an engagement; nothing where the package belongs to none. Conclusions that aren't shared stay out."""
    if engagement is None:
        return Work()
    return Work(
        [_request(row) for row in engagement.requests.order_by("asked_at", "id")],
        [_sample(row) for row in engagement.samples.order_by("frozen_at", "id")],
        [
            {**_said(row), "citation": row.citation, "text": row.text}
            for row in engagement.comments.select_related("author").order_by("at", "id")
        ],
        list(_conclusions(engagement)),
    )


def _said(row: Any) -> dict[str, Any]:
    return {"by": row.author.name, "side": row.get_side_display(), "at": _time(row.at)}


def _request(row: Any) -> dict[str, Any]:
    messages = list(row.messages.select_related("author").prefetch_related("evidence").order_by("number"))
    return {
        "id": str(row.pk), "citation": row.citation, "title": row.title, "due_on": row.due_on.isoformat(),
        "state": messages[-1].get_state_display() if messages else "Asked",
        "messages": [
            {**_said(message), "state": message.get_state_display(), "text": message.text,
             "evidence": [str(each.snapshot_id) for each in message.evidence.all() if each.snapshot_id],
             "documents": [str(each.submission_id) for each in message.evidence.all() if each.submission_id]}
            for message in messages
        ],
    }  # fmt: skip


def _sample(row: Any) -> dict[str, Any]:
    draw = row.draws.first()
    items = list(row.items.select_related("replaces").prefetch_related("results").order_by("position"))
    return {
        "id": str(row.pk), "citation": row.citation, "title": row.title, "extent": row.get_extent_display(),
        "source": row.source, "frozen_at": _time(row.frozen_at), "population": row.population,
        "population_sha256": row.population_sha256, "seed": draw.seed if draw else None,
        "size": draw.size if draw else 0, "drawn_at": _time(draw.drawn_at) if draw else None,
        "drawn": [item.item for item in items if item.replaces_id is None],
        "replacements": [
            {"out": item.replaces.item, "in": item.item, "reason": item.reason}
            for item in items if item.replaces_id
        ],
        "results": [_result(item) for item in items],
    }  # fmt: skip


def _result(item: Any) -> dict[str, Any]:
    last = max(item.results.all(), key=lambda result: result.version, default=None)
    if last is None:
        return {"item": item.item, "result": "Not tested", "note": ""}
    return {"item": item.item, "result": last.get_result_display(), "note": last.note}


def _conclusions(engagement: Engagement) -> Iterator[dict[str, Any]]:
    newest: Mapping[str, Any] = {
        row.citation: row
        for row in engagement.conclusions.select_related("author").order_by("citation", "version")
    }
    for row in newest.values():
        if row.shared:
            yield {
                "citation": row.citation, "judgement": row.get_judgement_display(), "reasons": row.reasons,
                "by": row.author.name, "at": _time(row.at),
            }  # fmt: skip


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
