"""The tab "Documents": every file that the tenant holds of one business associate, the newest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from accounts.audit.events import Act
from accounts.audit.shared import tell_sharer
from accounts.models import Tenant
from assessments.agreements.models import AgreementVersion
from assessments.exits.models import Exit
from assessments.exits.reading import note_reading, pictures_of
from assessments.partners.models import BusinessAssociate
from assessments.partnerships.models import Partnership
from assessments.questionnaires.models import Answers, Questionnaire
from assessments.verifications.models import VerificationDelivery, owner_of

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Document:
    """`page` is the path of what it belongs to, `file` that of the file itself, "" where the page alone shows it.

    `by` is who gave it.
    """

    at: datetime
    kind: str
    title: str
    by: str
    page: str
    file: str


def documents_context(associate: BusinessAssociate) -> dict[str, Any]:
    """For `portfolio/_documents.html`. The logs of those who delivered say that it was read."""
    found = [
        *_agreements(associate), *_verifications(associate), *_questionnaires(associate), *_exits(associate)
    ]  # fmt: skip
    found.sort(key=lambda each: each.at, reverse=True)
    return {"documents": found[:SHOWN], "more": len(found) > SHOWN}


def _agreements(associate: BusinessAssociate) -> Iterator[Document]:
    versions = AgreementVersion.objects.filter(agreement__associate=associate).exclude(blob=None)
    for row in versions.select_related("recorded_by").order_by("-recorded_at")[: SHOWN + 1]:
        yield Document(
            row.recorded_at, "Agreement", f"{row.get_kind_display()}, version {row.number}", row.recorded_by.name,
            reverse("agreement-detail", args=[row.agreement_id]),
            reverse("agreement-document", args=[row.agreement_id, row.pk]),
        )  # fmt: skip


def _verifications(associate: BusinessAssociate) -> Iterator[Document]:
    relations = Partnership.objects.filter(associate=associate)
    ids, others = zip(*relations.values_list("pk", "viewer_id"), strict=True) if relations else ((), ())
    rows = VerificationDelivery.received.filter(partnership_id__in=ids, tenant_id__in=others)
    for row in rows.order_by("-delivered_at")[: SHOWN + 1]:
        tell_sharer(
            owner_of(row), Act.VERIFICATION_READ, reader=row.recipient_name, object_type="verification_delivery",
            object_id=row.pk,
        )  # fmt: skip
        yield Document(
            row.delivered_at, "Verification", row.title, row.officer_name,
            reverse("verification-received", args=[row.pk]), reverse("verification-received-pdf", args=[row.pk]),
        )  # fmt: skip


def _questionnaires(associate: BusinessAssociate) -> Iterator[Document]:
    """Those that were answered, by the answers to the round that is asked for now."""
    sent = {
        row.pk: row for row in Questionnaire.objects.filter(associate=associate).defer("content", "reviews")
    }
    answers = Answers.received.filter(questionnaire_id__in=sent).exclude(submitted_at=None).defer("entries")
    reader = Tenant.objects.get().name
    for row in answers.order_by("-submitted_at")[: SHOWN + 1]:
        asked = sent[row.questionnaire_id]
        if (row.tenant_id, row.round) != (asked.answering_id, asked.round):
            continue
        file = reverse("questionnaire-download", args=[asked.pk]) if asked.by_guests else ""
        if not asked.by_guests:
            tell_sharer(
                asked.answering_id, Act.QUESTIONNAIRE_READ, reader=reader, object_type="questionnaire",
                object_id=asked.pk,
            )  # fmt: skip
        yield Document(
            row.submitted_at or row.began_at, "Questionnaire", f"{asked.title}, {asked.year}", row.submitted_by,
            reverse("questionnaire-review", args=[asked.pk]), file,
        )  # fmt: skip


def _exits(associate: BusinessAssociate) -> Iterator[Document]:
    """Certificates of return or destruction: certified here, or come on paper."""
    for picture in pictures_of(list(Exit.objects.filter(associate=associate).order_by("-began_at")[:SHOWN])):
        page = reverse("exit-detail", args=[picture.exit.pk])
        if picture.certificates:
            note_reading(picture)
        for row in picture.certificates:
            file = reverse("exit-certificate-pdf", args=[row.pk])
            yield Document(
                row.certified_at, "Exit", f"Certificate {row.number}", row.officer_name, page, file
            )
        for paper in picture.papers:
            file = reverse("exit-paper-document", args=[picture.exit.pk, paper.pk]) if paper.blob else ""
            yield Document(
                paper.recorded_at, "Exit", "Certificate from paper", paper.certified_by, page, file
            )
