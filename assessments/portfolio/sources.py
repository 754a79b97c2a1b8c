"""Where the portfolio's columns come from: one query of each part, of which SQL makes one ranking.

Each query is built by its part's own managers, so that what a part or a tenant's policy leaves out is left out here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts.audit.events import Act
from assessments.agreements.models import Agreement
from assessments.agreements.states import State
from assessments.chain.models import ChainNode
from assessments.exits.models import Exit
from assessments.notices.models import Acknowledgement, Notice
from assessments.partnerships.models import Partnership
from assessments.portfolio.reasons import STALE_AFTER, Reason
from assessments.sharing.models import SharedPosture
from assessments.verifications.models import (
    Answer,
    DeliveryState,
    VerificationDelivery,
    VerificationReceipt,
)


@dataclass(frozen=True, slots=True)
class Told:
    """How the tenant that shows a row is told that it was read: the act, and the column with the object's id."""

    act: Act
    object_type: str
    column: str


@dataclass(frozen=True, slots=True)
class Source:
    """What one part knows of each business associate, at most one row for each `key`.

    `rows(now)` gives `key` and `columns` in this order. What another tenant shows is keyed by the partnership and by
    who shows it: nobody speaks for another's partnership. `reasons` are conditions in SQL over the columns of the
    sources so far, which are NULL where one has no row.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Callable[[datetime], QuerySet[Any, Any]]
    reasons: Mapping[Reason, str] = field(default_factory=dict)
    told: Told | None = None


def _partnerships(now: datetime) -> QuerySet[Any, Any]:
    living = Q(shown_until=None) | Q(shown_until__gt=now)
    rows: QuerySet[Any, Any] = Partnership.objects.filter(
        living, withdrawn_at=None, shown_from__lte=now
    ).values_list("associate_id", "pk", "viewer_id", "downstream_name", "began_at")
    return rows


PARTNERSHIP = Source(
    "partnership",
    ("associate_id",),
    ("partnership_id", "downstream_id", "downstream_name", "began_at"),
    _partnerships,
)
SHOWN_BY = ("partnership_id", "downstream_id")
"""The key of what a business associate shows: its rows' partnership and tenant."""


def _agreements(now: datetime) -> QuerySet[Any, Any]:
    current = Agreement.objects.filter(is_current=True).with_state(now.astimezone(UTC).date())
    rows: QuerySet[Any, Any] = current.values_list("associate_id", "state", "last_on")
    return rows


AGREEMENT = Source(
    "agreement",
    ("associate_id",),
    ("agreement_state", "agreement_ends"),
    _agreements,
    {
        Reason.NO_AGREEMENT: "agreement_state IS NULL"
        f" OR agreement_state NOT IN ('{State.IN_FORCE}', '{State.EXPIRING}')",
        Reason.EXPIRING: f"agreement_state = '{State.EXPIRING}'",
    },
)


def _exits(_now: datetime) -> QuerySet[Any, Any]:
    """Those that aren't closed, of which a business associate has one at most."""
    rows: QuerySet[Any, Any] = Exit.objects.filter(closed_at=None).values_list("associate_id", "due_at")
    return rows


EXIT = Source(
    "exits", ("associate_id",), ("exit_due_at",), _exits, {Reason.EXIT_OVERDUE: "exit_due_at < now()"}
)


def _postures(_now: datetime) -> QuerySet[Any, Any]:
    """One a grant, and one grant a partnership; the newest, should there be more."""
    newest = SharedPosture.received.order_by("partnership_id", "tenant_id", "-published_at")
    rows: QuerySet[Any, Any] = newest.distinct("partnership_id", "tenant_id").values_list(
        "partnership_id", "tenant_id", "grant_id", "evidenced", "gaps", "not_evidenced", "undetermined",
        "required_gaps", "oldest_evidence_at",
    )  # fmt: skip
    return rows


