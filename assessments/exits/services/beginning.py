"""The upstream party begins an exit: the clock runs by the agreement, the checklist is fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.shared import tell_sharer
from accounts.errors import Conflict, InvalidInput
from accounts.models import Person, Tenant
from accounts.tenancy.scope import current_tenant_id, savepoint
from accounts.webhooks.events import EventType
from assessments.agreements.models import Agreement
from assessments.agreements.states import State, today
from assessments.agreements.terms import terms_of, words_of_days
from assessments.exits.clocks import start_clocks
from assessments.exits.items import checklist
from assessments.exits.models import Exit
from assessments.exits.webhooks import emit_exit
from assessments.partners.services import find_business_associate
from assessments.partnerships.models import Partnership

LONGEST_AGO = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Clock:
    """How long an exit has, and by what. `agreement` is in words; "" where none is recorded."""

    return_days: int
    why: str
    runs_from: date
    agreement_id: UUID | None
    agreement: str
    over: bool
    """Whether the agreement has ended, or was never in force."""

    @property
    def words(self) -> str:
        """Such as "30 days: the agreement"."""
        return f"{words_of_days(self.return_days)}: {self.why}"


@dataclass(frozen=True, slots=True)
class Beginning:
    """What whoever begins an exit says. `systems` are in which PHI is known to be; may be empty."""

    runs_from: date
    reason: str
    systems: Sequence[str] = ()


def clock_of(associate_id: UUID) -> Clock:
    """What the agreement says of the end: days, and from when they run unless somebody says otherwise."""
    terms = terms_of(associate_id)
    found = Agreement.objects.with_state().filter(associate_id=associate_id, is_current=True).first()
    if found is None:
        return Clock(terms.return_days, terms.why("return_days"), today(), None, "", over=True)
    ended = found.terminated_on or (found.last_on + timedelta(days=1) if found.last_on else None)
    state = State(found.state)
    words = f"agreement of {found.signed_on:%Y-%m-%d}" if found.signed_on else "agreement without a date"
    words += f", {state.label.lower()}" + (
        f" from {ended:%Y-%m-%d}" if ended and not state.is_in_force else ""
    )
    return Clock(
        terms.return_days, terms.why("return_days"), ended if ended and ended <= today() else today(), found.pk,
        words, over=not state.is_in_force,
    )  # fmt: skip


def due_after(runs_from: date, days: int) -> datetime:
    """The end of the last day, UTC's."""
    return datetime.combine(runs_from + timedelta(days=days), time(23, 59, 59), UTC)


def begin_exit(*, associate_id: UUID, beginning: Beginning, person: Person, tenant: Tenant) -> Exit:
    """Begins an exit; the downstream party is told, also where the partnership has ended already.

    Raises NotFound, Conflict where one is open, InvalidInput for a day that can't be meant.
    """
    associate = find_business_associate(associate_id=associate_id)
    if not today() - LONGEST_AGO <= beginning.runs_from <= today() + timedelta(days=366):
        raise InvalidInput("Choose a day of the last ten years, or of the next one.", field="runs_from")
    clock = clock_of(associate_id)
    partnership = Partnership.objects.filter(associate=associate).order_by("-began_at").first()
    items = [item.to_json() for item in checklist(beginning.systems)]
    try:
        with savepoint():
            exit_: Exit = Exit.objects.create(
                associate=associate, partnership_id=partnership.pk if partnership else None,
                viewer_id=partnership.viewer_id if partnership else current_tenant_id(),
                agreement_id=clock.agreement_id, agreement=clock.agreement, upstream_name=tenant.name,
                downstream_name=partnership.downstream_name if partnership else associate.name,
                reason=beginning.reason.strip(), items=items, began_by_name=person.name,
                runs_from=beginning.runs_from, return_days=clock.return_days, days_why=clock.why,
                due_at=due_after(beginning.runs_from, clock.return_days),
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict(f"An exit of {associate.name} is open already.") from error
    _record(exit_)
    emit_exit(EventType.EXIT_BEGAN, exit_)
    start_clocks(exit_)
    return exit_


def _record(exit_: Exit) -> None:
    due_at = exit_.due_at.isoformat(timespec="seconds")
    said: dict[str, Any] = {"due_at": due_at, "days": exit_.return_days, "items": len(exit_.items)}
    record(
        Act.EXIT_BEGIN, object_type="exit", object_id=exit_.pk, associate=str(exit_.associate_id),
        by_hand=exit_.by_hand, **said,
    )  # fmt: skip
    if not exit_.by_hand:
        tell_sharer(
            exit_.downstream_id, Act.EXIT_BEGIN, reader=exit_.upstream_name, object_type="exit", object_id=exit_.pk,
            **said,
        )  # fmt: skip
