"""What was written in an engagement, as pages show it. People are looked up apart: an auditor's role can't."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from accounts.audit import trail
from accounts.errors import NotFound
from accounts.models import ApiClient, Person
from assessments.engagements import documents, scope
from assessments.engagements.models import Extent, RequestState, Side
from assessments.engagements.services.populations import Source, evidence_by_day
from assessments.engagements.services.requests import RequestAct, acts_open
from assessments.models import (
    Conclusion,
    Engagement,
    EngagementAuditor,
    EvidenceRequest,
    RequestMessage,
    SafeguardComment,
    Sample,
    SampleDraw,
    SampleItem,
    SampleResult,
)
from assessments.rule.model import SECURITY_RULE
from evidence.models import Snapshot, Submission

WAITING = {RequestState.ASKED, RequestState.NEED_MORE}
TRACES_SHOWN = 200


def names_of(people: Iterable[UUID | None]) -> dict[UUID, str]:
    """The names of people, by id."""
    wanted = {each for each in people if each}
    return {person.pk: str(person) for person in Person.objects.filter(pk__in=wanted)}


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A request in a list."""

    request: EvidenceRequest
    state: RequestState
    owner: str
    overdue: bool


def list_requests(engagement: Engagement) -> list[RequestLine]:
    """An engagement's requests: those that wait first, then by due date."""
    last = RequestMessage.objects.filter(request=OuterRef("pk")).order_by("-number")
    rows = list(
        EvidenceRequest.objects.filter(engagement=engagement)
        .annotate(state=Subquery(last.values("state")[:1]))
        .order_by("due_on", "asked_at", "id")
    )
    names = names_of(row.owner_id for row in rows)
    lines = [_line(row, names) for row in rows]
    return sorted(lines, key=lambda line: (line.state not in WAITING, line.state in _DONE))


_DONE = {RequestState.ACCEPTED, RequestState.WITHDRAWN}


def _line(row: Any, names: Mapping[UUID, str]) -> RequestLine:
    state = RequestState(row.state)
    overdue = state in WAITING and row.due_on < timezone.now().date()
    return RequestLine(row, state, names.get(row.owner_id, ""), overdue)


@dataclass(frozen=True, slots=True)
class ThreadMessage:
    """A message with its author's name and the evidence that came with it."""

    message: RequestMessage
    author: str
    snapshots: tuple[Snapshot, ...]
    documents: tuple[Submission, ...]

    @property
    def label(self) -> str:
        """What the message did."""
        return RequestAct(self.message.act).label


@dataclass(frozen=True, slots=True)
class RequestThread:
    """A request in full, and what the reader's side may do with it."""

    line: RequestLine
    messages: tuple[ThreadMessage, ...]
    acts: tuple[RequestAct, ...]


def find_request(engagement: Engagement, request_id: UUID) -> EvidenceRequest:
    """The request. Raises NotFound for one of another engagement."""
    found: EvidenceRequest | None = (
        EvidenceRequest.objects.filter(engagement=engagement, pk=request_id)
        .select_related("engagement")
        .first()
    )
    if found is None:
        raise NotFound(scope.NOTHING)
    return found


def read_request(engagement: Engagement, request_id: UUID, side: Side) -> RequestThread:
    """The request with its thread. Raises NotFound. Evidence that left the scope since is left out for the auditor."""
    request = find_request(engagement, request_id)
    attached = ("evidence__snapshot__connection", "evidence__snapshot__blob", "evidence__submission")
    messages = list(request.messages.prefetch_related(*attached).order_by("number"))
    names = names_of([request.owner_id, *(each.author_id for each in messages)])
    request.state = messages[-1].state  # type: ignore[attr-defined] # as list_requests annotates it
    line = _line(request, names)
    seen = _seen(engagement, messages) if side is Side.AUDITOR else None
    thread = tuple(_thread_message(each, names.get(each.author_id, ""), seen) for each in messages)
    return RequestThread(line, thread, tuple(acts_open(side, line.state)))


def _seen(engagement: Engagement, messages: Iterable[RequestMessage]) -> set[UUID]:
    """What of the attached evidence is in scope now."""
    attached = [row for message in messages for row in message.evidence.all()]
    snapshots = scope.snapshots(engagement).filter(
        pk__in=[row.snapshot_id for row in attached if row.snapshot_id]
    )
    sent = documents.submissions(engagement).filter(
        pk__in=[row.submission_id for row in attached if row.submission_id]
    )
    return {*snapshots.values_list("pk", flat=True), *sent.values_list("pk", flat=True)}


def _thread_message(message: RequestMessage, author: str, seen: set[UUID] | None) -> ThreadMessage:
    rows = list(message.evidence.all())
    snapshots = (row.snapshot for row in rows if row.snapshot)
    sent = (row.submission for row in rows if row.submission)
    return ThreadMessage(
        message,
        author,
        tuple(each for each in snapshots if seen is None or each.pk in seen),
        tuple(each for each in sent if seen is None or each.pk in seen),
    )


@dataclass(frozen=True, slots=True)
class SampleLine:
    """A sample in a list: how many items it holds, and how many were judged."""

    sample: Sample
    draw: SampleDraw | None
    items: int
    judged: int
    population: int

    @property
    def source_label(self) -> str:
        """What the population is made of."""
        return Source(self.sample.source).label


def list_samples(engagement: Engagement) -> list[SampleLine]:
    """An engagement's samples, newest first."""
    rows = Sample.objects.filter(engagement=engagement).order_by("-frozen_at", "-id")
    return [
        _sample_line(row) for row in rows.prefetch_related("draws", "items__results", "items__replacements")
    ]


