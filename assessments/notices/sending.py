"""One act sends an occurrence to every partner concerned, and starts a clock for each."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Person, Tenant
from accounts.tenancy.models import new_id
from assessments.notices.clocks import half_time, term_of, zone_named
from assessments.notices.kinds import Kind, Side
from assessments.notices.models import (
    Notice,
    NoticeEvent,
    NoticeUpdate,
    Occurrence,
    OutsideNotice,
    OutsideRecipient,
    owner_of,
)
from assessments.notices.terms import hours_of, hours_outside
from assessments.partnerships.models import Partnership
from assessments.timers.services import set_timer
from evidence.queue import ring_after_commit

RECEIVE_NOTICE = "tasks.notices.receive_notice"
ESCALATE, ESCALATE_OUTSIDE, TELL_OUTSIDE = "notice-escalate", "notice-escalate-outside", "notice-outside"
LINK_VALID_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be sent. `discovered_at` is what the clocks run from; `zone` is one of clocks.ZONES."""

    kind: Kind
    drill: bool
    title: str
    details: str
    discovered_at: datetime
    zone: str
    individuals: int | None = None
    most_in_one_state: int | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """A partner to be told, by when, and by which rule. One of the two sources is set."""

    id: UUID
    name: str
    due_at: datetime
    rule: str
    partnership: Partnership | None = None
    outside: OutsideRecipient | None = None


def list_recipients(*, kind: Kind, discovered_at: datetime, zone: str) -> list[Recipient]:
    """Everybody upstream, by deadline and name: partners in the portal, and those who are told by e-mail."""
    found = [*_partners(kind, discovered_at, zone), *_outsiders(kind, discovered_at, zone)]
    return sorted(found, key=lambda each: (each.due_at, each.name))


def _partners(kind: Kind, discovered_at: datetime, zone: str) -> Iterator[Recipient]:
    for partnership in Partnership.received.all():
        term = term_of(kind, hours_of(partnership, kind))
        due_at = term.due_at(discovered_at, zone_named(zone))
        yield Recipient(partnership.pk, partnership.upstream_name, due_at, term.rule, partnership=partnership)


def _outsiders(kind: Kind, discovered_at: datetime, zone: str) -> Iterator[Recipient]:
    for outside in OutsideRecipient.objects.filter(removed_at=None):
        term = term_of(kind, hours_outside(outside, kind))
        due_at = term.due_at(discovered_at, zone_named(zone))
        yield Recipient(outside.pk, outside.name, due_at, term.rule, outside=outside)


def send_notices(*, draft: Draft, to: Collection[UUID], by: Person) -> Occurrence:
    """Tells the recipients with these ids, each with its own clock. Raises InvalidInput."""
    now = timezone.now()
    if draft.discovered_at > now:
        raise InvalidInput("Give a time that has passed.", field="discovered_at")
    known = list_recipients(kind=draft.kind, discovered_at=draft.discovered_at, zone=draft.zone)
    chosen = [each for each in known if each.id in to]
    if not chosen or len(chosen) != len(set(to)):
        raise InvalidInput("Choose who is to be told.", field="recipients")
    occurrence = keep_occurrence(draft, Side.ASSOCIATE, by=by)
    for each in chosen:
        _send_one(occurrence, each)
    record(
        Act.NOTICE_SEND, object_type="occurrence", object_id=occurrence.pk, kind=draft.kind.value, drill=draft.drill,
        due={str(each.id): each.due_at.isoformat() for each in chosen},
    )  # fmt: skip
    return occurrence


def keep_occurrence(draft: Draft, side: Side, *, by: Person, from_notice: UUID | None = None) -> Occurrence:
    """Writes what happened down, with its first event. Raises nothing."""
    occurrence = Occurrence.objects.create(
        kind=draft.kind, side=side, drill=draft.drill, title=draft.title, details=draft.details, zone=draft.zone,
        discovered_at=draft.discovered_at, individuals=draft.individuals, most_in_one_state=draft.most_in_one_state,
        sent_by=by, sent_at=timezone.now(), from_notice=from_notice,
    )  # fmt: skip
    NoticeEvent.objects.create(
        occurrence=occurrence, kind="started", by_name=by.name, at=occurrence.sent_at, text=draft.title
    )
    return occurrence