POSTURE = Source(
    "posture",
    SHOWN_BY,
    ("grant_id", "evidenced", "gaps", "not_evidenced", "undetermined", "required_gaps", "oldest_evidence_at"),
    _postures,
    {
        Reason.REQUIRED_GAP: "required_gaps > 0",
        Reason.STALE: f"oldest_evidence_at < now() - interval '{STALE_AFTER.days} days'",
    },
    Told(Act.SHARED_POSTURE_READ, "sharing_grant", "grant_id"),
)


def _nodes(_now: datetime) -> QuerySet[Any, Any]:
    counted = {"known": Count("pk"), "broken_links": Count("pk", filter=~Q(broken=[]))}
    by_link = ChainNode.received.order_by().values("partnership_id", "tenant_id").annotate(**counted)
    rows: QuerySet[Any, Any] = by_link.values_list("partnership_id", "tenant_id", *counted)
    return rows


def _deliveries(_now: datetime) -> QuerySet[Any, Any]:
    """The current one of each partnership."""
    current = VerificationDelivery.received.filter(state=DeliveryState.CURRENT)
    rows: QuerySet[Any, Any] = current.values_list(
        "partnership_id", "tenant_id", "pk", "certified_at", "due_on"
    )
    return rows


DELIVERY = Source(
    "delivery",
    SHOWN_BY,
    ("delivery_id", "certified_at", "delivery_due_on"),
    _deliveries,
    told=Told(Act.VERIFICATION_READ, "verification_delivery", "delivery_id"),
)


def _receipts(_now: datetime) -> QuerySet[Any, Any]:
    rows: QuerySet[Any, Any] = VerificationReceipt.objects.values_list(
        "partnership_id", "delivery_id", "answer", "answered_at"
    )
    return rows


_FIRST_DUE = "(began_at AT TIME ZONE 'UTC' + interval '1 year')::date"
_REFUSED_ON = f"CASE answer WHEN '{Answer.REFUSED}' THEN (answered_at AT TIME ZONE 'UTC')::date END"
RECEIPT = Source(
    "receipt",
    ("partnership_id", "delivery_id"),
    ("answer", "answered_at"),
    _receipts,
    {
        Reason.VERIFICATION_OVERDUE: "(now() AT TIME ZONE 'UTC')::date >"
        f" coalesce({_REFUSED_ON}, delivery_due_on, {_FIRST_DUE})"
    },
)
"""The tenant's own answers. By when the next is due: verifications.dates says the same of one."""


CHAIN = Source(
    "chain",
    SHOWN_BY,
    ("subcontractors", "broken_links"),
    _nodes,
    {Reason.CHAIN_BROKEN: "broken_links > 0"},
    Told(Act.CHAIN_READ, "partnership", "partnership_id"),
)


def _notices(_now: datetime) -> QuerySet[Any, Any]:
    answered = Acknowledgement.objects.filter(notice_id=OuterRef("pk"))
    counted = {"unanswered": Count("pk")}
    # A drill is no notice: nothing has happened.
    open_ones = Notice.received.filter(~Exists(answered), drill=False).order_by()
    by_link = open_ones.values("partnership_id", "tenant_id").annotate(**counted)
    rows: QuerySet[Any, Any] = by_link.values_list("partnership_id", "tenant_id", *counted)
    return rows


NOTICES = Source(
    "notices",
    SHOWN_BY,
    ("open_notices",),
    _notices,
    {Reason.NOTICE_OPEN: "open_notices > 0"},
    Told(Act.NOTICE_LIST, "partnership", "partnership_id"),
)

SOURCES: tuple[Source, ...] = (PARTNERSHIP, AGREEMENT, EXIT, DELIVERY, RECEIPT, POSTURE, CHAIN, NOTICES)
"""In the order in which they are joined: those of SHOWN_BY after PARTNERSHIP, which brings it."""
PARTS = frozenset(source.name for source in SOURCES)
"""The names of the sources, by which a page knows its columns."""
