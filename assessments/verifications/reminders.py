"""Reminds both sides of a verification that is due: 30 days before, on the day, 30 days after.

Each tenant has a timer of its own for each partnership. What is due on one day is told in one message, however many
partners it concerns, and once: a row says that it was.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from assessments.partnerships.models import Partnership
from assessments.partnerships.signals import Relation
from assessments.timers.services import set_timer
from assessments.verifications import mail
from assessments.verifications.dates import due_after, stages
from assessments.verifications.models import Stage, VerificationReminder
from assessments.verifications.reading import Line, lines_for_recipient, lines_for_sender

REMINDER = "verification.reminder"
LOOK_AGAIN = timedelta(days=30)
"""After the last reminder: a delivery may have moved the day."""


def start_clock(relation: Relation, **_: Any) -> None:
    """On both sides, each in its own tenant: the first one is due a year after a partnership began."""
    set_clock(relation.partnership_id, due_after(timezone.now()))


def set_clock(partnership_id: UUID, due_on: date) -> None:
    """Sets the open tenant's timer to the first reminder that is still to come."""
    now = timezone.now()
    to_come = [at for _stage, at in stages(due_on) if at > now]
    set_timer(REMINDER, partnership_id, to_come[0] if to_come else now + LOOK_AGAIN)


def remind(partnership_id: UUID) -> datetime | None:
    """The timer's handler on either side; None once the partnership has ended."""
    upstream = Partnership.objects.filter(pk=partnership_id, withdrawn_at=None).first()
    partnership = upstream or Partnership.received.filter(pk=partnership_id).first()
    if partnership is None:
        return None
    read = lines_for_recipient if upstream else lines_for_sender
    line, now = read([partnership])[0], timezone.now()
    passed = [stage for stage, at in stages(line.due_on) if at <= now]
    if passed and not _is_told(line, passed[-1]):
        _tell(read(), line.due_on, passed[-1], upstream=upstream is not None)
    to_come = [at for _stage, at in stages(line.due_on) if at > now]
    return to_come[0] if to_come else now + LOOK_AGAIN


def _is_told(line: Line, stage: Stage) -> bool:
    told = VerificationReminder.objects.filter(partnership_id=line.partnership.pk, due_on=line.due_on)
    return told.filter(stage=stage).exists()


def _tell(lines: list[Line], due_on: date, stage: Stage, *, upstream: bool) -> None:
    """One message for all that is due on that day and wasn't told; each of them is marked."""
    told = VerificationReminder.objects.filter(due_on=due_on, stage=stage)
    known = set(told.values_list("partnership_id", flat=True))
    about = [line for line in lines if line.due_on == due_on and line.partnership.pk not in known]
    mails = mail.send_reminder(stage=stage, due_on=due_on, many=len(about), upstream=upstream)
    VerificationReminder.objects.bulk_create(
        VerificationReminder(partnership_id=line.partnership.pk, due_on=due_on, stage=stage, mails=mails)
        for line in about
    )
    record(
        Act.VERIFICATION_REMIND, object_type="page", object_id="verifications", stage=str(stage),
        due_on=due_on.isoformat(), partners=len(about), mails=mails,
    )  # fmt: skip
