"""What the open tenant knows of its own links: how each business associate's agreement and verification stand."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from assessments.chain.words import Break, LinkAgreement

_BROKEN_AGREEMENT = {
    LinkAgreement.EXPIRED: Break.AGREEMENT_EXPIRED,
    LinkAgreement.ABSENT: Break.NO_AGREEMENT,
}


@dataclass(frozen=True, slots=True)
class Link:
    """How one link stands. `changes_at` is when that changes by the calendar alone."""

    agreement: LinkAgreement = LinkAgreement.UNKNOWN
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
    return {associate_id: Link() for associate_id in associate_ids}
