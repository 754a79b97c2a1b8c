"""What reminds of a questionnaire: a message when it is sent or sent back, then reminders by the clock.

Reminders go out 7 days before the answers are due, on the day, and each week after, four in a round at most.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.notices import send_after_commit, site_link
from accounts.webhooks.emitting import emit_to
from accounts.webhooks.events import EventType
from assessments.questionnaires.models import GuestLink, Questionnaire
from assessments.questionnaires.states import OPEN, State, sent_with_state

NOTICE, REMINDER = "questionnaire-notice", "questionnaire-reminder"
MOST_REMINDERS = 4
MORNING = time(9, 0, tzinfo=UTC)


def next_reminder(due_on: date, *, after: datetime, sent: int) -> datetime | None:
    """When the next reminder goes out, given how many have; None after the fourth."""
    if sent >= MOST_REMINDERS:
        return None
    weeks_late = max(0, (after.date() - due_on).days // 7)
    days = (-7, 0, *(7 * week for week in range(1, weeks_late + 3)))
    times = (datetime.combine(due_on + timedelta(days=offset), MORNING) for offset in days)
    return next(at for at in times if at > after)


def send_notice(row_id: UUID) -> datetime | None:
    """Tells whoever answers that a questionnaire, or its next round, waits for them. A timer's handler."""
    questionnaire = _open_one(row_id)
    if questionnaire:
        _send(questionnaire, "more is needed" if questionnaire.round > 1 else "please answer")
        _emit(questionnaire)
    return None


def _emit(questionnaire: Questionnaire) -> None:
    if questionnaire.partnership_id is None:
        return  # who answers is no tenant
    emit_to(
        questionnaire.viewer_id, EventType.QUESTIONNAIRE_RECEIVED, questionnaire.pk,
        page=("questionnaire-received", questionnaire.pk), key=f"{questionnaire.pk} {questionnaire.round}",
        partnership=questionnaire.partnership_id, due_on=questionnaire.due_on, round=questionnaire.round,
    )  # fmt: skip


def send_reminder(row_id: UUID) -> datetime | None:
    """Reminds of what is not handed in. A timer's handler; returns when it wants to be called again."""
    questionnaire = _open_one(row_id)
    if questionnaire is None:
        return None
    now = timezone.now()
    late = (now.date() - questionnaire.due_on).days
    _send(questionnaire, "due today" if late == 0 else "overdue" if late > 0 else f"due in {-late} days")
    questionnaire.reminders += 1
    questionnaire.save(update_fields=["reminders"])
    record(
        Act.QUESTIONNAIRE_REMIND,
        object_type="questionnaire",
        object_id=questionnaire.pk,
        number=questionnaire.reminders,
    )
    return next_reminder(questionnaire.due_on, after=now, sent=questionnaire.reminders)


def _open_one(row_id: UUID) -> Questionnaire | None:
    found = sent_with_state(timezone.now().date()).select_related("associate").filter(pk=row_id).first()
    return found if found and State(found.state) in OPEN else None  # type: ignore[attr-defined] # annotated


def _send(questionnaire: Questionnaire, what: str) -> None:
    to = _address(questionnaire)
    if not to:
        return  # the page of the questionnaire says that the register has no address
    send_after_commit(
        to=to,
        subject=f"{questionnaire.title} of {questionnaire.upstream_name}: {what}",
        template="questionnaires/notice_mail.txt",
        questionnaire=questionnaire,
        what=what,
        url="" if questionnaire.by_guests else site_link("questionnaire-received", questionnaire.pk),
    )


def _address(questionnaire: Questionnaire) -> str:
    links = GuestLink.objects.filter(
        questionnaire=questionnaire, revoked_at=None, expires_at__gt=timezone.now()
    )
    link = links.order_by("-created_at").first()
    associate = questionnaire.associate
    return str(link.email if link else associate.official_email or associate.contact_email)
