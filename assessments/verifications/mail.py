"""Messages about verifications. They name nobody and quote nothing: who may read it follows the link."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.models import Membership, Person
from accounts.notices import send_after_commit, site_link
from accounts.permissions import Role
from accounts.tenancy.scope import after_commit, open_tenant
from assessments.verifications.models import (
    Answer,
    Stage,
    VerificationDelivery,
    VerificationReceipt,
)

if TYPE_CHECKING:
    from datetime import date

OFFICIALS = (Role.OWNER, Role.SECURITY_OFFICIAL)


def send_officials(*, subject: str, text: str, url: str) -> int:
    """Sends a message to the open tenant's owners and security officials once its transaction stands; how many."""
    living = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    people = Membership.objects.filter(living, role__in=OFFICIALS).values("person_id")
    addresses = list(Person.objects.filter(pk__in=people, is_active=True).values_list("email", flat=True))
    for address in addresses:
        send_after_commit(to=address, subject=subject, template="verifications/mail.txt", text=text, url=url)
    return len(addresses)


def address_of(delivery: VerificationDelivery) -> str:
    """Where the covered entity reads it."""
    return site_link("verification-received", delivery.pk)


def tell_arrival(url: str) -> None:
    """Tells the covered entity's people, whose tenant is open, that a verification has come."""
    send_officials(
        subject="A business associate's verification has come",
        text="A business associate of yours has certified its yearly verification and delivered it to you.",
        url=url,
    )


def tell_answer(receipt_id: UUID) -> datetime | None:
    """The timer's handler in the covered entity's tenant: tells the business associate's people, in theirs."""
    receipt = VerificationReceipt.objects.filter(pk=receipt_id).first()
    if receipt is not None:
        after_commit(partial(_say_answer, receipt.viewer_id, Answer(receipt.answer)))
    return None


def _say_answer(tenant_id: UUID, answer: Answer) -> None:
    with open_tenant(tenant_id):
        send_officials(
            subject=f"Your verification was {answer}",
            text=f"A covered entity has {answer} the verification that you delivered.",
            url=site_link("verification-list"),
        )


def send_reminder(*, stage: Stage, due_on: date, many: int, upstream: bool) -> int:
    """Reminds the open tenant's people of verifications that are due on a day; how many mails that is."""
    when = {Stage.BEFORE: "is due on", Stage.DUE: "is due today,", Stage.AFTER: "was due on"}[stage]
    whose = "business associate" if upstream else "covered entity"
    about = f"{many} {whose}" if many == 1 else f"{many} {_PLURAL[whose]}"
    of = f"from {about} of yours" if upstream else f"for {about} that you work for"
    return send_officials(
        subject="A yearly verification is overdue"
        if stage is Stage.AFTER
        else "A yearly verification is due",
        text=f"The yearly verification {of} {when} {due_on:%Y-%m-%d}.",
        url=site_link("business-associate-list" if upstream else "verification-list"),
    )


_PLURAL = {"business associate": "business associates", "covered entity": "covered entities"}