def _sample_line(sample: Sample) -> SampleLine:
    standing = [item for item in sample.items.all() if not item.replacements.all()]
    judged = sum(1 for item in standing if item.results.all())
    draw = next(iter(sample.draws.all()), None)
    return SampleLine(sample, draw, len(standing), judged, len(sample.population))


@dataclass(frozen=True, slots=True)
class DrawnItem:
    """A drawn item with its result in force. `evidence`: answers collected on that day, for a test of the period."""

    item: SampleItem
    result: SampleResult | None
    replaced_by: SampleItem | None
    evidence: int | None


@dataclass(frozen=True, slots=True)
class SampleDetail:
    """A sample in full."""

    line: SampleLine
    items: tuple[DrawnItem, ...]
    whole_period: bool


def find_sample(engagement: Engagement, sample_id: UUID) -> Sample:
    """The sample. Raises NotFound for one of another engagement."""
    found: Sample | None = Sample.objects.filter(engagement=engagement, pk=sample_id).first()
    if found is None:
        raise NotFound(scope.NOTHING)
    return found


def find_item(engagement: Engagement, sample_id: UUID, item_id: UUID) -> SampleItem:
    """A drawn item. Raises NotFound."""
    found = SampleItem.objects.filter(
        pk=item_id, sample=sample_id, sample__engagement=engagement
    ).select_related("sample")
    item: SampleItem | None = found.first()
    if item is None:
        raise NotFound(scope.NOTHING)
    return item


def read_sample(engagement: Engagement, sample_id: UUID) -> SampleDetail:
    """A sample with its items in the order of their ranks. Raises NotFound."""
    sample = find_sample(engagement, sample_id)
    days = evidence_by_day(engagement, sample.citation) if sample.extent == Extent.PERIOD else None
    rows = sample.items.prefetch_related("results", "replacements").order_by("position")
    items = tuple(
        DrawnItem(
            item,
            max(item.results.all(), key=lambda each: each.version, default=None),
            next(iter(item.replacements.all()), None),
            None if days is None else days.get(item.item, 0),
        )
        for item in rows
    )
    return SampleDetail(_sample_line(sample), items, days is not None)


@dataclass(frozen=True, slots=True)
class Written:
    """A comment or a conclusion with its author's name."""

    row: Any
    author: str


def comments_on(engagement: Engagement, citation: str) -> list[Written]:
    """Both sides' comments on a safeguard, oldest first."""
    return _written(
        SafeguardComment.objects.filter(engagement=engagement, citation=citation).order_by("at", "id")
    )


def conclusions_on(engagement: Engagement, citation: str, side: Side) -> list[Written]:
    """The versions of the conclusion on a safeguard, the one in force first; the tenant sees the shared ones."""
    rows = _conclusions(engagement, side).filter(citation=citation)
    return _written(rows.order_by("-version"))


def list_conclusions(engagement: Engagement, side: Side) -> list[Written]:
    """The conclusion in force of each safeguard that has one, in the order of the Rule."""
    order = {citation: place for place, citation in enumerate(SECURITY_RULE)}
    newest: dict[str, Conclusion] = {}
    for row in _conclusions(engagement, side).order_by("version"):
        newest[row.citation] = row
    return sorted(_written(newest.values()), key=lambda each: order.get(each.row.citation, 0))


def _conclusions(engagement: Engagement, side: Side) -> QuerySet[Conclusion]:
    shown = Q(shared=True) if side is Side.TENANT else Q()
    rows: QuerySet[Conclusion] = Conclusion.objects.filter(shown, engagement=engagement)
    return rows


def _written(rows: Iterable[Any]) -> list[Written]:
    found = list(rows)
    names = names_of(row.author_id for row in found)
    return [Written(row, names.get(row.author_id, "")) for row in found]


@dataclass(frozen=True, slots=True)
class EngagementLine:
    """An engagement in the tenant's list."""

    engagement: Engagement
    state: str
    auditors: int
    waiting: int
    overdue: int


def list_engagements() -> list[EngagementLine]:
    """Every engagement of the tenant, the newest first."""
    rows = list(Engagement.objects.order_by("-opens_at", "-id").prefetch_related("auditors"))
    return [_engagement_line(row) for row in rows]


def _engagement_line(engagement: Engagement) -> EngagementLine:
    requests = list_requests(engagement)
    return EngagementLine(
        engagement,
        engagement.state(timezone.now()),
        sum(1 for auditor in engagement.auditors.all() if auditor.removed_at is None),
        sum(line.state in WAITING for line in requests),
        sum(line.overdue for line in requests),
    )


def find_engagement(engagement_id: UUID) -> Engagement:
    """The tenant's engagement. Raises NotFound."""
    found: Engagement | None = Engagement.objects.filter(pk=engagement_id).first()
    if found is None:
        raise NotFound("There is no such engagement.")
    return found


def auditors_of(engagement: Engagement) -> list[EngagementAuditor]:
    """The named auditors who were not removed."""
    return list(engagement.auditors.filter(removed_at=None).order_by("added_at"))


@dataclass(frozen=True, slots=True)
class Opened:
    """Something that an auditor opened."""

    at: datetime
    who: str
    act: str
    object_type: str
    object_id: str
    address: str


def access_log(engagement: Engagement) -> list[Opened]:
    """What its auditors and their machines opened or did in it, newest first, from the audit log."""
    people = engagement.auditors.filter(person__isnull=False).values_list("person_id", flat=True)
    machines = ApiClient.objects.filter(engagement=engagement.pk).values_list("pk", flat=True)
    traces = trail.acts_of([*people, *machines], since=engagement.created_at, most=TRACES_SHOWN)
    return [
        Opened(each.at, each.actor_name, each.act, each.object_type, each.object_id, each.address)
        for each in traces
        if each.details.get("engagement") == str(engagement.pk)
    ]
