"""Ways besides e-mail: webhooks are told of notices, and the sender sees by which ways each recipient was."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.utils import timezone

from accounts.models import WebhookDelivery
from accounts.webhooks.emitting import emit, emit_to
from accounts.webhooks.events import EventType
from accounts.webhooks.models import DeliveryState
from assessments.notices.models import Notice, NoticeTold, Occurrence, OutsideNotice, owner_of


def emit_received(notice: Notice) -> None:
    """Tells the receiving tenant's webhooks, whose tenant is open: once of the notice, once of each addition."""
    said = {"partnership": notice.partnership_id, **_clock(notice, notice.due_at)}
    page = ("notice-received", notice.pk)
    emit(EventType.NOTICE_RECEIVED, notice.pk, page=page, at=notice.sent_at, sent_at=notice.sent_at, **said)
    if notice.revision > 1:
        emit(
            EventType.NOTICE_UPDATED, notice.pk, page=page, key=f"{notice.pk} {notice.revision}",
            revision=notice.revision, closed=notice.closed_at is not None, **said,
        )  # fmt: skip


def emit_acknowledged(notice: Notice, at: datetime) -> None:
    """Tells the sender's webhooks, from the tenant that has acknowledged."""
    emit_to(
        owner_of(notice), EventType.NOTICE_ACKNOWLEDGED, notice.pk, page=("notice-detail", notice.occurrence_id),
        partnership=notice.partnership_id, acknowledged_at=at, in_time=at <= notice.due_at,
        **_clock(notice, notice.due_at),
    )  # fmt: skip


def emit_acknowledged_outside(row: OutsideNotice, occurrence: Occurrence, at: datetime) -> None:
    """Tells the sender's webhooks, whose tenant is open, of one that answered by a link."""
    emit(
        EventType.NOTICE_ACKNOWLEDGED, row.pk, page=("notice-detail", occurrence.pk), partnership=None,
        acknowledged_at=at, in_time=at <= row.due_at, **_clock(occurrence, row.due_at),
    )  # fmt: skip


def emit_escalated(occurrence: Occurrence, notice_id: UUID, due_at: datetime, *, overdue: bool) -> None:
    """Tells the webhooks of the sender, whose tenant is open, that nobody has acknowledged yet."""
    emit(
        EventType.NOTICE_ESCALATED, notice_id, page=("notice-detail", occurrence.pk),
        key=f"{notice_id} {'overdue' if overdue else 'half'}", side="sender", overdue=overdue,
        **_clock(occurrence, due_at),
    )  # fmt: skip


def emit_escalated_received(notice: Notice) -> None:
    """Tells the webhooks of the recipient, whose tenant is open, that nobody there has acknowledged by the deadline."""
    emit(
        EventType.NOTICE_ESCALATED, notice.pk, page=("notice-received", notice.pk), side="recipient", overdue=True,
        **_clock(notice, notice.due_at),
    )  # fmt: skip


def _clock(row: Notice | Occurrence, due_at: datetime) -> dict[str, Any]:
    return {"kind": row.kind, "drill": row.drill, "due_at": due_at}


def note_way(notice: Notice, way: Literal["mailed_at", "webhook_at"]) -> None:
    """Keeps for the sender when the notice first came by a way, in the receiving tenant."""
    row, _made = NoticeTold.objects.get_or_create(
        notice_id=notice.pk, defaults={"viewer_id": owner_of(notice)}
    )
    NoticeTold.objects.filter(pk=row.pk, **{way: None}).update(**{way: timezone.now()})


def note_webhook(delivery: WebhookDelivery, **_: Any) -> None:
    """Hears accounts.signals.webhook_settled. That a receiver failed is the recipient's own matter."""
    message = delivery.message
    if message.type != EventType.NOTICE_RECEIVED or delivery.state != DeliveryState.DELIVERED:
        return
    notice = Notice.received.filter(pk=message.data["id"]).first()
    if notice is not None:
        note_way(notice, "webhook_at")
