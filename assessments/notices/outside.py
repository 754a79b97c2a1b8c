"""Covered entities that are no tenants: kept by hand, told by e-mail, answering by a link without signing in."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, NotFound
from accounts.models import Tenant
from accounts.notices import site_link
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import outside_notice_tenant
from assessments.notices.mail import send_now
from assessments.notices.models import NoticeEvent, Occurrence, OutsideNotice, OutsideRecipient
from assessments.notices.sending import digest_of, link_token
from assessments.notices.terms import Hours
from assessments.notices.ways import emit_acknowledged_outside


class Opened(NamedTuple):
    """What the holder of a link may see."""

    tenant_id: UUID
    sender_name: str
    notice: OutsideNotice
    occurrence: Occurrence
    updates: list[NoticeEvent]


def add_recipient(*, name: str, email: str, hours: Hours) -> OutsideRecipient:
    """Keeps a covered entity that is told by e-mail."""
    agreed = {f"{kind}_hours": number for kind, number in hours._asdict().items()}
    made = OutsideRecipient.objects.create(name=name, email=email, **agreed)
    record(Act.NOTICE_RECIPIENT_ADD, object_type="notice_recipient", object_id=made.pk, name=name)
    return made


def remove_recipient(*, recipient_id: UUID) -> None:
    """Tells it nothing new from now on; its open links stay. Raises NotFound."""
    found = OutsideRecipient.objects.filter(pk=recipient_id, removed_at=None)
    if not found.update(removed_at=timezone.now()):
        raise NotFound("There is no such recipient.")
    record(Act.NOTICE_RECIPIENT_REMOVE, object_type="notice_recipient", object_id=recipient_id)


def tell_outside(notice_id: UUID) -> datetime | None:
    """Mails the link, and again for each update. A timer's handler. Raises OSError, smtplib.SMTPException."""
    row = OutsideNotice.objects.select_for_update().get(pk=notice_id)
    if row.told_revision >= row.revision:
        return None
    occurrence = Occurrence.objects.get(pk=row.occurrence_id)
    what = "new" if row.told_revision == 0 else "closed" if occurrence.closed_at else "updated"
    OutsideNotice.objects.filter(pk=row.pk).update(told_revision=row.revision)
    NoticeEvent.objects.create(
        occurrence=occurrence, kind="mailed", recipient=row.recipient_name, notice_id=row.pk
    )
    record(Act.NOTICE_MAIL, object_type="notice", object_id=row.pk, what=what, drill=occurrence.drill)
    mail_outside(row, occurrence, what)
    return None


def mail_outside(row: OutsideNotice, occurrence: Occurrence, what: str) -> None:
    """Sends the link of an outside notice. Raises OSError, smtplib.SMTPException."""
    sender = Tenant.objects.get().name
    send_now(
        [row.email], f"Notice from {sender}", drill=occurrence.drill, what=what,
        notice={"sender_name": sender, "get_kind_display": occurrence.get_kind_display(), "due_at": row.due_at},
        url=site_link("notice-link", link_token(row.pk)), outside=True,
    )  # fmt: skip


def open_link(*, token: str) -> Opened:
    """What a link leads to, and says so in its sender's log. Raises NotFound for one that is unknown or has expired."""
    opened = _find(token)
    with open_tenant(opened.tenant_id):
        record(Act.NOTICE_READ, object_type="notice", object_id=opened.notice.pk, by_link=True)
    return opened


def acknowledge_link(*, token: str, name: str) -> None:
    """Says who has read it. Raises NotFound, or Conflict where that was said before."""
    opened = _find(token)
    with open_tenant(opened.tenant_id):
        now, waiting = timezone.now(), OutsideNotice.objects.filter(pk=opened.notice.pk, acknowledged_at=None)
        if not waiting.update(acknowledged_at=now, acknowledged_by=name):
            raise Conflict("It is acknowledged already.")
        emit_acknowledged_outside(opened.notice, opened.occurrence, now)
        record(
            Act.NOTICE_ACKNOWLEDGE, object_type="notice", object_id=opened.notice.pk, by_link=True,
            drill=opened.occurrence.drill,
        )  # fmt: skip


def _find(token: str) -> Opened:
    tenant_id = outside_notice_tenant(digest_of(token))
    if tenant_id is None:
        raise NotFound("This link is not known.")
    with open_tenant(tenant_id):
        found = OutsideNotice.objects.filter(
            token_digest=digest_of(token), expires_at__gt=timezone.now()
        ).first()
        if found is None:
            raise NotFound("This link is not known.")
        occurrence = Occurrence.objects.get(pk=found.occurrence_id)
        told = NoticeEvent.objects.filter(occurrence=occurrence, kind__in=("updated", "closed"))
        return Opened(
            tenant_id, Tenant.objects.get().name, found, occurrence, list(told.order_by("at", "id"))
        )
