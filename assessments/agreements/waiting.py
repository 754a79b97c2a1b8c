"""Amendments that are signed and take effect on a day to come."""

from __future__ import annotations

from datetime import UTC, datetime, time

from assessments.agreements.models import Agreement, AgreementVersion, VersionKind
from assessments.agreements.states import today
from assessments.timers.services import clear_timer, set_timer

TIMER = "agreement.terms"
"""Its row is the agreement; handled by services.apply_due_terms."""
CHANGES = (VersionKind.AMENDMENT, VersionKind.RENEWAL)


def waiting_versions(agreement: Agreement) -> list[AgreementVersion]:
    """Those that are still to take effect, the next first."""
    rows = AgreementVersion.objects.filter(
        agreement=agreement, kind__in=CHANGES, number__gt=agreement.terms_version, effective_from__gt=today()
    )
    return list(rows.order_by("effective_from", "number"))


def plan_terms(agreement: Agreement) -> datetime | None:
    """Sets the timer to the next one's day, and returns when that begins; None where none waits."""
    waiting = waiting_versions(agreement)
    if not waiting or waiting[0].effective_from is None:
        clear_timer(TIMER, agreement.pk)
        return None
    at = datetime.combine(waiting[0].effective_from, time(), UTC)
    set_timer(TIMER, agreement.pk, at)
    return at
