"""What becomes of a document: it is evidence, it is refused, or it is held back until two people decide."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Unavailable
from accounts.webhooks.emitting import emit
from accounts.webhooks.events import EventType
from evidence import vault
from evidence.fields import SALT_BYTES, commitment
from evidence.formats.kit.outcomes import Header
from evidence.models import Blob, Submission, SubmissionState, SubmissionStream

log = structlog.get_logger()

NOT_KEPT = {"wrapped_key": b"", "ciphertext_digest": "", "stored_size": 0}
"""What a row says whose bytes are gone for good: without its key no copy of them can be opened."""


def is_held(row: Submission) -> bool:
    """Whether this worker, by its fence, still holds the document; then its row is locked until the commit."""
    held = Submission.objects.select_for_update().filter(
        pk=row.pk, fence=row.fence, state=SubmissionState.RECEIVED
    )
    return held.exists()


def accept_document(
    row: Submission, header: Header, stream: SubmissionStream, counts: dict[str, int], said: dict[str, Any]
) -> None:
    """Makes a document evidence: its sealed bytes become a blob, once for equal bytes."""
    blob, is_new = Blob.objects.get_or_create(
        digest=row.digest,
        defaults={
            "ciphertext_digest": row.ciphertext_digest, "size": row.size, "stored_size": row.stored_size,
            "media_type": row.media_type, "address": row.address, "wrapped_key": bytes(row.wrapped_key),
            "key_id": row.key_id, "sealed_at": row.received_at, "salt": os.urandom(SALT_BYTES),
            "sealed_as": row.context,
        },
    )  # fmt: skip
    if not is_new:
        remove_after_commit(row)
    _end(
        row, SubmissionState.ACCEPTED, blob=blob, format=header.format, producer=header.producer[:200],
        producer_version=header.producer_version[:100], produced_at=header.produced_at, header=said,
        stream=stream, counts=counts,
    )  # fmt: skip
    record(
        Act.SUBMISSION_ACCEPT, object_type="submission", object_id=row.pk, format=header.format, counts=counts,
        commitment=commitment(bytes(blob.salt), blob.digest), ciphertext_sha256=blob.ciphertext_digest,
    )  # fmt: skip
    _tell(EventType.SUBMISSION_ACCEPTED, row, outcomes=counts.get("outcomes", 0))


def refuse(row: Submission, problem: str) -> None:
    """Ends a document that can't be read: it is no evidence, and its bytes aren't kept."""
    if not is_held(row):
        return
    remove_after_commit(row)
    _end(row, SubmissionState.REFUSED, problem=problem[:2000], **NOT_KEPT)
    record(Act.SUBMISSION_REFUSE, object_type="submission", object_id=row.pk, sequence=row.sequence)
    _tell(EventType.SUBMISSION_REFUSED, row)


def hold_back(row: Submission, found: list[dict[str, str]]) -> bool:
    """Keeps a document apart that may hold PHI; False where another worker has it by now.

    `found` is masked; the log says kinds and numbers alone.
    """
    if not is_held(row):
        return False
    _end(row, SubmissionState.QUARANTINED, found=found)
    kinds = sorted({each["kind"] for each in found})
    record(
        Act.SUBMISSION_HOLD, object_type="submission", object_id=row.pk, sequence=row.sequence, kinds=kinds,
        found=len(found),
    )  # fmt: skip
    _tell(EventType.SUBMISSION_HELD, row, kinds=kinds)
    return True


def remove_after_commit(row: Submission) -> None:
    """Takes a document's bytes from the vault once nothing refers to them."""
    transaction.on_commit(partial(_remove, row.address))


def _remove(address: str) -> None:
    try:
        vault.remove_stream(address)
    except (Unavailable, OSError) as error:
        # Their key is gone with the row's column: what stays can't be opened.
        log.warning("submission.bytes_not_removed", address=address, error=str(error))


def _end(row: Submission, state: SubmissionState, **columns: Any) -> None:
    values = {"state": state, "due_at": None, "processed_at": timezone.now(), **columns}
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))


def _tell(event: EventType, row: Submission, **more: Any) -> None:
    emit(event, row.pk, page=("submission", row.pk), at=timezone.now(), sequence=row.sequence, **more)
