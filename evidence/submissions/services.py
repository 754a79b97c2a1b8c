"""Submissions as they are kept and found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Max, QuerySet
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.clients.scopes import EVERYTHING, Reach
from accounts.errors import NotFound, Unauthenticated
from accounts.models import ApiClient
from accounts.tenancy.models import new_id
from accounts.tenancy.scope import current_tenant_id
from evidence.models import Submission, SubmissionState
from evidence.queue import ring_after_commit
from evidence.submissions.receipts import Receipt, receipt_digest, sign_receipt
from evidence.submissions.receiving import Received
from evidence.vault.streams import StreamKept, open_packed, stream_blob

DOCUMENTS_SHOWN = 10
PROCESS_SUBMISSION = "tasks.submit.process_submission"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: a client, within its reach, or a person."""

    name: str
    client_id: UUID | None = None
    person_id: UUID | None = None
    reach: Reach = EVERYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What the sender says of a document; "" and None where nothing is said.

    `mapping` is a saved mapping's JSON, as it was when the document was sent.
    """

    media_type: str
    name: str = ""
    format: str = ""
    stream: str = ""
    complete: bool = False
    citations: tuple[str, ...] = ()
    effective_from: datetime | None = None
    effective_to: datetime | None = None
    mapping: dict[str, Any] | None = field(default=None)


def keep_submission(received: Received, declared: Declared, sender: Sender) -> Submission:
    """Writes the row of a received document, with its receipt, and rings for a worker.

    Raises Unauthenticated where the client was revoked or is over by now: a large document takes its time.
    """
    _check_client(sender)
    _take_turn()
    row = Submission(
        id=new_id(), sequence=_next_sequence(), client_id=sender.client_id, person_id=sender.person_id,
        sender=sender.name[:150], received_at=timezone.now(), digest=received.digest, size=received.size,
        name=declared.name, media_type=declared.media_type[:100], declared_format=declared.format,
        stream_name=declared.stream, complete=declared.complete, citations=sorted(set(declared.citations)),
        effective_from=declared.effective_from, effective_to=declared.effective_to, mapping=declared.mapping,
        reach_safeguards=sorted(sender.reach.safeguards), reach_connections=sorted(sender.reach.connections),
        address=received.kept.address, wrapped_key=received.kept.wrapped_key, key_id=received.kept.key_id,
        ciphertext_digest=received.kept.ciphertext_digest, stored_size=received.kept.stored_size,
        due_at=timezone.now(),
    )  # fmt: skip
    row.receipt = sign_receipt(_receipt_of(row))
    received.claimed = True
    row.save(force_insert=True)
    record(
        Act.SUBMISSION_RECEIVE, object_type="submission", object_id=row.pk, sequence=row.sequence, size=row.size,
        receipt_sha256=receipt_digest(row.receipt), citations=row.citations, format=row.declared_format,
    )  # fmt: skip
    ring_after_commit(PROCESS_SUBMISSION, current_tenant_id(), [row.pk])
    return row


def find_submission(
    submission_id: UUID, reach: Reach = EVERYTHING, *, client_id: UUID | None = None
) -> Submission:
    """One submission. Raises NotFound."""
    found = submissions_within(reach, client_id).filter(pk=submission_id).first()
    if found is None:
        raise NotFound("There is no such submission.")
    return found


def submissions_within(reach: Reach, client_id: UUID | None = None) -> QuerySet[Submission]:
    """What a caller may see: a narrowed client its own submissions alone."""
    rows: QuerySet[Submission] = Submission.objects.all()
    return rows if reach == EVERYTHING else rows.filter(client=client_id)


def documents_for(citation: str) -> list[Submission]:
    """The newest accepted documents that their senders named for a safeguard."""
    named = Submission.objects.filter(state=SubmissionState.ACCEPTED, citations__contains=[citation])
    return list(named.order_by("-received_at", "-pk")[:DOCUMENTS_SHOWN])


def open_submission(row: Submission) -> Iterator[bytes]:
    """The document's bytes in pieces; use nothing of a stream that did not end.

    Raises vault.NotIntact, NotFound where they weren't kept.
    """
    if row.blob is not None:
        return stream_blob(row.blob)
    if not row.wrapped_key:
        raise NotFound("This document's bytes aren't kept.")
    kept = StreamKept(row.address, bytes(row.wrapped_key), row.key_id, row.ciphertext_digest, row.stored_size)
    return open_packed(kept, context=row.context)


def _check_client(sender: Sender) -> None:
    if sender.client_id is None:
        return
    client = ApiClient.objects.filter(pk=sender.client_id).first()
    if client is None or not client.is_live(timezone.now()):
        raise Unauthenticated("This client was revoked or is over.")


def _take_turn() -> None:
    """Numbers have no gaps and grow with time: who sends at the same time waits for the other's commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"submissions {current_tenant_id()}"]
        )


def _next_sequence() -> int:
    newest: int | None = Submission.objects.aggregate(newest=Max("sequence"))["newest"]
    return (newest or 0) + 1


def _receipt_of(row: Submission) -> Receipt:
    return Receipt(
        issuer=settings.SITE_URL, tenant=current_tenant_id(), submission=row.pk, sequence=row.sequence,
        digest=row.digest, size=row.size, received_at=row.received_at.isoformat().replace("+00:00", "Z"),
    )  # fmt: skip
