"""What a covered entity does with a delivery: opens it, which is having received it, and accepts or refuses it."""

from __future__ import annotations

import io
import zipfile
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.shared import tell_sharer
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Person
from accounts.tenancy.scope import savepoint
from assessments.timers.services import set_timer
from assessments.verifications import reminders
from assessments.verifications.models import (
    Answer,
    DeliveryState,
    VerificationDelivery,
    VerificationReceipt,
    owner_of,
)
from evidence import vault

ANSWERED = "verification.answer"
"""The timer that tells the business associate of an answer."""
PDF = "verification.pdf"


def find_delivery(*, delivery_id: UUID) -> VerificationDelivery:
    """A delivery that the open tenant was given. Raises NotFound."""
    found = VerificationDelivery.received.filter(pk=delivery_id).first()
    if found is None:
        raise NotFound("There is no such verification.")
    return found


def note_reading(delivery: VerificationDelivery, act: Act, person: Person) -> VerificationReceipt:
    """Records the reading in both logs; the first one is the receipt."""
    record(act, object_type="verification_delivery", object_id=delivery.pk, sha256=delivery.sha256)
    tell_sharer(
        owner_of(delivery), act, reader=delivery.recipient_name, object_type="verification_delivery",
        object_id=delivery.pk,
    )  # fmt: skip
    receipt = VerificationReceipt.objects.filter(delivery_id=delivery.pk).first()
    return receipt or _receive(delivery, person)


def _receive(delivery: VerificationDelivery, person: Person) -> VerificationReceipt:
    with savepoint():
        receipt, _made = VerificationReceipt.objects.get_or_create(
            delivery_id=delivery.pk,
            defaults={
                "viewer_id": owner_of(delivery), "partnership_id": delivery.partnership_id,
                "answer": Answer.RECEIVED, "by_name": person.name,
            },
        )  # fmt: skip
    return receipt


def answer_delivery(
    *, delivery_id: UUID, answer: Answer, reasons: str, person: Person
) -> VerificationReceipt:
    """Accepts or refuses a delivery, once. Raises NotFound, Conflict, InvalidInput for a refusal without reasons."""
    delivery = find_delivery(delivery_id=delivery_id)
    if answer is Answer.REFUSED and not reasons.strip():
        raise InvalidInput("Say why, so that the next packet can be better.", field="reasons")
    if delivery.state != DeliveryState.CURRENT:
        raise Conflict("A newer verification has taken the place of this one.")
    _receive(delivery, person)
    receipt = VerificationReceipt.objects.select_for_update().get(delivery_id=delivery_id)
    if receipt.answer != Answer.RECEIVED:
        raise Conflict(f"This verification was {receipt.answer} already.")
    receipt.answer, receipt.reasons, receipt.by_name = answer, reasons.strip(), person.name
    receipt.answered_at = timezone.now()
    receipt.save()
    record(
        Act.VERIFICATION_ANSWER,
        object_type="verification_delivery",
        object_id=delivery_id,
        answer=str(answer),
    )
    tell_sharer(
        owner_of(delivery), Act.VERIFICATION_ANSWER, reader=delivery.recipient_name,
        object_type="verification_delivery", object_id=delivery_id, answer=str(answer),
    )  # fmt: skip
    if answer is Answer.REFUSED:
        reminders.set_clock(delivery.partnership_id, timezone.now().date())
    set_timer(ANSWERED, receipt.pk, timezone.now())
    return receipt


def open_package(delivery: VerificationDelivery) -> bytes:
    """The signed ZIP. Raises NotIntact where it isn't what was signed."""
    return b"".join(vault.open_stream(delivery.kept, context=delivery.context))


def open_pdf(delivery: VerificationDelivery) -> bytes:
    """The PDF of the signed ZIP."""
    with zipfile.ZipFile(io.BytesIO(open_package(delivery))) as archive:
        return archive.read(PDF)
