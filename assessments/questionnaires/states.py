"""How a questionnaire stands: one rule, in SQL, over the questionnaire and the answers to its present round."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

from django.db.models import Case, CharField, Exists, Manager, OuterRef, Q, QuerySet, Value, When

from assessments.questionnaires.models import Answers, Questionnaire


class State(StrEnum):
    """Where a questionnaire stands. OVERDUE: its answers are due and not handed in, begun or not."""

    SENT = "sent"
    IN_WORK = "in_work"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    MORE_NEEDED = "more_needed"
    ACCEPTED = "accepted"
    OVERDUE = "overdue"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """The words shown to people."""
        return _LABELS[self]


_LABELS = {
    State.SENT: "sent",
    State.IN_WORK: "in work",
    State.SUBMITTED: "handed in",
    State.IN_REVIEW: "in review",
    State.MORE_NEEDED: "more needed",
    State.ACCEPTED: "accepted",
    State.OVERDUE: "overdue",
    State.WITHDRAWN: "withdrawn",
}
OPEN = frozenset({State.SENT, State.IN_WORK, State.MORE_NEEDED, State.OVERDUE})
"""Where whoever answers has something to do."""
HANDED_IN = frozenset({State.SUBMITTED, State.IN_REVIEW})
"""Where the upstream has."""


def sent_with_state(on: date) -> QuerySet[Questionnaire]:
    """What the open tenant has sent; each has `state` as of a day."""
    return _with_state(Questionnaire.objects.all(), Answers.received, on)


def received_with_state(on: date) -> QuerySet[Questionnaire]:
    """What others ask of the open tenant; each has `state` as of a day."""
    asked = Questionnaire.received.exclude(partnership_id=None)
    return _with_state(asked, Answers.objects, on)


def _with_state(found: QuerySet[Questionnaire], answers: Manager[Any], on: date) -> QuerySet[Questionnaire]:
    # The viewer of the one is the tenant of the other: an answer of anybody else counts for nothing.
    mine = answers.filter(
        questionnaire_id=OuterRef("pk"), round=OuterRef("round"), tenant_id=OuterRef("viewer_id")
    )
    handed_in, begun = Exists(mine.filter(submitted_at__isnull=False)), Exists(mine)
    return found.annotate(
        state=Case(
            When(withdrawn_at__isnull=False, then=Value(State.WITHDRAWN)),
            When(accepted_at__isnull=False, then=Value(State.ACCEPTED)),
            When(handed_in & Q(review_began_at__isnull=False), then=Value(State.IN_REVIEW)),
            When(handed_in, then=Value(State.SUBMITTED)),
            When(due_on__lt=on, then=Value(State.OVERDUE)),
            When(round__gt=1, then=Value(State.MORE_NEEDED)),
            When(begun, then=Value(State.IN_WORK)),
            default=Value(State.SENT),
            output_field=CharField(),
        )
    )
