"""What happens between two tenants, for parts that hang rows on a partnership.

Each party writes its own rows only, so a signal is sent on each side: in a transaction of that side, its tenant open.
Who hears it writes rows of that side, and acts alike when it hears the same twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.dispatch import Signal


class Side(StrEnum):
    """Whose tenant is open while the signal is heard."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"


@dataclass(frozen=True, slots=True)
class Relation:
    """A partnership as one side of it hears of it."""

    partnership_id: UUID
    side: Side
    other_tenant_id: UUID | None = None
    """None, and no name, on the downstream side where only the clock noticed the end: the row isn't shown any more."""
    other_name: str = ""


partnership_began = Signal()
"""With `relation`. On both sides, in one transaction with the acceptance."""

partnership_ended = Signal()
"""With `relation`.

The upstream party ends it: on the upstream side in the transaction of the end, then on the downstream side in one of
its own, right after; if that fails, within a day. The downstream party leaves: on the downstream side alone, in the
transaction of leaving; the end by the upstream party may follow, and is heard on both sides.
"""
