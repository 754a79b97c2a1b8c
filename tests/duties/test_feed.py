"""The calendar's link: private, shown once, ended at will, and what a calendar program gets by it."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import structlog
from django.test import Client
from django.utils import timezone
from icalendar import Calendar

from accounts.audit.models import AuditEntry
from accounts.models import Membership, ScimToken
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from accounts.throttle import SignInThrottle
from assessments.duties.feeds import MOST_A_MINUTE
from assessments.duties.ical import write_calendar
from assessments.duties.parts import PARTS
from assessments.duties.reading import Line
from assessments.duties.types import Duty
from assessments.models import CalendarFeed
from assessments.notices.clocks import term_of
from assessments.notices.kinds import Kind
from tests.accounts.factories import grow_stale, make_ready_person
from tests.agreements.factories import in_days, make_agreement
from tests.duties.test_calendar import grow_old
from tests.factories import make_connection
from tests.notices.factories import make_parties, send, utc

pytestmark = pytest.mark.django_db(transaction=True)


def _make(client: Any) -> str:
    answer = client.post("/calendar/links/new/")
    assert answer.status_code == 200
    found = re.search(r"/calendar/feed/([\w-]+)\.ics", answer.content.decode())
    assert found
    return f"/calendar/feed/{found[1]}.ics"


def _events(path: str) -> list[Any]:
    answer = Client().get(path)
    assert answer.status_code == 200
    return Calendar.from_ical(answer.content).walk("VEVENT")


def test_a_link_is_shown_once_and_kept_as_a_digest_and_gives_the_duties_to_who_has_it(
    tenant, owner, client_for
):
    make_agreement(tenant, ends_on=in_days(10))
    client = client_for(owner)
    path = _make(client)
    token = path.split("/")[-1].removesuffix(".ics")
    assert token not in client.get("/calendar/links/").content.decode()
    with open_tenant(tenant.pk):
        [feed] = CalendarFeed.objects.all()
        assert bytes(feed.token_digest) == hashlib.sha256(token.encode()).digest()
    answer = Client().get(path)
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    [event] = Calendar.from_ical(answer.content).walk("VEVENT")
    assert event["SUMMARY"] == "Renew or replace the agreement with Cloud Billing"
    assert event["DTSTART"].dt == in_days(10)
    assert event["URL"].startswith("http://localhost:8000/agreements/")
    assert "164.308(b)(1)" in event["DESCRIPTION"]
    assert (event["STATUS"], event["TRANSP"]) == ("CONFIRMED", "TRANSPARENT")
    assert "Last used" in client.get("/calendar/links/").content.decode()


def test_a_reading_is_one_entry_of_its_member_without_the_token(tenant, owner, client_for):
    path = _make(client_for(owner))
    with structlog.testing.capture_logs() as logs:
        _events(path)
        Client().get("/calendar/feed/wrong.ics")
    with open_tenant(tenant.pk):
        [entry] = AuditEntry.objects.filter(act="calendar.feed_read")
        everything = "".join(str(each.body) for each in AuditEntry.objects.all())
    assert (entry.actor_kind, entry.actor_name) == ("person", owner.email)
    token = path.split("/")[-1].removesuffix(".ics")
    assert token not in everything
    assert token not in str(logs)


def test_links_that_are_wrong_replaced_ended_or_of_somebody_gone_answer_alike(tenant, owner, client_for):
    client = client_for(owner)
    replaced, ended = _make(client), _make(client)
    with open_tenant(tenant.pk):
        live = CalendarFeed.objects.get(revoked_at=None)
    assert client.post(f"/calendar/links/{live.pk}/revoke/").status_code == 302
    gone, demoted = (make_ready_person(role, tenant) for role in (Role.VIEWER, Role.CONTRIBUTOR))
    left, auditor = _make(client_for(gone)), _make(client_for(demoted))
    with open_tenant(tenant.pk):
        Membership.objects.get(person=gone).delete()
        Membership.objects.filter(person=demoted).update(role=Role.AUDITOR)
    answers = [Client().get(path) for path in ("/calendar/feed/wrong.ics", replaced, ended, left, auditor)]
    assert {each.status_code for each in answers} == {404}
    assert len({each.content for each in answers}) == 1
    without_id = [{k: v for k, v in each.headers.items() if k != "X-Request-ID"} for each in answers]
    assert all(each == without_id[0] for each in without_id)


def test_a_member_ends_the_own_link_alone_and_who_may_change_members_any(tenant, owner, client_for):
    viewer, other = (client_for(make_ready_person(Role.VIEWER, tenant)) for _ in range(2))
    path = _make(viewer)
    with open_tenant(tenant.pk):
        feed = CalendarFeed.objects.get()
    end = f"/calendar/links/{feed.pk}/revoke/"
    assert other.post(end).status_code == 404
    assert "Links of other members" not in other.get("/calendar/links/").content.decode()
    manager = client_for(owner)
    assert "Links of other members" in manager.get("/calendar/links/").content.decode()
    assert manager.post(end).status_code == 302
    assert Client().get(path).status_code == 404


def test_a_link_is_made_by_fresh_proof_alone(owner, client_for):
    answer = grow_stale(client_for(owner)).post("/calendar/links/new/")
    assert answer.status_code == 302
    assert answer.url.startswith("/step-up/")


def test_a_link_gives_what_the_role_of_its_member_may_see(tenant, owner, client_for):
    with open_tenant(tenant.pk):
        ends = timezone.now() + timedelta(days=3)
        ScimToken.objects.create(name="Okta", created_by=owner, token_digest=b"x" * 32, expires_at=ends)
    assert len(_events(_make(client_for(owner)))) == 1
    assert _events(_make(client_for(make_ready_person(Role.VIEWER, tenant)))) == []


def test_a_program_that_asks_without_end_has_to_wait(tenant, owner, client_for):
    path = _make(client_for(owner))
    with open_tenant(tenant.pk):
        CalendarFeed.objects.update(asked=MOST_A_MINUTE - 1, asked_since=timezone.now())
    assert [Client().get(path).status_code for _ in range(2)] == [200, 429]


def test_a_network_that_tries_wrong_links_waits_and_a_right_one_is_let_in_from_there(
    owner, client_for, settings
):
    path = _make(client_for(owner))
    settings.NETWORK_TRIES = 2
    SignInThrottle.objects.all().delete()  # what other tests tried from the same network
    there = Client(REMOTE_ADDR="198.51.100.7")
    statuses = [there.get("/calendar/feed/wrong.ics").status_code for _ in range(3)]
    assert statuses == [404, 404, 429]
    assert there.get(path).status_code == 200


def test_titles_of_notices_and_names_of_connections_do_not_leave(client_for):
    parties = make_parties()
    hospital, owner = parties.hospitals[0], make_ready_person(tenant=parties.hospitals[0])
    send(parties, kind=Kind.INCIDENT, title="Laptop of Dr Example")
    grow_old(make_connection(hospital, name="Oncology"))
    answer = Client().get(_make(client_for(owner)))
    said = answer.content.replace(b"\r\n ", b"").decode()
    assert "Acknowledge the notice of Cedar Billing" in said
    assert "Collect from an AWS connection that is late" in said
    assert "Laptop" not in said
    assert "Oncology" not in said


def _line(at: datetime, **fields: Any) -> Line:
    said = {"title": "Answer", "why": "a rule", "url": "/", "done": False, "key": "one", **fields}
    return Line(PARTS[0], Duty(at, **said))


def _written(*lines: Line) -> bytes:
    return write_calendar(lines, name="Duties", about="", of=UUID(int=1), now=utc(2026, 1, 1))


@pytest.mark.parametrize(
    ("discovered", "due"),
    [
        # Clocks go forward on 8 March 2026 and back on 1 November: 24 hours are 24 hours, in UTC and there.
        (utc(2026, 3, 8, 1, 0), "2026-03-08 21:00 EDT"),
        (utc(2026, 11, 1, 0, 0), "2026-11-01 19:00 EST"),
    ],
)
def test_a_clock_of_hours_across_daylight_saving_is_the_same_instant_in_the_feed(discovered, due):
    at = term_of(Kind.CONTINGENCY, 24).due_at(discovered, ZoneInfo("America/New_York"))
    [event] = Calendar.from_ical(_written(_line(at))).walk("VEVENT")
    start = event["DTSTART"].dt
    assert start == discovered + timedelta(hours=24)
    assert f"{start.astimezone(ZoneInfo('America/New_York')):%Y-%m-%d %H:%M %Z}" == due
    assert b"VTIMEZONE" not in _written(_line(at))


def test_a_duty_of_a_day_is_that_day_everywhere_and_keeps_its_name_when_it_moves():
    first = _line(utc(2026, 3, 8, 23, 59), whole_day=True)
    moved = _line(utc(2026, 11, 1, 23, 59), whole_day=True, title="Answer soon")
    [before], [after] = (Calendar.from_ical(_written(line)).walk("VEVENT") for line in (first, moved))
    assert (before["DTSTART"].dt, after["DTSTART"].dt) == (date(2026, 3, 8), date(2026, 11, 1))
    assert before["UID"] == after["UID"]
    assert before["DTSTAMP"].dt == datetime(2026, 1, 1, tzinfo=UTC)


def test_lines_end_and_fold_as_the_format_asks():
    written = _written(_line(utc(2026, 3, 8), title="Ärger, mit; vielen \\ Zeichen\n" * 9))
    assert written.startswith(b"BEGIN:VCALENDAR\r\n")
    assert written.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in written.replace(b"\r\n", b"")
    assert max(map(len, written.split(b"\r\n"))) <= 75
    [event] = Calendar.from_ical(written).walk("VEVENT")
    assert event["SUMMARY"] == "Ärger, mit; vielen \\ Zeichen\n" * 9
