"""Due days of questionnaires, for the calendar: what the tenant owes answers to, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time

from django.db.models import Q
from django.urls import reverse

from assessments.duties.types import Duty, Side
from assessments.models import Partnership
from assessments.partnerships.reading import working_partnerships
from assessments.questionnaires.models import Questionnaire
from assessments.questionnaires.states import OPEN, State, received_with_state, sent_with_state

WHY = "The agreement's duty to show safeguards (164.314(a)(2)(i)(A)); {upstream} asks for it."


def duties(since: datetime, until: datetime) -> Iterable[Duty]:
    """Those due in [since, until)."""
    # A day is due at its end, so the days that end in the period.
    days = Q(due_on__gte=since.date(), due_on__lt=until.date())
    on = datetime.now(UTC).date()
    partnerships = working_partnerships().values("pk")
    asked = received_with_state(on).filter(days, partnership_id__in=partnerships)
    for each in asked.defer("content", "reviews"):
        yield _asked(each)
    yield from _waited_for(days, on)


def owed_to(partnership: Partnership) -> Iterable[Duty]:
    """What a covered entity has asked and the open tenant has not handed in."""
    asked = received_with_state(datetime.now(UTC).date()).filter(
        partnership_id=partnership.pk, tenant_id=partnership.upstream_id
    )
    found = [_asked(each) for each in asked.defer("content", "reviews")]
    return [duty for duty in found if not duty.done]


def _asked(each: Questionnaire) -> Duty:
    title = f"Answer {each.title} of {each.upstream_name}"
    return _duty(each, title, "questionnaire-received", Side.DOWNSTREAM)


def _waited_for(days: Q, on: date) -> Iterator[Duty]:
    sent = sent_with_state(on).filter(days, withdrawn_at=None).defer("content", "reviews")
    for each in sent:
        yield _duty(
            each, f"{each.downstream_name} answers {each.title}", "questionnaire-review", Side.UPSTREAM
        )


def _duty(questionnaire: Questionnaire, title: str, view: str, side: Side) -> Duty:
    asked = side is Side.DOWNSTREAM
    who = questionnaire.upstream_name if asked else questionnaire.downstream_name
    return Duty(
        at=datetime.combine(questionnaire.due_on, time.max, UTC),
        title=title,
        why=WHY.format(upstream=questionnaire.upstream_name),
        url=reverse(view, args=[questionnaire.pk]),
        done=State(questionnaire.state) not in OPEN,  # type: ignore[attr-defined] # annotated
        key=f"questionnaire:{questionnaire.pk}",
        side=side,
        whole_day=True,
        brief=f"Answer a questionnaire of {who}" if asked else f"{who} answers a questionnaire",
        shown_by=questionnaire.tenant_id if asked else None,
    )
