"""Which agreements need somebody: alerts that follow from dates, for lists, the overview and one entry's page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Count, F, FilteredRelation, Q, QuerySet
from django.urls import reverse

from assessments.agreements.states import State, state_rule, today
from assessments.partners.models import BusinessAssociate


class NeedKind(StrEnum):
    """What is wrong, the most urgent first."""

    EXPIRED = "expired"
    NO_AGREEMENT = "no_agreement"
    EXPIRING = "expiring"
    CLAUSE_MISSING = "clause_missing"


ORDER = tuple(NeedKind)
_NONE = "PHI may not go there without one (164.308(b), 164.502(e))."
WORDS: Mapping[NeedKind, tuple[str, str]] = {
    NeedKind.EXPIRED: ("Agreement expired", _NONE),
    NeedKind.NO_AGREEMENT: ("No agreement in force", _NONE),
    NeedKind.EXPIRING: ("Agreement expires within 90 days", "Renew or replace it."),
    NeedKind.CLAUSE_MISSING: (
        "A needed clause is missing",
        "Ask for an amendment: the gap letter names it (164.314(a)(2), 164.504(e)(2)).",
    ),
}


@dataclass(frozen=True, slots=True)
class Need:
    """An alert about one business associate. `agreement_id` and `last_on` are None where there is no agreement."""

    kind: NeedKind
    associate_id: UUID
    associate: str
    agreement_id: UUID | None
    last_on: date | None

    @property
    def title(self) -> str:
        """What is wrong, in a few words."""
        return WORDS[self.kind][0]

    @property
    def why(self) -> str:
        """Why it matters, with the citation."""
        return WORDS[self.kind][1]

    @property
    def url(self) -> str:
        """The page where it is mended."""
        if self.agreement_id:
            return reverse("agreement-detail", args=[self.agreement_id])
        return reverse("business-associate-tab", args=[self.associate_id, "agreement"])


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert about several agreements."""

    kind: NeedKind
    number: int

    @property
    def is_over(self) -> bool:
        """Whether it is about agreements that have expired already."""
        return self.kind is NeedKind.EXPIRED

    @property
    def words(self) -> str:
        """What it says."""
        noun = "business associate agreement" + ("" if self.number == 1 else "s")
        if self.is_over:
            return f"{self.number:,} {noun} expired: PHI may not go there without one (164.308(b))"
        return f"{self.number:,} {noun} {'ends' if self.number == 1 else 'end'} within 90 days"

    @property
    def url(self) -> str:
        """The list of them."""
        return f"{reverse('agreement-list')}?state={self.kind}"


def with_agreement(associates: QuerySet[BusinessAssociate], on: date | None = None) -> QuerySet[Any]:
    """Adds agreement_state (a `State` or None), agreement_id, agreement_last_on and agreement_missing (clauses).

    They are of the current agreement; one row an associate stays one row.
    """
    joined = associates.annotate(
        current_agreement=FilteredRelation("agreements", condition=Q(agreements__is_current=True))
    )
    return joined.annotate(
        agreement_state=state_rule(on or today(), "current_agreement__"),
        agreement_id=F("current_agreement__id"),
        agreement_last_on=F("current_agreement__last_on"),
        agreement_missing=F("current_agreement__clauses_missing"),
    )


IN_FORCE = Q(agreement_state__in=[State.IN_FORCE, State.EXPIRING])
CONDITIONS: Mapping[NeedKind, Q] = {
    NeedKind.EXPIRED: Q(agreement_state=State.EXPIRED),
    NeedKind.NO_AGREEMENT: Q(agreement_state=None)
    | Q(agreement_state__in=[State.DRAFT, State.NEGOTIATION, State.SIGNED, State.TERMINATED]),
    NeedKind.EXPIRING: Q(agreement_state=State.EXPIRING),
    NeedKind.CLAUSE_MISSING: IN_FORCE & Q(agreement_missing__gt=0),
}
"""Over `with_agreement`'s columns; the last can stand beside the one before."""


def needs(on: date | None = None, *, most: int = 50) -> list[Need]:
    """The alerts of the open tenant's active register, the most urgent first, each kind by end and name."""
    rows = with_agreement(BusinessAssociate.objects.filter(ended_at=None), on)
    found: list[Need] = []
    for kind in ORDER:
        if len(found) < most:
            wanted = rows.filter(CONDITIONS[kind]).order_by("agreement_last_on", "name", "id")
            found += [_need(kind, row) for row in wanted[: most - len(found)]]
    return found


def needs_of(associate: BusinessAssociate, on: date | None = None) -> list[Need]:
    """The alerts about one business associate."""
    if associate.ended_at:
        return []
    row = with_agreement(BusinessAssociate.objects.filter(pk=associate.pk), on)
    return [_need(kind, each) for kind in ORDER for each in row.filter(CONDITIONS[kind])]


def count_needs(on: date | None = None) -> dict[NeedKind, int]:
    """How many business associates of the active register each alert is about."""
    rows = with_agreement(BusinessAssociate.objects.filter(ended_at=None), on)
    counts = rows.aggregate(
        **{str(kind): Count("id", filter=condition) for kind, condition in CONDITIONS.items()}
    )
    return {kind: counts[str(kind)] for kind in ORDER}


def alerts(on: date | None = None) -> list[Alert]:
    """What the overview says of agreements that have expired or are about to."""
    counts = count_needs(on)
    return [Alert(kind, counts[kind]) for kind in (NeedKind.EXPIRED, NeedKind.EXPIRING) if counts[kind]]


def _need(kind: NeedKind, row: Any) -> Need:
    return Need(kind, row.pk, row.name, row.agreement_id, row.agreement_last_on)
