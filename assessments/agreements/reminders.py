"""Reminders before a signed agreement lapses: a clock with four stops, that moves with the agreement's last day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.models import Membership, Person, Tenant
from accounts.notices import send_after_commit, site_link
from accounts.permissions import Role
from accounts.tenancy.scope import current_tenant_id
from accounts.webhooks.emitting import emit
from accounts.webhooks.events import EventType
from assessments.agreements.models import Agreement, AgreementReminder
from assessments.agreements.states import Stage
from assessments.timers.services import clear_timer, set_timer

TIMER = "agreement.lapse"
"""Its row is the agreement; handled by `remind`."""
STOPS = (90, 30, 7, 0)
"""Days before the last day; at 0 it is over."""
TELL_OTHER = frozenset({30, 7})
"""When the business associate is told as well: early enough to sign a renewal, and not that it has lapsed."""
HOUR = time(12)
"""In UTC: the morning of the United States."""
TOLD = (Role.OWNER, Role.SECURITY_OFFICIAL)


def plan_reminders(agreement: Agreement) -> None:
    """Sets the clock to the next stop, or stops it where nothing is going to lapse."""
    at = next_stop(agreement, timezone.now())
    if at is None:
        clear_timer(TIMER, agreement.pk)
    else:
        set_timer(TIMER, agreement.pk, at)


def next_stop(agreement: Agreement, after: datetime) -> datetime | None:
    """When people are told next. What was terminated doesn't lapse, nor what renews itself or has no end."""
    if agreement.stage != Stage.SIGNED or agreement.last_on is None:
        return None
    return min(
        (at for at in (_stop_at(agreement.last_on, days) for days in STOPS) if at > after), default=None
    )


def remind(agreement_id: UUID) -> datetime | None:
    """Tells of the stop that has come, once for each last day; returns when the next one comes."""
    now = timezone.now()
    agreement = (
        Agreement.objects.select_for_update(of=("self",))
        .select_related("associate")
        .filter(pk=agreement_id)
        .first()
    )
    if agreement is None or agreement.stage != Stage.SIGNED or agreement.last_on is None:
        return None
    come = [days for days in STOPS if _stop_at(agreement.last_on, days) <= now]
    if come:
        _tell_once(agreement, agreement.last_on, min(come))
    return next_stop(agreement, now)


def _stop_at(last_on: date, days: int) -> datetime:
    day = last_on - timedelta(days=days) if days else last_on + timedelta(days=1)
    return datetime.combine(day, HOUR, UTC)


def _tell_once(agreement: Agreement, last_on: date, days: int) -> None:
    before = AgreementReminder.objects.filter(agreement=agreement, last_on=last_on, days__lte=days)
    if before.exists():
        return
    own, theirs = _own_addresses(), _other_addresses(agreement) if days in TELL_OTHER else []
    _send(agreement, last_on, days, own, "agreements/reminder_mail.txt")
    _send(agreement, last_on, days, theirs, "agreements/reminder_other_mail.txt")
    _emit(agreement, last_on, days)
    told = {"own": len(own), "theirs": len(theirs)}
    AgreementReminder.objects.create(agreement=agreement, last_on=last_on, days=days, told=told)
    record(
        Act.AGREEMENT_REMIND, object_type="agreement", object_id=agreement.pk, days=days,
        last_on=last_on.isoformat(), told=told,
    )  # fmt: skip


def _emit(agreement: Agreement, last_on: date, days: int) -> None:
    page, key = ("agreement-detail", agreement.pk), f"{agreement.pk} {last_on} {days}"
    if days:
        emit(EventType.AGREEMENT_EXPIRING, agreement.pk, page=page, key=key, last_on=last_on, days=days)
    else:
        emit(EventType.AGREEMENT_EXPIRED, agreement.pk, page=page, key=key, last_on=last_on)


def _own_addresses() -> list[str]:
    living = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    people = Membership.objects.filter(living, role__in=TOLD).values_list("person_id", flat=True)
    return list(Person.objects.filter(pk__in=list(people), is_active=True).values_list("email", flat=True))


def _other_addresses(agreement: Agreement) -> list[str]:
    associate = agreement.associate
    address = associate.contact_email or associate.official_email
    return [address] if address else []


def _send(agreement: Agreement, last_on: date, days: int, to: list[str], template: str) -> None:
    tenant = Tenant.objects.get(pk=current_tenant_id())
    when = f"ends in {days} days" if days else "has lapsed"
    for address in to:
        send_after_commit(
            to=address,
            subject=f"A business associate agreement {when}",
            template=template,
            tenant=tenant.name,
            associate=agreement.associate.name,
            last_on=last_on,
            days=days,
            url=site_link("agreement-detail", agreement.pk),
        )
