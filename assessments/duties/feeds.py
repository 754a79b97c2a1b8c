"""Links by which members' calendar programs read the duties, without a session.

Who holds the link reads what its member may, so it is shown once, kept as a digest, and ends by its member's hand, an
administrator's, or with the membership. A link that is wrong, revoked or of somebody who has left gives the same
answer after the same single question to the database. A network that tries wrong links has to wait, as one that
tries passwords does; a right one is let in from there all the same.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act, ActorKind
from accounts.audit.log import Actor, acting, current_actor, record
from accounts.errors import Conflict, NotFound, TooManyRequests
from accounts.models import Membership, Person, Tenant
from accounts.permissions import MEMBER_ROLES, Permission, Role, allows
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import calendar_feed_tenant
from accounts.throttle import begin_network_try
from assessments.duties.models import CalendarFeed
from assessments.duties.reading import Line, tell_sharers

NEEDS = Permission.PARTNER_READ
"""What a member needs to read the calendar, by the page as by the link."""
MOST_A_MINUTE = 12
_MINUTE = timedelta(minutes=1)
CLOSED = "This calendar link doesn't work: it was replaced or ended, or it is not complete."


@dataclass(frozen=True, slots=True)
class FeedMade:
    """A new link's token, which is kept nowhere."""

    feed: CalendarFeed
    token: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose calendar a link opens, inside the tenant."""

    feed: CalendarFeed
    tenant: Tenant
    role: Role

    def may(self, permission: Permission) -> bool:
        """Whether the member's role includes the permission."""
        return allows(self.role, permission)


def create_feed(*, by: Membership) -> FeedMade:
    """Makes the member's link; the one before ends."""
    Membership.objects.select_for_update().get(pk=by.pk)
    now = timezone.now()
    ended = CalendarFeed.objects.filter(person=by.person_id, revoked_at=None).update(revoked_at=now)
    token = secrets.token_urlsafe(32)
    feed = CalendarFeed.objects.create(person_id=by.person_id, token_digest=_digest(token))
    record(Act.CALENDAR_FEED_CREATE, object_type="calendar_feed", object_id=feed.pk, replaced=ended)
    return FeedMade(feed, token)


def revoke_feed(*, feed_id: UUID, by: Membership) -> CalendarFeed:
    """Ends a link from the next request: one's own, or with the right to change members anybody's.

    Raises NotFound, or Conflict where it has ended.
    """
    feed = CalendarFeed.objects.select_for_update().filter(pk=feed_id).first()
    if feed is None or not (feed.person_id == by.person_id or _manages(by)):
        raise NotFound("There is no such calendar link.")
    if feed.revoked_at:
        raise Conflict("This calendar link has ended already.")
    feed.revoked_at = timezone.now()
    feed.save(update_fields=["revoked_at"])
    record(
        Act.CALENDAR_FEED_REVOKE, object_type="calendar_feed", object_id=feed.pk, person=str(feed.person_id)
    )
    return feed


def list_feeds(by: Membership) -> list[CalendarFeed]:
    """The links that work and their people: the member's own, or all for who may change members."""
    members = Membership.objects.values("person_id")
    rows = CalendarFeed.objects.filter(revoked_at=None, person_id__in=members)
    chosen = rows if _manages(by) else rows.filter(person=by.person_id)
    return list(chosen.select_related("person").order_by("-created_at"))


@contextmanager
def as_reader(*, token: str, address: str) -> Iterator[Reader]:
    """Opens the link's tenant for one reading, which stands in its log as the member's.

    Raises NotFound for a link that doesn't work, TooManyRequests.
    """
    tenant_id = calendar_feed_tenant(_digest(token), [role for role in MEMBER_ROLES if allows(role, NEEDS)])
    if tenant_id is None:
        _slow_down(address)
        raise NotFound(CLOSED)
    with open_tenant(tenant_id):
        reader = _find_reader(token)
        _count(reader.feed)
        with acting(_actor(reader.feed.person)):
            record(
                Act.CALENDAR_FEED_READ,
                object_type="calendar_feed",
                object_id=reader.feed.pk,
                way="calendar link",
            )
            yield reader


def tell_once_a_day(reader: Reader, lines: Iterable[Line]) -> None:
    """Says to those whose rows were read that they were: programs ask all day long, so at the day's first reading."""
    today = timezone.now().date()
    if reader.feed.told_on == today:
        return
    tell_sharers(lines, reader.tenant.name)
    reader.feed.told_on = today
    reader.feed.save(update_fields=["told_on"])


def _find_reader(token: str) -> Reader:
    feed = CalendarFeed.objects.select_for_update(of=("self",)).select_related("person")
    found = feed.filter(token_digest=_digest(token), revoked_at=None).first()
    member = found and Membership.objects.filter(person=found.person_id).first()
    if not found or not member or not found.person.is_active:
        raise NotFound(CLOSED)
    return Reader(found, Tenant.objects.get(), Role(member.role))


def _slow_down(address: str) -> None:
    until = begin_network_try(address)
    if until:
        raise TooManyRequests(max(1, round((until - timezone.now()).total_seconds())))


def _count(feed: CalendarFeed) -> None:
    now = timezone.now()
    if now - feed.asked_since >= _MINUTE:
        feed.asked_since, feed.asked = now, 0
    if feed.asked >= MOST_A_MINUTE:
        raise TooManyRequests(max(1, round((feed.asked_since + _MINUTE - now).total_seconds())))
    feed.asked += 1
    feed.used_at = now
    feed.save(update_fields=["asked", "asked_since", "used_at"])


def _actor(person: Person) -> Actor:
    return replace(current_actor(), kind=ActorKind.PERSON, id=str(person.pk), name=person.email, session="")


def _manages(member: Membership) -> bool:
    return allows(Role(member.role), Permission.MEMBER_CHANGE)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