def _send_one(occurrence: Occurrence, to: Recipient) -> None:
    if to.partnership is not None:
        row: Notice | OutsideNotice = _show(occurrence, to, to.partnership)
        ring_after_commit(RECEIVE_NOTICE, owner_of(to.partnership), [row.pk])
        timer = ESCALATE
    else:
        row, timer = _keep_outside(occurrence, to), ESCALATE_OUTSIDE
        set_timer(TELL_OUTSIDE, row.pk, occurrence.sent_at)
    set_timer(timer, row.pk, half_time(occurrence.sent_at, to.due_at))
    NoticeEvent.objects.create(
        occurrence=occurrence, kind="sent", recipient=to.name, notice_id=row.pk, at=occurrence.sent_at,
        text=f"Due {to.due_at:%Y-%m-%d %H:%M:%S} UTC by {to.rule}",
    )  # fmt: skip


def _show(occurrence: Occurrence, to: Recipient, partnership: Partnership) -> Notice:
    return Notice.objects.create(
        occurrence=occurrence, viewer_id=owner_of(partnership), partnership_id=partnership.pk, kind=occurrence.kind,
        drill=occurrence.drill, title=occurrence.title, details=occurrence.details, zone=occurrence.zone,
        sender_name=Tenant.objects.get().name, recipient_name=to.name, individuals=occurrence.individuals,
        discovered_at=occurrence.discovered_at, sent_at=occurrence.sent_at, shown_from=occurrence.sent_at,
        due_at=to.due_at, rule=to.rule,
    )  # fmt: skip


def _keep_outside(occurrence: Occurrence, to: Recipient) -> OutsideNotice:
    assert to.outside is not None  # noqa: S101 (a recipient is one or the other)
    notice_id = new_id()
    return OutsideNotice.objects.create(
        id=notice_id, occurrence=occurrence, recipient=to.outside, recipient_name=to.name, email=to.outside.email,
        token_digest=digest_of(link_token(notice_id)), due_at=to.due_at, rule=to.rule,
        expires_at=max(occurrence.sent_at, to.due_at) + LINK_VALID_FOR,
    )  # fmt: skip


def link_token(notice_id: UUID) -> str:
    """The token of an outside notice's link: made anew for each mail from a key that the database doesn't hold."""
    made = salted_hmac("surety.outside-notice", str(notice_id), algorithm="sha256").digest()
    return urlsafe_b64encode(made).decode().rstrip("=")


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def find_occurrence(*, occurrence_id: UUID, lock: bool = False) -> Occurrence:
    """One of the open tenant's. Raises NotFound."""
    rows = Occurrence.objects.select_for_update() if lock else Occurrence.objects.all()
    found = rows.filter(pk=occurrence_id).first()
    if found is None:
        raise NotFound("There is no such notice.")
    return found


def add_update(*, occurrence_id: UUID, text: str, closes: bool, by: Person) -> None:
    """Tells all recipients more; with `closes` that it is over. Raises NotFound, or Conflict for one that is closed."""
    occurrence = find_occurrence(occurrence_id=occurrence_id, lock=True)
    if occurrence.closed_at is not None:
        raise Conflict("It is closed already.")
    now = timezone.now()
    closing = {"closed_at": now} if closes else {}
    for notice in Notice.objects.filter(occurrence=occurrence):
        NoticeUpdate.objects.create(
            notice=notice, viewer_id=notice.viewer_id, number=notice.revision, text=text, by_name=by.name,
            closes=closes, at=now, shown_from=now,
        )  # fmt: skip
        Notice.objects.filter(pk=notice.pk).update(revision=F("revision") + 1, **closing)
        ring_after_commit(RECEIVE_NOTICE, notice.viewer_id, [notice.pk])
    for outside in OutsideNotice.objects.filter(occurrence=occurrence):
        OutsideNotice.objects.filter(pk=outside.pk).update(revision=F("revision") + 1)
        set_timer(TELL_OUTSIDE, outside.pk, now)
    Occurrence.objects.filter(pk=occurrence.pk).update(closed_at=now if closes else None)
    kind = "closed" if closes else "updated"
    NoticeEvent.objects.create(occurrence=occurrence, kind=kind, by_name=by.name, text=text, at=now)
    act = Act.NOTICE_CLOSE if closes else Act.NOTICE_UPDATE
    record(act, object_type="occurrence", object_id=occurrence.pk, drill=occurrence.drill)
