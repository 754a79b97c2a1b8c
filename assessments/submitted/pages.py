"""What the pages of submitted documents show, and documents that people send."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from tempfile import TemporaryFile
from typing import IO, Any

from django.http import FileResponse

from accounts.audit.events import Act
from accounts.audit.seals import place_of
from accounts.errors import Forbidden
from accounts.models import Person
from accounts.tenancy.scope import current_tenant_id
from assessments.models import Finding
from assessments.rule.model import SECURITY_RULE
from assessments.submitted.reading import tool_checks
from assessments.worklist import FindingFilter
from evidence.formats.base import formats
from evidence.keyset import Page, page_by_time
from evidence.models import Submission, SubmissionState
from evidence.submissions.mappings import content_to_use
from evidence.submissions.quarantine import NEEDED, count_decisions
from evidence.submissions.receiving import receive_document
from evidence.submissions.services import Declared, Sender, keep_submission, open_submission

COUNTED = {
    "outcomes": "Outcomes", "passed": "Pass", "failed": "Fail", "unknown": "Unknown",
    "not_applicable": "Not applicable", "checks": "Checks", "opened": "New findings", "changed": "Changed findings",
    "appeared": "Fail anew", "fixed": "Mended", "gone": "No longer there", "statuses_changed": "Changed statuses",
}  # fmt: skip
KINDS = {
    "ssn": "Social Security number", "url": "web address", "ip_address": "IP address",
    "other_unique": "other identifier",
}  # fmt: skip


_UNSAFE = re.compile(r"[^\w .()+-]", re.ASCII)


def list_submissions(*, wanted: Mapping[str, str], after: str) -> Page:
    """Documents, newest first. Raises InvalidInput for a key that no page gave."""
    return page_by_time(Submission.objects.filter(**wanted).select_related("stream"), "received_at", after)


def read_detail(row: Submission) -> dict[str, Any]:
    """All that a document's page shows beside the row."""
    named = formats().get(row.format or row.declared_format)
    return {
        "place": place_of(Act.SUBMISSION_RECEIVE, row.pk),
        "format_title": named.title if named else "",
        "counts": [(words, row.counts[name]) for name, words in COUNTED.items() if name in row.counts],
        "cited": [(each, SECURITY_RULE[each].title) for each in row.citations if each in SECURITY_RULE],
        "found": [
            {**hit, "words": KINDS.get(hit["kind"], hit["kind"].replace("_", " "))} for hit in row.found
        ],
        "decisions": list(row.decisions.order_by("decided_at")),
        "needed": NEEDED,
        "decided": count_decisions(row),
        "kept": bool(row.blob_id or row.wrapped_key),
        "findings": Finding.objects.filter(stream=row.stream_id, submission=row).count()
        if row.stream_id
        else 0,
    }


def findings_of(row: Submission, wanted: FindingFilter, after: str) -> Page:
    """The findings that the document said last: those of which no later document of its stream spoke."""
    rows = wanted.apply(Finding.objects.filter(stream=row.stream_id, submission=row))
    rows = rows.filter(outcome=wanted.outcome) if wanted.outcome else rows
    return page_by_time(rows if row.stream_id else rows.none(), "since", after)


def titles_of(rows: Iterable[Finding]) -> dict[str, str]:
    """The titles of the findings' checks, as their tool gives them, by check id."""
    return {check_id: known.title for check_id, known in tool_checks({row.check_id for row in rows}).items()}


def send_document(*, document: Any, mapping_id: Any, by: Person, said: Mapping[str, Any]) -> Submission:
    """Keeps an uploaded file as a client's document is kept. Raises InvalidInput, Unavailable."""
    content = content_to_use(mapping_id)
    media_type = document.content_type or "application/octet-stream"
    declared = Declared(
        media_type=media_type, name=said["name"] or str(document.name), format=said["format"], stream=said["stream"],
        complete=said["complete"], citations=tuple(said["citations"]), effective_from=said["effective_from"],
        effective_to=said["effective_to"], mapping=content,
    )  # fmt: skip
    with receive_document(
        document.read, tenant_id=current_tenant_id(), declared_size=document.size
    ) as received:
        return keep_submission(received, declared, Sender(by.name or by.email, person_id=by.pk))


def open_for_download(row: Submission, *, decides: bool) -> IO[bytes]:
    """The whole document, verified before its first byte goes out.

    Raises Forbidden for a held one to whom doesn't decide about it, NotFound, vault.NotIntact, Unavailable.
    """
    if row.state == SubmissionState.QUARANTINED and not decides:
        raise Forbidden("This document is held back: those who decide about it can read it.")
    file = TemporaryFile()  # noqa: SIM115 (the response closes it)
    try:
        for piece in open_submission(row):
            file.write(piece)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def as_download(row: Submission, file: IO[bytes]) -> FileResponse:
    """The document as a file of no type, so that no browser runs it."""
    name = _UNSAFE.sub("_", row.shown_name).strip(". ")[-100:] or f"document-{row.sequence}"
    return FileResponse(
        file, as_attachment=True, filename=name, content_type="application/octet-stream",
        headers={"X-Content-Type-Options": "nosniff"},
    )  # fmt: skip
