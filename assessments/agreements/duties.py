"""The clocks of agreements, for the calendar of duties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.urls import reverse

from assessments.agreements.models import Agreement, AgreementTerms
from assessments.agreements.states import Stage, today
from assessments.agreements.terms import term_end
from assessments.duties.types import Duty, Side
from assessments.partnerships.models import Partnership
from assessments.partnerships.reading import working_partnerships

LAST_MINUTE = time(23, 59)


def duties(since: datetime, until: datetime) -> Iterable[Duty]:
    """Ends of agreements and last days to refuse a renewal, of both sides, from `since` to before `until`."""
    first, last = since.astimezone(UTC).date(), until.astimezone(UTC).date()
    yield from _ends(first, last)
    yield from _renewals(first, last)
    yield from _received(first, last)


def owed_to(partnership: Partnership) -> Iterable[Duty]:
    """The end of the agreement that a covered entity shows the open tenant, unless it is ended already."""
    rows = AgreementTerms.received.filter(partnership_id=partnership.pk, tenant_id=partnership.upstream_id)
    return [_their_end(row) for row in rows.exclude(last_on=None).exclude(stage=Stage.TERMINATED)]


def _ends(first: date, last: date) -> Iterator[Duty]:
    rows = Agreement.objects.filter(
        is_current=True, stage__in=[Stage.SIGNED, Stage.TERMINATED], last_on__range=(first, last)
    )
    for row in rows.select_related("associate"):
        ended = row.stage == Stage.TERMINATED
        verb = "End" if ended else "Renew or replace"
        yield Duty(
            _end_of(row.last_on), f"{verb} the agreement with {row.associate.name}",
            "Its last day. 164.308(b)(1) and 164.502(e) ask for an agreement as long as PHI goes there.",
            _page(row), ended or row.associate.ended_at is not None, key=f"agreement-end:{row.pk}",
            side=Side.UPSTREAM, whole_day=True,
        )  # fmt: skip


def _renewals(first: date, last: date) -> Iterator[Duty]:
    rows = Agreement.objects.filter(
        is_current=True, stage=Stage.SIGNED, renews=True, last_on=None, notice_days__isnull=False
    )
    for row in rows.select_related("associate"):
        before = timedelta(days=row.notice_days)
        end = term_end(row, first + before)
        while end is not None and end - before <= last:
            yield _refusal(row, end, end - before)
            end = _next_end(row, end)


def _next_end(row: Agreement, end: date) -> date | None:
    following = term_end(row, end + timedelta(days=1))
    return following if following is not None and following > end else None


def _refusal(row: Agreement, end: date, by: date) -> Duty:
    """One whose day has passed is no duty any more: the agreement has renewed."""
    return Duty(
        _end_of(by), f"Last day to refuse the renewal with {row.associate.name}",
        f"It renews on {end + timedelta(days=1)} unless notice is given {row.notice_days} days before.",
        _page(row), done=by < today(), key=f"agreement-renewal:{row.pk}:{end}", side=Side.UPSTREAM,
        whole_day=True,
    )  # fmt: skip


def _received(first: date, last: date) -> Iterator[Duty]:
    working = working_partnerships().values("pk")
    for row in AgreementTerms.received.filter(last_on__range=(first, last), partnership_id__in=working):
        yield _their_end(row)


def _their_end(row: Any) -> Duty:
    return Duty(
        _end_of(row.last_on), f"The agreement with {row.upstream_name} ends",
        "Its last day, as the covered entity shows it.",
        f"{reverse('covered-entity', args=[row.partnership_id])}?tab=agreement",
        done=row.stage == Stage.TERMINATED, key=f"received-agreement-end:{row.partnership_id}",
        side=Side.DOWNSTREAM, whole_day=True, shown_by=row.tenant_id,
    )  # fmt: skip


def _page(row: Any) -> str:
    return reverse("agreement-detail", args=[row.pk])


def _end_of(day: date) -> datetime:
    return datetime.combine(day, LAST_MINUTE, UTC)
