"""How verifications stand, for both sides: one line a partnership, read in a few questions however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from assessments.partnerships.models import Partnership
from assessments.verifications.dates import Standing, due_after, standing_of
from assessments.verifications.models import (
    Answer,
    DeliveryState,
    VerificationDelivery,
    VerificationReceipt,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One partnership's yearly verification. `due_on`: by when the next is due; at once where the last was refused."""

    partnership: Partnership
    standing: Standing
    due_on: date
    delivery: VerificationDelivery | None
    receipt: VerificationReceipt | None

    @property
    def word(self) -> str:
        """How it stands, in words."""
        return self.standing.word(delivered=self.delivery is not None)

    @property
    def answer(self) -> str:
        """What the covered entity said of the last delivery, in words."""
        if self.delivery is None:
            return "nothing delivered yet"
        return self.receipt.get_answer_display().lower() if self.receipt else "not opened yet"

    @property
    def days_late(self) -> int:
        """Days since it was due; 0 while it isn't."""
        return max(0, (timezone.now().date() - self.due_on).days)


def lines_for_sender(partnerships: Iterable[Partnership] | None = None) -> list[Line]:
    """Where the open tenant is the business associate: by name of the covered entity."""
    rows = Partnership.received.all() if partnerships is None else partnerships
    return _lines(
        rows, VerificationDelivery.objects.all(), VerificationReceipt.received.all(), lambda row: row.upstream_name
    )  # fmt: skip


def lines_for_recipient(partnerships: Iterable[Partnership] | None = None) -> list[Line]:
    """Where the open tenant is the covered entity: by name of the business associate."""
    rows = Partnership.objects.filter(withdrawn_at=None) if partnerships is None else partnerships
    return _lines(
        rows, VerificationDelivery.received.all(), VerificationReceipt.objects.all(), lambda row: row.downstream_name
    )  # fmt: skip


def _lines(
    rows: Iterable[Partnership],
    deliveries: QuerySet[VerificationDelivery],
    receipts: QuerySet[VerificationReceipt],
    name: Callable[[Partnership], str],
) -> list[Line]:
    found = sorted(rows, key=lambda row: (name(row).casefold(), row.pk))
    # Whoever could write a row with another's partnership speaks for nobody: each is of the party that it must be of.
    parties = {row.pk: (row.viewer_id, row.tenant_id) for row in found}
    current: Mapping[UUID, VerificationDelivery] = {
        row.partnership_id: row
        for row in deliveries.filter(
            partnership_id__in=[row.pk for row in found], state=DeliveryState.CURRENT
        )
        if (row.tenant_id, row.viewer_id) == parties[row.partnership_id]
    }
    answers: Mapping[UUID, VerificationReceipt] = {
        row.delivery_id: row
        for row in receipts.filter(delivery_id__in=[row.pk for row in current.values()])
        if (row.viewer_id, row.tenant_id) == parties.get(row.partnership_id)
    }
    return [line_of(row, current.get(row.pk), answers) for row in found]


def line_of(
    partnership: Partnership,
    delivery: VerificationDelivery | None,
    answers: Mapping[UUID, VerificationReceipt],
) -> Line:
    """One line from its rows."""
    receipt = answers.get(delivery.pk) if delivery else None
    due_on = delivery.due_on if delivery else due_after(partnership.began_at)
    if receipt and receipt.answer == Answer.REFUSED and receipt.answered_at:
        due_on = receipt.answered_at.astimezone(UTC).date()
    standing = standing_of(
        due_on=due_on, delivered=delivery is not None, answer=receipt.answer if receipt else None,
        today=timezone.now().date(),
    )  # fmt: skip
    return Line(partnership, standing, due_on, delivery, receipt)
