"""The timeline as a document: PDF/A, sealed in the vault, its SHA-256 in the audit log and signed by the log's key."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.audit import proofs
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import NotFound
from accounts.models import Person, Tenant
from accounts.tenancy.scope import current_tenant_id
from assessments.notices.breaches import list_steps
from assessments.notices.models import NoticeTimeline, Occurrence
from assessments.notices.reading import list_clocks, list_events
from assessments.notices.sending import find_occurrence
from assessments.pdf import write_pdf
from evidence import vault

TEMPLATE = Path(__file__).with_name("timeline.typ")
SIGNED = "surety-receipt/1\nnotice-timeline {occurrence}\nsha256 {digest}\n"
"""What the audit log's key signs; verify with any C2SP signed-note verifier and the log's key."""


def make_timeline(*, occurrence_id: UUID, by: Person) -> NoticeTimeline:
    """Writes all events down as they are now. Raises NotFound, Unavailable where no document can be made."""
    occurrence = find_occurrence(occurrence_id=occurrence_id)
    content = write_pdf(TEMPLATE, facts_of(occurrence, by))
    digest = hashlib.sha256(content).hexdigest()
    sealed = vault.seal(content, tenant_id=current_tenant_id(), media_type="application/pdf")
    asked = proofs.ask_signature(SIGNED.format(occurrence=occurrence.pk, digest=digest))
    made = NoticeTimeline.objects.create(
        occurrence=occurrence, blob=sealed.keep(), sha256=digest, signature_id=asked, by_name=by.name
    )
    record(Act.NOTICE_TIMELINE, object_type="occurrence", object_id=occurrence.pk, sha256=digest)
    return made


def facts_of(occurrence: Occurrence, by: Person) -> dict[str, Any]:
    """What the document says, as JSON."""
    return {
        "id": str(occurrence.pk), "title": occurrence.title, "details": occurrence.details,
        "kind": occurrence.get_kind_display(), "drill": occurrence.drill, "tenant": Tenant.objects.get().name,
        "discovered_at": _moment(occurrence.discovered_at), "zone": occurrence.zone, "made_by": by.name,
        "made_at": _moment(timezone.now()),
        "clocks": [
            {"recipient": clock.recipient, "due_at": _moment(clock.due_at), "rule": clock.rule,
             "acknowledged": f"{_moment(at)}, {clock.acknowledged_by}" if (at := clock.acknowledged_at) else "no"}
            for clock in list_clocks(occurrence)
        ],
        "events": [
            {"at": _moment(event.at), "what": event.what, "who": event.who, "text": event.text}
            for event in list_events(occurrence)
        ],
        "steps": [
            {"title": step.title, "why": step.why, "due_at": _moment(step.due_at), "done": str(step.done_on or "no")}
            for step in list_steps(occurrence)
        ],
    }  # fmt: skip


def _moment(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def open_timeline(*, timeline_id: UUID) -> tuple[NoticeTimeline, bytes]:
    """The document, verified as it is read. Raises NotFound, evidence.vault.NotIntact."""
    found = _find(timeline_id)
    record(Act.NOTICE_TIMELINE_DOWNLOAD, object_type="timeline", object_id=found.pk, sha256=found.sha256)
    return found, vault.open_blob(found.blob)


def open_signature(*, timeline_id: UUID) -> str:
    """The signed note over the document's digest. Raises NotFound while there is none."""
    found = _find(timeline_id)
    note = proofs.find_signature(found.signature_id)
    if note is None:
        raise NotFound("The log's sealer has not signed it yet; try again in a few seconds.")
    record(Act.NOTICE_TIMELINE_DOWNLOAD, object_type="timeline", object_id=found.pk, signature=True)
    return note


def _find(timeline_id: UUID) -> NoticeTimeline:
    found = NoticeTimeline.objects.select_related("blob").filter(pk=timeline_id).first()
    if found is None:
        raise NotFound("There is no such document.")
    return found
