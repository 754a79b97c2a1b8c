"""Clocks of the sender: half time and deadline of each notice that nobody has acknowledged."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.notices import site_link
from accounts.permissions import Role
from assessments.notices.mail import addresses_of, send_now
from assessments.notices.models import Acknowledgement, Notice, NoticeEvent, Occurrence, OutsideNotice
from assessments.notices.outside import mail_outside
from assessments.notices.ways import emit_escalated


class Clock(NamedTuple):
    """One recipient's clock."""

    row_id: UUID
    occurrence: Occurrence
    recipient: str
    due_at: datetime
    acknowledged: bool


def escalate_notice(notice_id: UUID) -> datetime | None:
    """For a partner in the portal. A timer's handler."""
    notice = Notice.objects.get(pk=notice_id)
    occurrence = Occurrence.objects.get(pk=notice.occurrence_id)
    answered = Acknowledgement.received.filter(notice_id=notice_id).exists()
    return _escalate(Clock(notice.pk, occurrence, notice.recipient_name, notice.due_at, answered))


def escalate_outside(notice_id: UUID) -> datetime | None:
    """For one that is told by e-mail: at the deadline it is told again. A timer's handler."""
    row = OutsideNotice.objects.get(pk=notice_id)
    occurrence = Occurrence.objects.get(pk=row.occurrence_id)
    clock = Clock(row.pk, occurrence, row.recipient_name, row.due_at, row.acknowledged_at is not None)
    again = _escalate(clock)
    if again is None and not _is_over(clock):
        mail_outside(row, occurrence, "overdue")
    return again


def _is_over(clock: Clock) -> bool:
    return clock.acknowledged or (clock.occurrence.drill and clock.occurrence.closed_at is not None)


def _escalate(clock: Clock) -> datetime | None:
    if _is_over(clock):
        return None
    passed = timezone.now() >= clock.due_at
    NoticeEvent.objects.create(
        occurrence=clock.occurrence, kind="overdue" if passed else "reminded", recipient=clock.recipient,
        notice_id=clock.row_id,
    )  # fmt: skip
    record(
        Act.NOTICE_ESCALATE, object_type="notice", object_id=clock.row_id, overdue=passed,
        drill=clock.occurrence.drill,
    )  # fmt: skip
    emit_escalated(clock.occurrence, clock.row_id, clock.due_at, overdue=passed)
    send_now(
        addresses_of([Role.OWNER]), f"Not acknowledged: your notice to {clock.recipient}", drill=clock.occurrence.drill,
        what="sender_overdue" if passed else "sender_half", recipient=clock.recipient, due_at=clock.due_at,
        url=site_link("notice-detail", clock.occurrence.pk),
    )  # fmt: skip
    return None if passed else clock.due_at
