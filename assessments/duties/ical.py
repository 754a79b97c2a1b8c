"""Duties as an iCalendar object (RFC 5545, RFC 7986)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from icalendar import Calendar, Event

from assessments.duties.reading import Line

PRODUCT = "-//Surety//Calendar of duties//EN"
REFRESHED = timedelta(hours=6)


def write_calendar(lines: Iterable[Line], *, name: str, about: str, of: UUID, now: datetime) -> bytes:
    """The lines as events, in the order given. `of` is the tenant, within which a duty keeps its UID for good.

    Times are written in UTC, so that no program needs a table of zones; a duty of a whole day is an all-day event.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("x-wr-caldesc", about)
    calendar.add("refresh-interval", REFRESHED, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT6H")
    for line in lines:
        calendar.add_component(_event(line, of, now))
    written: bytes = calendar.to_ical()
    return written


def _event(line: Line, of: UUID, now: datetime) -> Event:
    duty, event = line.duty, Event()
    said = duty.brief or duty.title
    url = settings.SITE_URL.rstrip("/") + duty.url
    event.add("uid", str(uuid5(NAMESPACE_URL, f"{of}|{line.part.slug}|{duty.name}")))
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", line.day if duty.whole_day else duty.at.astimezone(UTC).replace(microsecond=0))
    event.add("summary", f"Done: {said}" if duty.done else said)
    event.add("description", f"{duty.why}\n\n{url}")
    event.add("url", url)
    event.add("categories", [line.part.label])
    event.add("status", "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    return event
