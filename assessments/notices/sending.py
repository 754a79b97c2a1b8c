"""One act sends an occurrence to every partner concerned, and starts a clock for each."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterator, Sequence
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
from assessments.notices.terms import agreed_hours, hours_outside
from assessments.partnerships.models import Partnership
from assessments.timers.models import Timer
from assessments.timers.services import RING_TIMER, set_timer
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


def has_recipients() -> bool:
    """Whether there is anybody upstream to be told."""
    return Partnership.received.exists() or OutsideRecipient.objects.filter(removed_at=None).exists()


def _partners(kind: Kind, discovered_at: datetime, zone: str) -> Iterator[Recipient]:
    agreed = agreed_hours(kind)
    for partnership in Partnership.received.all():
        term = term_of(kind, agreed.get(partnership.pk))
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
    _send_all(occurrence, chosen)
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


def _send_all(occurrence: Occurrence, to: Sequence[Recipient]) -> None:
    """Writes the rows of all recipients in a few statements, however many there are."""
    sender, sent_at = Tenant.objects.get().name, occurrence.sent_at
    shown = [_shown(occurrence, each, each.partnership, sender) for each in to if each.partnership]
    kept = [_kept_outside(occurrence, each, each.outside) for each in to if each.outside]
    Notice.objects.bulk_create(shown)
    OutsideNotice.objects.bulk_create(kept)
    clocks = [_timer(ESCALATE, row, half_time(sent_at, row.due_at)) for row in shown]
    clocks += [_timer(ESCALATE_OUTSIDE, row, half_time(sent_at, row.due_at)) for row in kept]
    mails = [_timer(TELL_OUTSIDE, row, sent_at) for row in kept]
    Timer.objects.bulk_create([*clocks, *mails])
    rows: list[Notice | OutsideNotice] = [*shown, *kept]
    NoticeEvent.objects.bulk_create([_sent(occurrence, row) for row in rows])
    ring_after_commit(RING_TIMER, owner_of(occurrence), [timer.pk for timer in mails])
    for row in shown:
        ring_after_commit(RECEIVE_NOTICE, row.viewer_id, [row.pk])


def _timer(kind: str, row: Notice | OutsideNotice, at: datetime) -> Timer:
    return Timer(kind=kind, row_id=row.pk, due_at=at, ring_at=at)


def _sent(occurrence: Occurrence, row: Notice | OutsideNotice) -> NoticeEvent:
    return NoticeEvent(
        occurrence=occurrence, kind="sent", recipient=row.recipient_name, notice_id=row.pk, at=occurrence.sent_at,
        text=f"Due {row.due_at:%Y-%m-%d %H:%M:%S} UTC by {row.rule}",
    )  # fmt: skip


def _shown(occurrence: Occurrence, to: Recipient, partnership: Partnership, sender: str) -> Notice:
    return Notice(
        occurrence=occurrence, viewer_id=owner_of(partnership), partnership_id=partnership.pk, kind=occurrence.kind,
        drill=occurrence.drill, title=occurrence.title, details=occurrence.details, zone=occurrence.zone,
        sender_name=sender, recipient_name=to.name, individuals=occurrence.individuals,
        discovered_at=occurrence.discovered_at, sent_at=occurrence.sent_at, shown_from=occurrence.sent_at,
        due_at=to.due_at, rule=to.rule,
    )  # fmt: skip


def _kept_outside(occurrence: Occurrence, to: Recipient, outside: OutsideRecipient) -> OutsideNotice:
    notice_id = new_id()
    return OutsideNotice(
        id=notice_id, occurrence=occurrence, recipient=outside, recipient_name=to.name, email=outside.email,
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
    _tell_more(occurrence, text, closes=closes, by=by, now=now)
    Occurrence.objects.filter(pk=occurrence.pk).update(closed_at=now if closes else None)
    kind = "closed" if closes else "updated"
    NoticeEvent.objects.create(occurrence=occurrence, kind=kind, by_name=by.name, text=text, at=now)
    act = Act.NOTICE_CLOSE if closes else Act.NOTICE_UPDATE
    record(act, object_type="occurrence", object_id=occurrence.pk, drill=occurrence.drill)


def _tell_more(occurrence: Occurrence, text: str, *, closes: bool, by: Person, now: datetime) -> None:
    notices = list(Notice.objects.filter(occurrence=occurrence))
    NoticeUpdate.objects.bulk_create(
        NoticeUpdate(
            notice=notice, viewer_id=notice.viewer_id, number=notice.revision, text=text, by_name=by.name,
            closes=closes, at=now, shown_from=now,
        )
        for notice in notices
    )  # fmt: skip
    Notice.objects.filter(occurrence=occurrence).update(
        revision=F("revision") + 1, closed_at=now if closes else None
    )
    for notice in notices:
        ring_after_commit(RECEIVE_NOTICE, notice.viewer_id, [notice.pk])
    for outside in OutsideNotice.objects.filter(occurrence=occurrence):
        OutsideNotice.objects.filter(pk=outside.pk).update(revision=F("revision") + 1)
        set_timer(TELL_OUTSIDE, outside.pk, now)
