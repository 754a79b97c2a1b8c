"""What begins and ends with a partnership: the business associate sees the agreement's terms as long as it stands."""

from __future__ import annotations

from typing import Any

from assessments.agreements.sharing import share_terms, withdraw_terms
from assessments.partnerships.models import Partnership
from assessments.partnerships.signals import Relation, Side


def show_when_it_begins(relation: Relation, **_: Any) -> None:
    """Shows the terms of an agreement that was recorded before."""
    if relation.side is Side.UPSTREAM:
        share_terms(Partnership.objects.get(pk=relation.partnership_id))


def withdraw_when_it_ends(relation: Relation, **_: Any) -> None:
    """Neither side reads anything of the other's from then on."""
    if relation.side is Side.UPSTREAM:
        withdraw_terms(Partnership.objects.get(pk=relation.partnership_id))
