"""What the agreement with a partner says of hours; one place, so that agreements can drive the clocks."""

from __future__ import annotations

from typing import NamedTuple

from assessments.notices.kinds import Kind
from assessments.notices.models import OutsideRecipient
from assessments.partnerships.models import Partnership


class Hours(NamedTuple):
    """Hours by kind, as OutsideRecipient and agreements name them; None where nothing was agreed."""

    contingency: int | None = None
    workforce: int | None = None
    incident: int | None = None
    breach: int | None = None

    def of(self, kind: Kind) -> int | None:
        """The hours of a kind."""
        found: int | None = getattr(self, kind.value)
        return found


def hours_of(partnership: Partnership, kind: Kind) -> int | None:  # noqa: ARG001 (until agreements are shown downstream)
    """The hours that the agreement of a received partnership gives for a kind; None where it names none."""
    return Hours().of(kind)


def hours_outside(recipient: OutsideRecipient, kind: Kind) -> int | None:
    """The hours that were recorded for a covered entity that is no tenant."""
    found: int | None = getattr(recipient, f"{kind.value}_hours")
    return found
