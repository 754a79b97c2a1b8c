"""What the pages of the portfolio show, with the register's entries beside the ranking."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.audit.shared import tell_sharer
from accounts.errors import InvalidInput
from assessments.agreements.states import State
from assessments.partners.models import BusinessAssociate
from assessments.portfolio.ranking import Standing as Place
from assessments.portfolio.ranking import Wanted, rank
from assessments.portfolio.reasons import Reason
from assessments.portfolio.sources import SOURCES
from assessments.verifications.dates import Standing, due_after, standing_of


@dataclass(frozen=True, slots=True)
class Row:
    """A business associate as the list shows it."""

    associate: BusinessAssociate
    standing: Place

    @property
    def name(self) -> str:
        """Its name in the register."""
        return self.associate.name

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the sources know of it."""
        return self.standing.facts

    @property
    def agreement_label(self) -> str:
        """The state of its agreement in words, "" where none is recorded."""
        state = self.facts["agreement_state"]
        return State(state).label if state else ""

    @property
    def verification(self) -> Standing | None:
        """How its yearly verification stands; None where it is no tenant that works with this one."""
        said = self.facts
        if said["partnership_id"] is None:
            return None
        return standing_of(
            due_on=said["delivery_due_on"] or due_after(said["began_at"]), delivered=self.has_delivered,
            answer=said["answer"], today=timezone.now().date(),
        )  # fmt: skip

    @property
    def verification_word(self) -> str:
        """The same in words."""
        return self.verification.word(delivered=self.has_delivered) if self.verification else ""

    @property
    def has_delivered(self) -> bool:
        """Whether there is a verification of it."""
        return self.facts["delivery_id"] is not None

    @property
    def in_scope(self) -> int:
        """The safeguards that it shows."""
        return sum(self.facts[name] or 0 for name in ("evidenced", "gaps", "not_evidenced", "undetermined"))

    @property
    def posture_words(self) -> str:
        """The shown posture, for who can't see the bar."""
        said = self.facts
        return f"{said['evidenced']} evidenced, {said['gaps']} with a gap, of {self.in_scope}"


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A page of the list. `next` is the key of the one after it, or ""; `tiles`: what needs doing, of how many."""

    rows: list[Row]
    next: str
    first: bool
    found: int
    all: int
    tiles: list[tuple[Reason, int]]


def read_portfolio(wanted: Wanted, after: str, *, reader: str) -> Portfolio:
    """A page. Those who show something on it are told that `reader`, the open tenant's name, has read it.

    Raises InvalidInput for a key that no page gave.
    """
    ranked = rank(wanted, timezone.now(), after=_known(after, wanted))
    tell_shown(ranked.rows, reader=reader)
    entries = BusinessAssociate.objects.in_bulk([row.associate_id for row in ranked.rows])
    rows = [Row(entries[row.associate_id], row) for row in ranked.rows]
    key = str(rows[-1].associate.pk) if ranked.more else ""
    return Portfolio(rows, key, not after, ranked.found, ranked.all, list(ranked.of_reason.items()))


def count_reasons() -> list[tuple[Reason, int]]:
    """What needs doing about how many active business associates; empty where there is none at all."""
    ranked = rank(Wanted(), timezone.now(), size=0)
    return list(ranked.of_reason.items()) if ranked.all else []


def tell_shown(rows: Iterable[Place], *, reader: str) -> None:
    """Says in the log of each business associate what of it is shown."""
    for row in rows:
        for source in SOURCES:
            if source.told and row.facts[source.columns[0]] is not None:
                tell_sharer(
                    row.facts["downstream_id"], source.told.act, reader=reader,
                    object_type=source.told.object_type, object_id=row.facts[source.told.column], page="portfolio",
                )  # fmt: skip


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
