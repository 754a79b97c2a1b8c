"""What other pages show of verifications: a business associate's page, and its own page of a covered entity."""

from __future__ import annotations

from typing import Any

from accounts.audit.events import Act
from accounts.audit.shared import tell_sharer
from assessments.partners.models import BusinessAssociate
from assessments.partnerships.models import Partnership
from assessments.rule.proposed import NOT_IN_FORCE, VERIFICATION
from assessments.verifications.document import PRACTICE
from assessments.verifications.models import (
    VerificationDelivery,
    VerificationReceipt,
    VerificationReminder,
    owner_of,
)
from assessments.verifications.reading import Line, lines_for_recipient, lines_for_sender

LISTED = 20


def tab_context(associate: BusinessAssociate) -> dict[str, Any]:
    """How the yearly verification of a business associate stands, and what it has delivered, of ended relations too."""
    relations = list(Partnership.objects.filter(associate=associate))
    living = [row for row in relations if row.withdrawn_at is None]
    ids = [row.pk for row in relations]
    rows = list(
        VerificationDelivery.received.filter(
            partnership_id__in=ids, tenant_id__in=[row.viewer_id for row in relations]
        ).order_by("-certified_at")[:LISTED]
    )
    answers = _answers(VerificationReceipt.objects.filter(partnership_id__in=ids))
    for row in rows:
        _tell(row, row.recipient_name)
    line = lines_for_recipient(living)[0] if living else None
    return {
        "line": line, "rows": [(row, answers.get(row.pk)) for row in rows], **_texts(), "reminders": _reminders(line),
    }  # fmt: skip


def mirror_context(partnership: Partnership) -> dict[str, Any]:
    """How the open tenant's verification stands for one covered entity, and what that said of each delivery."""
    rows = list(
        VerificationDelivery.objects.filter(partnership_id=partnership.pk).order_by("-certified_at")[:LISTED]
    )
    theirs = VerificationReceipt.received.filter(tenant_id=owner_of(partnership))
    answers = _answers(theirs.filter(partnership_id=partnership.pk))
    for answer in answers.values():
        _tell(answer, partnership.downstream_name)
    line = lines_for_sender([partnership])[0]
    return {
        "line": line, "rows": [(row, answers.get(row.pk)) for row in rows], **_texts(), "reminders": _reminders(line),
    }  # fmt: skip


def _answers(rows: Any) -> dict[Any, VerificationReceipt]:
    return {row.delivery_id: row for row in rows}


def _reminders(line: Line | None) -> list[VerificationReminder]:
    if line is None:
        return []
    rows = VerificationReminder.objects.filter(partnership_id=line.partnership.pk)
    return list(rows.order_by("-sent_at")[:3])


def _texts() -> dict[str, Any]:
    return {"practice": PRACTICE, "proposal": VERIFICATION, "not_in_force": NOT_IN_FORCE}


def _tell(row: VerificationDelivery | VerificationReceipt, reader: str) -> None:
    kind = "verification_delivery" if isinstance(row, VerificationDelivery) else "verification_receipt"
    tell_sharer(owner_of(row), Act.VERIFICATION_READ, reader=reader, object_type=kind, object_id=row.pk)
