"""The timers of exits: reminders on both sides, the message that an exit began, AWS looked at again, signing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.tenancy.scope import after_commit, current_tenant_id, open_tenant
from assessments.exits import mail
from assessments.exits.facts import Look
from assessments.exits.models import Exit
from assessments.exits.reading import received_exits
from assessments.exits.services.certifying import SIGNING, ring_signing
from assessments.exits.services.evidence import LOOK, refresh_evidence
from assessments.timers.services import Handler, set_timer

REMIND, BEGAN = "exit.remind", "exit.began"
BEFORE = (timedelta(days=7), timedelta(days=1), timedelta(0))
EVERY_LATE, LOOK_EVERY, TELL_AGAIN = timedelta(days=7), timedelta(days=1), timedelta(minutes=10)


def next_reminder(due_at: datetime, now: datetime) -> datetime:
    """Seven days before, one day before, at the end of the day, then weekly."""
    to_come = [due_at - before for before in BEFORE if due_at - before > now]
    if to_come:
        return to_come[0]
    weeks = (now - due_at) // EVERY_LATE + 1
    return due_at + weeks * EVERY_LATE


def remind(exit_id: UUID) -> datetime | None:
    """The timer's handler on either side; None once the exit is closed."""
    exit_ = Exit.objects.filter(pk=exit_id).first() or received_exits().filter(pk=exit_id).first()
    if exit_ is None or exit_.closed_at:
        return None
    now = timezone.now()
    if now >= exit_.due_at - BEFORE[0]:
        overdue = exit_.is_overdue(now)
        when = "was due on" if overdue else "is due on"
        mail.tell_own(
            exit_,
            subject="The return or destruction of PHI is overdue" if overdue
            else "The return or destruction of PHI is due soon",
            text=f"After the end of an agreement, the return or destruction of PHI {when}"
            f" {exit_.due_at:%Y-%m-%d} (UTC), with the proof of it.",
        )  # fmt: skip
        record(
            Act.EXIT_REMIND, object_type="exit", object_id=exit_.pk, due_at=exit_.due_at.isoformat(), overdue=overdue
        )  # fmt: skip
    return next_reminder(exit_.due_at, now)


def start_clocks(exit_: Exit) -> None:
    """Sets the upstream party's timers, and has the downstream party told in its own tenant."""
    set_timer(REMIND, exit_.pk, next_reminder(exit_.due_at, timezone.now()))
    if not exit_.by_hand:
        after_commit(partial(_tell_beginning, exit_))
        set_timer(BEGAN, exit_.pk, timezone.now() + TELL_AGAIN)


def tell_beginning(exit_id: UUID) -> datetime | None:
    """The timer's handler: tells the downstream party where that failed at first."""
    exit_ = Exit.objects.filter(pk=exit_id, told_at=None).first()
    if exit_ is None:
        return None
    after_commit(partial(_tell_beginning, exit_))
    return timezone.now() + TELL_AGAIN


def _tell_beginning(exit_: Exit) -> None:
    with open_tenant(exit_.downstream_id):
        set_timer(REMIND, exit_.pk, next_reminder(exit_.due_at, timezone.now()))
        mail.tell_own(
            exit_,
            subject="PHI has to be returned or destroyed",
            text="A covered entity that you work or worked for has begun an exit: its PHI has to be returned or"
            f" destroyed by {exit_.due_at:%Y-%m-%d} (UTC), and the proof of it given.",
        )
    with open_tenant(exit_.upstream_id):
        Exit.objects.filter(pk=exit_.pk, told_at=None).update(told_at=timezone.now())


def look(exit_id: UUID) -> datetime | None:
    """The timer's handler in the downstream tenant; None where nothing is left to look for."""
    exit_ = received_exits().filter(pk=exit_id).first()
    if exit_ is None or exit_.closed_at:
        return None
    left = [fact for fact in refresh_evidence(exit_) if fact.look is not Look.GONE]
    return None if not left else timezone.now() + LOOK_EVERY


def sign(certificate_id: UUID) -> datetime | None:
    """The timer's handler: rings a worker until the certificate is signed."""
    return ring_signing(certificate_id, current_tenant_id())


HANDLERS: Mapping[str, Handler] = {
    REMIND: remind, BEGAN: tell_beginning, LOOK: look, SIGNING: sign,
}  # fmt: skip
