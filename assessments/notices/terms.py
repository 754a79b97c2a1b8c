"""What the agreement with a partner says of hours; one place, so that agreements can drive the clocks."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from assessments.agreements.models import AgreementTerms
from assessments.agreements.terms import read_terms
from assessments.notices.kinds import Kind
from assessments.notices.models import OutsideRecipient


class Hours(NamedTuple):
    """Hours by kind, as OutsideRecipient and agreements name them; None where nothing was agreed."""

    contingency: int | None = None
    workforce: int | None = None
    incident: int | None = None
    breach: int | None = None


def agreed_hours(kind: Kind) -> dict[UUID, int]:
    """The hours for a kind that the agreements of received partnerships give, by partnership, where they give any."""
    name = f"{kind.value}_hours"
    read = (
        (row.partnership_id, read_terms(row, row.agreement_id))
        for row in AgreementTerms.received.with_state()
    )
    return {key: getattr(terms, name) for key, terms in read if name in terms.agreed}


def hours_outside(recipient: OutsideRecipient, kind: Kind) -> int | None:
    """The hours that were recorded for a covered entity that is no tenant."""
    found: int | None = getattr(recipient, f"{kind.value}_hours")
    return found
