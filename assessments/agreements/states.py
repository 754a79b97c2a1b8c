"""The one rule by which an agreement's state follows from its dates, as SQL.

Days are days of UTC, as every date of an agreement is: the page says so. No job sets a state, so none can be late.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Case, F, Q, Value, When

from accounts.tenancy.models import ReceivedManager, TenantManager

EXPIRING = timedelta(days=90)
"""How long before its last day an agreement is called expiring."""


class Stage(models.TextChoices):
    """What people do to an agreement. The rest of its state follows from dates."""

    DRAFT = "draft", "Draft"
    NEGOTIATION = "negotiation", "In negotiation"
    SIGNED = "signed", "Signed"
    TERMINATED = "terminated", "Terminated"


class State(models.TextChoices):
    """Where an agreement stands on a day."""

    DRAFT = "draft", "Draft"
    NEGOTIATION = "negotiation", "In negotiation"
    SIGNED = "signed", "Signed, not in force yet"
    IN_FORCE = "in_force", "In force"
    EXPIRING = "expiring", "Expiring"
    EXPIRED = "expired", "Expired"
    TERMINATED = "terminated", "Terminated"

    @property
    def is_in_force(self) -> bool:
        """Whether the business associate is bound by it on the day."""
        return self in {State.IN_FORCE, State.EXPIRING}


def today() -> date:
    """The day by which states are told: UTC's."""
    return datetime.now(UTC).date()


def state_rule(on: date, prefix: str = "") -> Case:
    """A `State` from the columns stage, effective_from, last_on and terminated_on, reached through `prefix` ("x__").

    Where `prefix` leads to no row, it is NULL.
    """

    def when(state: State, **tests: Any) -> When:
        return When(Q(**{f"{prefix}{name}": value for name, value in tests.items()}), then=Value(str(state)))

    return Case(
        When(
            Q(**{f"{prefix}stage__in": [Stage.DRAFT, Stage.NEGOTIATION]}),
            then=F(f"{prefix}stage"),
        ),
        when(State.TERMINATED, stage=Stage.TERMINATED, terminated_on__lte=on),
        when(State.EXPIRED, last_on__lt=on),
        when(State.SIGNED, effective_from__gt=on),
        when(State.EXPIRING, last_on__lte=on + EXPIRING),
        when(State.IN_FORCE, stage__in=[Stage.SIGNED, Stage.TERMINATED]),
        default=None,
        output_field=models.CharField(),
    )


class DatedQuerySet(models.QuerySet[Any]):
    """Rows with an agreement's dates."""

    def with_state(self, on: date | None = None) -> Self:
        """Adds `state` as of a day, today's unless given."""
        return self.annotate(state=state_rule(on or today()))


DatedManager = TenantManager.from_queryset(DatedQuerySet)
DatedReceivedManager = ReceivedManager.from_queryset(DatedQuerySet)
