"""Timers: which handler each kind has, and the task that calls it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from celery import shared_task

from assessments.agreements import reminders, waiting
from assessments.agreements.services import apply_due_terms
from assessments.chain.telling import CHAIN_TIMER, refresh_when_due
from assessments.exits import clocks as exits
from assessments.notices import sending
from assessments.notices.escalation import escalate_notice, escalate_outside
from assessments.notices.outside import tell_outside
from assessments.notices.receiving import REMIND, remind_receiver
from assessments.partnerships.joining import WATCH
from assessments.partnerships.services import watch_partnership
from assessments.questionnaires import reminders as questionnaires
from assessments.sharing.publishing import PUBLISH, run_publishing
from assessments.timers.services import Handler, run_timer
from assessments.verifications import clocks as verifications
from tasks.base import RowTask

HANDLERS: Mapping[str, Handler] = {
    CHAIN_TIMER: refresh_when_due,
    reminders.TIMER: reminders.remind,
    waiting.TIMER: apply_due_terms,
    sending.ESCALATE: escalate_notice,
    sending.ESCALATE_OUTSIDE: escalate_outside,
    sending.TELL_OUTSIDE: tell_outside,
    REMIND: remind_receiver,
    PUBLISH: run_publishing,
    WATCH: watch_partnership,
    questionnaires.NOTICE: questionnaires.send_notice,
    questionnaires.REMINDER: questionnaires.send_reminder,
    **verifications.HANDLERS,
    **exits.HANDLERS,
}
"""A kind of timer and what it calls for its row."""


@shared_task(base=RowTask)
def ring_timer(*, tenant_id: UUID, row_id: UUID) -> None:
    """Lets a timer act; sent twice, the second does nothing."""
    run_timer(tenant_id=tenant_id, timer_id=row_id, handlers=HANDLERS)
