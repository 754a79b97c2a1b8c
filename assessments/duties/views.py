"""Pages of the calendar: the list, the links of calendar programs, and the feed that they read."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import TenantRequest, public, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import InvalidInput, NotFound
from accounts.notices import site_link
from accounts.permissions import Permission
from accounts.requests import client_address
from accounts.views.pages import say
from assessments.duties import feeds
from assessments.duties.forms import CalendarFilterForm
from assessments.duties.ical import write_calendar
from assessments.duties.reading import Line, list_duties, parts_for, read_calendar, tell_sharers

PAGE = 100
FEED_BACK, FEED_AHEAD = timedelta(days=90), timedelta(days=400)
MOST_EVENTS = 2000


@requires(Permission.PARTNER_READ, act=Act.CALENDAR_READ)
@require_safe
def calendar(request: TenantRequest) -> HttpResponse:
    """What is overdue, and the duties of some months, the first first."""
    now = timezone.now()
    form = CalendarFilterForm(request.GET, parts=parts_for(request.may), now=now)
    if not form.is_valid():
        raise InvalidInput("A filter of the calendar can't be used. Clear the filters and try again.")
    wanted, period = form.wanted(), form.period()
    found = read_calendar(period.since, period.until, now, request.may, wanted)
    lines, late = [*found.overdue, *found.rest], {line.duty.name for line in found.overdue}
    page = Paginator(lines, PAGE).get_page(request.GET.get("page"))
    shown = list(page)
    tell_sharers(shown, request.tenant.name)
    record(Act.CALENDAR_READ, object_type="page", object_id="calendar", shown=len(shown))
    return TemplateResponse(
        request, "calendar/list.html",
        {"form": form, "period": period, "page": page, "groups": _groups(shown, late, form.place), "now": now,
         "zone": str(form.place), "found": len(lines), "late": len(late), "filtered": bool(request.GET)},
    )  # fmt: skip


def _groups(lines: list[Line], late: set[str], zone: ZoneInfo) -> list[tuple[str, list[Line]]]:
    def title(line: Line) -> str:
        return "Overdue" if line.duty.name in late else f"{_day(line, zone):%B %Y}"

    return [(each, list(rows)) for each, rows in groupby(lines, title)]


def _day(line: Line, zone: ZoneInfo) -> datetime:
    return (
        datetime.combine(line.day, datetime.min.time())
        if line.duty.whole_day
        else line.duty.at.astimezone(zone)
    )


@requires(Permission.PARTNER_READ, act=Act.CALENDAR_FEED_LIST)
@require_safe
def feed_list(request: TenantRequest) -> HttpResponse:
    return _feeds(request)


@requires(Permission.PARTNER_READ, act=Act.CALENDAR_FEED_CREATE, step_up=True)
@require_POST
def feed_create(request: TenantRequest) -> HttpResponse:
    """Shows the link this once: it is nowhere kept."""
    made = feeds.create_feed(by=request.membership)
    return _feeds(request, link=site_link("calendar-feed", made.token))


@requires(Permission.PARTNER_READ, act=Act.CALENDAR_FEED_REVOKE)
@require_POST
def feed_revoke(request: TenantRequest, calendar_feed_id: UUID) -> HttpResponse:
    feeds.revoke_feed(feed_id=calendar_feed_id, by=request.membership)
    say(request, "The calendar link has ended.")
    return redirect("calendar-feeds")


def _feeds(request: TenantRequest, link: str = "") -> HttpResponse:
    rows = feeds.list_feeds(request.membership)
    mine = [row for row in rows if row.person_id == request.user.pk]
    record(Act.CALENDAR_FEED_LIST, object_type="page", object_id="calendar-feeds")
    return TemplateResponse(
        request, "calendar/feeds.html",
        {"mine": mine[0] if mine else None, "others": [row for row in rows if row not in mine], "link": link,
         "most": MOST_EVENTS},
    )  # fmt: skip


@public
@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The duties of the link's member, for a calendar program."""
    try:
        with feeds.as_reader(token=token, address=client_address(request)) as reader:
            response = HttpResponse(_events(reader), content_type="text/calendar; charset=utf-8")
            response["Content-Disposition"] = 'inline; filename="duties.ics"'
    except NotFound as error:
        response = HttpResponse(f"{error}\n", status=error.status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def _events(reader: feeds.Reader) -> bytes:
    now = timezone.now()
    lines = list_duties(now - FEED_BACK, now + FEED_AHEAD, reader.may)
    shown = lines[:MOST_EVENTS]
    feeds.tell_once_a_day(reader, shown)
    left = f" The first {MOST_EVENTS:,} of {len(lines):,}." if len(lines) > MOST_EVENTS else ""
    return write_calendar(
        shown, name=f"Duties of {reader.tenant.name}", about=f"What is due, from Surety.{left}",
        of=reader.tenant.pk, now=now,
    )  # fmt: skip
