"""Deadlines: hours are elapsed time, days are the calendar's, wherever and whenever the clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from assessments.notices.clocks import end_of_years_report, half_time, left_words, term_of
from assessments.notices.forms import OccurrenceForm
from assessments.notices.kinds import Kind
from portal.templatetags.notices import local
from tests.notices.factories import utc

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("kind", "hours", "since", "zone", "due"),
    [
        (Kind.CONTINGENCY, None, datetime(2026, 11, 22, 9, 30, tzinfo=NEW_YORK), "America/New_York", utc(2026, 11, 23, 14, 30)),
        (Kind.CONTINGENCY, 4, utc(2026, 11, 22, 9, 30), "UTC", utc(2026, 11, 22, 13, 30)),
        (Kind.WORKFORCE, None, utc(2024, 2, 28, 12), "UTC", utc(2024, 2, 29, 12)),
        (Kind.INCIDENT, 72, utc(2024, 2, 27, 12), "UTC", utc(2024, 3, 1, 12)),
        (Kind.BREACH, 48, utc(2026, 1, 1, 12), "UTC", utc(2026, 1, 3, 12)),
        # Sixty calendar days, to the end of the last: one of 23 hours and one of 25 lie between.
        (Kind.BREACH, None, datetime(2026, 2, 1, 8, tzinfo=NEW_YORK), "America/New_York", utc(2026, 4, 3, 3, 59, 59)),
        (Kind.BREACH, None, datetime(2026, 10, 1, 8, tzinfo=NEW_YORK), "America/New_York", utc(2026, 12, 1, 4, 59, 59)),
        (Kind.BREACH, None, utc(2024, 1, 15, 8), "UTC", utc(2024, 3, 15, 23, 59, 59)),
        (Kind.BREACH, None, utc(2026, 1, 15, 8), "UTC", utc(2026, 3, 16, 23, 59, 59)),
        # The agreement's hours never make it longer than the law does.
        (Kind.BREACH, 24 * 90, utc(2026, 1, 1, 12), "UTC", utc(2026, 3, 2, 23, 59, 59)),
        # The day is that of the place: in Honolulu it is still the day before.
        (Kind.BREACH, None, utc(2026, 1, 2, 5), "Pacific/Honolulu", utc(2026, 3, 3, 9, 59, 59)),
    ],
)  # fmt: skip
def test_a_deadline_is_an_exact_instant(kind, hours, since, zone, due):
    assert term_of(kind, hours).due_at(since, ZoneInfo(zone)) == due


@pytest.mark.parametrize(("month", "day"), [(3, 7), (10, 31)])
def test_twenty_four_hours_are_elapsed_time_over_a_change_of_the_clocks(month, day):
    since = datetime(2026, month, day, 12, tzinfo=NEW_YORK)
    due = term_of(Kind.CONTINGENCY, None).due_at(since, NEW_YORK)
    assert due.astimezone(UTC) - since.astimezone(UTC) == timedelta(hours=24)
    assert due.astimezone(NEW_YORK).hour == (13 if month == 3 else 11)


def test_a_time_is_shown_in_the_viewers_zone_with_its_offset():
    assert ">2026-03-08 03:30:00 EDT<" in local(utc(2026, 3, 8, 7, 30), "America/New_York")
    assert ">2026-11-01 01:30:00 EDT<" in local(utc(2026, 11, 1, 5, 30), "America/New_York")
    assert ">2026-11-01 01:30:00 EST<" in local(utc(2026, 11, 1, 6, 30), "America/New_York")
    assert ">2026-03-07 21:30:00 HST<" in local(utc(2026, 3, 8, 7, 30), "Pacific/Honolulu")


def _posted(at: str) -> OccurrenceForm:
    given = {"title": "x", "discovered_at": at, "zone": "America/New_York"}
    return OccurrenceForm(given, kind=Kind.CONTINGENCY)


def test_a_time_that_clocks_never_showed_is_refused_and_one_shown_twice_is_the_first():
    missing, twice, far = (
        _posted("2026-03-08T02:30"),
        _posted("2025-11-02T01:30"),
        _posted("9999-12-31T23:59"),
    )
    assert "never showed" in str(missing.errors)
    assert twice.is_valid()
    assert twice.draft().discovered_at == utc(2025, 11, 2, 5, 30)
    assert "discovered_at" in far.errors


def test_small_breaches_are_reported_by_the_sixtieth_day_of_the_next_year():
    assert end_of_years_report(utc(2026, 6, 1), ZoneInfo("UTC")) == utc(2027, 3, 1, 23, 59, 59)
    assert end_of_years_report(utc(2023, 6, 1), ZoneInfo("UTC")) == utc(2024, 2, 29, 23, 59, 59)
    assert end_of_years_report(utc(2027, 1, 1, 2), NEW_YORK) == utc(2027, 3, 2, 4, 59, 59)


def test_half_time_lies_midway_and_is_the_deadline_where_that_has_passed():
    assert half_time(utc(2026, 1, 1), utc(2026, 1, 3)) == utc(2026, 1, 2)
    assert half_time(utc(2026, 1, 3), utc(2026, 1, 1)) == utc(2026, 1, 1)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(30, "30 min left"), (90, "1 h 30 min left"), (3000, "2 days 2 h left"), (-5, "5 min over"), (0, "0 min over")],
)  # fmt: skip
def test_a_clock_says_what_is_left(minutes, said):
    now = utc(2026, 1, 1)
    assert left_words(now + timedelta(minutes=minutes), now) == said
