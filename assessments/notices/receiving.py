"""The other side of a notice: its people are told by their own worker, and one of them acknowledges."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.shared import tell_sharer
from accounts.errors import Conflict, NotFound
from accounts.models import Person, Tenant
from accounts.notices import site_link
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant, savepoint
from assessments.notices.mail import OFFICIALS, addresses_of, send_now
from assessments.notices.models import Acknowledgement, Notice, NoticeReceived, owner_of
from assessments.notices.ways import emit_acknowledged, emit_escalated_received, emit_received, note_way
from assessments.timers.services import set_timer

REMIND = "notice-received"


def receive_notice(*, tenant_id: UUID, notice_id: UUID) -> bool:
    """Tells the tenant's webhooks, owners and security officials of a notice, or of more of it; whether it did.

    Webhooks don't wait for a mail server that fails: they are told first, once. The mail goes out before the row that
    says so is committed. Raises OSError, smtplib.SMTPException.
    """
    with open_tenant(tenant_id):
        notice = Notice.received.filter(pk=notice_id).first()
        if notice is not None:
            emit_received(notice)
    with open_tenant(tenant_id):
        notice = Notice.received.filter(pk=notice_id).first()
        if notice is None:
            return False
        row = _received(notice)
        if row.told_revision >= notice.revision:
            return False
        fresh = row.told_revision == 0
        row.told_revision = notice.revision
        row.save(update_fields=["told_revision"])
        if fresh:
            set_timer(REMIND, notice.pk, notice.due_at)
        record(
            Act.NOTICE_RECEIVE, object_type="notice", object_id=notice.pk, sender=notice.sender_name,
            drill=notice.drill, revision=notice.revision,
        )  # fmt: skip
        _tell(notice, fresh=fresh)
        return True


def _received(notice: Notice) -> NoticeReceived:
    NoticeReceived.objects.get_or_create(notice_id=notice.pk, defaults={"sender_name": notice.sender_name})
    return NoticeReceived.objects.select_for_update().get(notice_id=notice.pk)


def _tell(notice: Notice, *, fresh: bool) -> None:
    what = "closed" if notice.closed_at and not fresh else "new" if fresh else "updated"
    people = addresses_of(OFFICIALS)
    send_now(
        people, _subject(what, notice), drill=notice.drill, what=what, notice=notice,
        url=site_link("notice-received", notice.pk),
    )  # fmt: skip
    if people:
        note_way(notice, "mailed_at")


def _subject(what: str, notice: Notice) -> str:
    said = {"new": "Notice", "updated": "Update to a notice", "closed": "Closed: a notice"}[what]
    return f"{said} from {notice.sender_name}"


def remind_receiver(notice_id: UUID) -> datetime | None:
    """At the deadline: tells the receiver's owners of a notice that nobody there acknowledged. A timer's handler."""
    notice = Notice.received.filter(pk=notice_id).first()
    acknowledged = Acknowledgement.objects.filter(notice_id=notice_id).exists()
    if notice is None or acknowledged or (notice.drill and notice.closed_at):
        return None
    emit_escalated_received(notice)
    send_now(
        addresses_of([Role.OWNER]), f"Not acknowledged: a notice from {notice.sender_name}", drill=notice.drill,
        what="overdue", notice=notice, url=site_link("notice-received", notice.pk),
    )  # fmt: skip
    record(Act.NOTICE_ESCALATE, object_type="notice", object_id=notice.pk, drill=notice.drill)
    return None


def find_received(*, notice_id: UUID) -> Notice:
    """One that is shown to the open tenant. Raises NotFound."""
    found = Notice.received.filter(pk=notice_id).first()
    if found is None:
        raise NotFound("There is no such notice.")
    return found


def acknowledge_notice(*, notice_id: UUID, note: str, by: Person) -> Acknowledgement:
    """Tells the sender that it was read. Raises NotFound, or Conflict where somebody here did so before."""
    notice, now = find_received(notice_id=notice_id), timezone.now()
    try:
        with savepoint():
            made = Acknowledgement.objects.create(
                notice_id=notice.pk, partnership_id=notice.partnership_id, viewer_id=owner_of(notice), by=by,
                by_name=f"{by.name}, {Tenant.objects.get().name}"[:200], note=note, at=now, shown_from=now,
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict("Somebody of your organization has acknowledged it already.") from error
    emit_acknowledged(notice, now)
    record(Act.NOTICE_ACKNOWLEDGE, object_type="notice", object_id=notice.pk, drill=notice.drill)
    tell_sharer(
        owner_of(notice), Act.NOTICE_ACKNOWLEDGE, reader=notice.recipient_name, object_type="notice",
        object_id=notice.pk,
    )  # fmt: skip
    return made
