"""Webhooks of both parties hear of a partnership's beginning and end."""

from __future__ import annotations

from typing import Any

from accounts.webhooks.emitting import emit
from accounts.webhooks.events import EventType
from assessments.partnerships.signals import Relation, Side


def emit_began(relation: Relation, **_: Any) -> None:
    """Hears partnership_began."""
    _emit(EventType.PARTNERSHIP_BEGAN, relation)


def emit_ended(relation: Relation, **_: Any) -> None:
    """Hears partnership_ended, which the downstream side can hear twice."""
    _emit(EventType.PARTNERSHIP_ENDED, relation)


def _emit(event: EventType, relation: Relation) -> None:
    upstream = relation.side is Side.UPSTREAM
    page = ("business-associate-list",) if upstream else ("covered-entity-list",)
    emit(event, relation.partnership_id, page=page, side=str(relation.side))
