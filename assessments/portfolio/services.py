"""What the pages of the portfolio show, with the register's entries beside the ranking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.errors import InvalidInput
from assessments.partners.models import BusinessAssociate
from assessments.portfolio.ranking import Standing, Wanted, rank
from assessments.portfolio.reasons import Reason


@dataclass(frozen=True, slots=True)
class Row:
    """A business associate as the list shows it."""

    associate: BusinessAssociate
    standing: Standing

    @property
    def name(self) -> str:
        """Its name in the register."""
        return self.associate.name

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the sources know of it."""
        return self.standing.facts


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A page of the list. `next` is the key of the one after it, or ""; `tiles`: what needs doing, of how many."""

    rows: list[Row]
    next: str
    first: bool
    found: int
    all: int
    tiles: list[tuple[Reason, int]]


def read_portfolio(wanted: Wanted, after: str) -> Portfolio:
    """A page. Raises InvalidInput for a key that no page gave."""
    ranked = rank(wanted, timezone.now(), after=_known(after, wanted))
    entries = BusinessAssociate.objects.in_bulk([row.associate_id for row in ranked.rows])
    rows = [Row(entries[row.associate_id], row) for row in ranked.rows]
    key = str(rows[-1].associate.pk) if ranked.more else ""
    return Portfolio(rows, key, not after, ranked.found, ranked.all, list(ranked.of_reason.items()))


def _known(after: str, wanted: Wanted) -> UUID | None:
    """The business associate after which a page begins."""
    if not after:
        return None
    try:
        found = BusinessAssociate.objects.filter(pk=UUID(after), ended_at__isnull=not wanted.ended).first()
    except ValueError:
        found = None
    if found is None:
        raise InvalidInput("This is no page of the register. Start at its first page.", field="after")
    return found.pk
