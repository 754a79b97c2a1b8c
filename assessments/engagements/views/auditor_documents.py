"""Other tools' documents, as an engagement's auditor sees them: the list, one with its receipt, and its bytes."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.seals import place_of
from assessments.engagements import documents
from assessments.engagements.views.base import AuditRequest, audits
from assessments.rule.model import SECURITY_RULE
from assessments.submitted.pages import COUNTED, as_download, open_for_download
from evidence.formats.base import formats
from evidence.keyset import page_by_time

SAID = ("outcomes", "passed", "failed", "unknown", "not_applicable", "checks")
"""What the document says; what that changed for the tenant may be beyond the engagement."""


@require_safe
@audits(Act.SUBMISSION_READ)
def document_list(request: AuditRequest) -> HttpResponse:
    """The documents in scope, and the numbers of those that were deleted before anything of them counted."""
    engagement = request.engagement
    page = page_by_time(documents.submissions(engagement), "received_at", request.GET.get("after", ""))
    _record(request, "page", "documents")
    context = {"page": page, "deleted": documents.deleted(engagement).order_by("sequence")}
    return render(request, "engagements/auditor_documents.html", context)


@require_safe
@audits(Act.SUBMISSION_READ)
def document_detail(request: AuditRequest, document_id: UUID) -> HttpResponse:
    """One document: who sent it, what it says of itself, and its receipt."""
    row = documents.find_submission(request.engagement, document_id)
    _record(request, "submission", row.pk)
    named = formats().get(row.format)
    context = {
        "row": row, "format_title": named.title if named else row.format,
        "place": place_of(Act.SUBMISSION_RECEIVE, row.pk),
        "counts": [(COUNTED[name], row.counts[name]) for name in SAID if name in row.counts],
        "cited": [(each, SECURITY_RULE[each].title) for each in row.citations if each in SECURITY_RULE],
    }  # fmt: skip
    return render(request, "engagements/auditor_document.html", context)


@require_safe
@audits(Act.EVIDENCE_EXPORT)
def document_download(request: AuditRequest, document_id: UUID) -> HttpResponseBase:
    """The document as it was sent, verified before its first byte goes out."""
    row = documents.find_submission(request.engagement, document_id)
    answer = as_download(row, open_for_download(row, decides=False))
    record(
        Act.EVIDENCE_EXPORT, object_type="submission", object_id=row.pk, sequence=row.sequence, digest=row.digest,
        engagement=str(request.engagement.pk),
    )  # fmt: skip
    return answer


def _record(request: AuditRequest, object_type: str, object_id: object) -> None:
    record(
        Act.SUBMISSION_READ,
        object_type=object_type,
        object_id=object_id,
        engagement=str(request.engagement.pk),
    )
