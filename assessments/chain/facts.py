"""What the open tenant knows of its own links: how each business associate's agreement and verification stand."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.utils import timezone

from assessments.agreements.models import Agreement
from assessments.agreements.states import EXPIRING, State
from assessments.chain.words import Break, LinkAgreement
from assessments.partnerships.models import Partnership
from assessments.verifications.reading import Line, lines_for_recipient

_WORDS = {
    State.IN_FORCE: LinkAgreement.IN_FORCE,
    State.EXPIRING: LinkAgreement.EXPIRING,
    State.EXPIRED: LinkAgreement.EXPIRED,
}
"""Whatever else a state is, nobody is bound by it now."""
_BROKEN_AGREEMENT = {
    LinkAgreement.EXPIRED: Break.AGREEMENT_EXPIRED,
    LinkAgreement.ABSENT: Break.NO_AGREEMENT,
}


@dataclass(frozen=True, slots=True)
class Link:
    """How one link stands. `changes_at` is when that changes by the calendar alone.

    `verified_at` is when the last verification was certified that the business associate delivered; None where there is
    none. One that has no tenant here delivers none, and is never overdue.
    """

    agreement: LinkAgreement = LinkAgreement.ABSENT
    verified_at: datetime | None = None
    overdue: bool = False
    changes_at: datetime | None = None

    @property
    def broken(self) -> tuple[Break, ...]:
        """Why it is broken; empty where it isn't."""
        agreement = _BROKEN_AGREEMENT.get(self.agreement)
        return (*([agreement] if agreement else []), *([Break.VERIFICATION_OVERDUE] if self.overdue else []))


def links_of(associate_ids: Collection[UUID]) -> dict[UUID, Link]:
    """The links to these business associates of the open tenant."""
    current = Agreement.objects.with_state().filter(associate_id__in=list(associate_ids), is_current=True)
    agreements = {each.associate_id: each for each in current}
    working = Partnership.objects.filter(associate_id__in=list(associate_ids), withdrawn_at=None)
    verified = {line.partnership.associate_id: line for line in lines_for_recipient(working)}
    return {each: _link(agreements.get(each), verified.get(each)) for each in associate_ids}


def _link(agreement: Agreement | None, line: Line | None) -> Link:
    now = timezone.now()
    word = agreement and _WORDS.get(State(agreement.state or State.DRAFT))
    turns = (_begin(day) for day in _turns(agreement, line))
    return Link(
        word or LinkAgreement.ABSENT, verified_at=line.delivery.certified_at if line and line.delivery else None,
        overdue=bool(line and line.days_late), changes_at=min((at for at in turns if at > now), default=None),
    )  # fmt: skip


def _turns(agreement: Agreement | None, line: Line | None) -> Iterator[date]:
    """The days on which the agreement's state changes (assessments.agreements.states.state_rule), or it is overdue."""
    if line:
        yield line.due_on + timedelta(days=1)
    if agreement is None:
        return
    yield from (day for day in (agreement.effective_from, agreement.terminated_on) if day)
    if agreement.last_on:
        yield agreement.last_on - EXPIRING
        yield agreement.last_on + timedelta(days=1)


def _begin(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
