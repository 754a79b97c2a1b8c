"""Other tools' documents in a package: their bytes as they were sent, their receipts, and what the log says of both.

A document has no salted fields: where fields are withheld it stays out as a whole, and its digest with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from accounts.audit.events import Act
from accounts.audit.seals import Seal, seals_of
from assessments.engagements import documents as scope
from assessments.engagements.models import Engagement
from assessments.models import SubmittedCheck
from assessments.packages.told import Part, Told
from assessments.packages.withholding import Withholding
from evidence import vault
from evidence.models import Submission
from evidence.submissions.receipts import public_keys, receipt_digest

CHUNK = 500
ENDINGS = frozenset({"csv", "json", "jsonl", "pdf", "png", "sarif", "txt", "xml", "zip"})
"""How a document may end in a package; any other ends in "bin", so that nothing runs by its name."""
_COLUMNS = (
    "sequence", "sender", "receipt", "received_at", "digest", "size", "name", "media_type", "state", "found",
    "citations", "effective_from", "effective_to", "format", "producer", "producer_version", "produced_at", "stream",
)  # fmt: skip


@dataclass(frozen=True)
class Document:
    """A document of the scope. `cites`: what it is evidence for. `seal`: the log's entry of its reception, or None."""

    row: Submission
    cites: frozenset[str]
    seal: Seal | None

    @property
    def key(self) -> str:
        """Its id, as Told has it."""
        return str(self.row.pk)

    @cached_property
    def path(self) -> str:
        """Where its bytes stand in the package."""
        ending = PurePosixPath(self.row.name).suffix[1:].lower()
        return f"submissions/{self.key}/document.{ending if ending in ENDINGS else 'bin'}"

    @property
    def receipt_path(self) -> str:
        """Where its receipt stands."""
        return f"submissions/{self.key}/receipt.json"

    def about(self) -> dict[str, Any]:
        """receipt.json."""
        row = self.row
        return {
            "id": self.key, "document": self.path, "receipt": row.receipt, "sequence": row.sequence,
            "received_at": row.received_at.isoformat(), "sender": row.sender, "name": row.shown_name,
            "media_type": row.media_type, "format": row.format, "producer": row.producer,
            "producer_version": row.producer_version, "produced_at": _told(row.produced_at),
            "effective_from": _told(row.effective_from), "effective_to": _told(row.effective_to),
            "citations": sorted(self.cites),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deleted:
    """A document that was held back and deleted: that it was, and nothing of what it said."""

    id: UUID
    sequence: int
    received_at: datetime
    deleted_at: datetime
    seals: tuple[Seal | None, ...]

    def about(self) -> dict[str, Any]:
        """Its entry in deleted.json."""
        return {
            "id": str(self.id), "sequence": self.sequence, "received_at": self.received_at.isoformat(),
            "deleted_at": self.deleted_at.isoformat(),
        }  # fmt: skip


def documents_in(of: Engagement) -> list[Document]:
    """The scope's documents, in the order of their numbers."""
    rows = scope.submissions(of).select_related("blob").only(*_COLUMNS, *_of_blob()).order_by("sequence")
    found = list(rows.iterator(CHUNK))
    seals = seals_of((row.pk for row in found), Act.SUBMISSION_RECEIVE)
    cited = _cited_by_stream()
    return [
        Document(
            row,
            frozenset(row.citations)
            | (cited.get(row.stream_id, frozenset()) if row.stream_id else frozenset()),
            seals.get(row.pk),
        )
        for row in found
    ]


def deleted_in(of: Engagement) -> list[Deleted]:
    """The documents that were deleted, in the order of their numbers."""
    rows = list(scope.deleted(of).order_by("sequence").only("sequence", "received_at", "processed_at"))
    ids = [row.pk for row in rows]
    received, deleted = (seals_of(ids, act) for act in (Act.SUBMISSION_RECEIVE, Act.SUBMISSION_DELETE))
    return [
        Deleted(
            row.pk, row.sequence, row.received_at, row.processed_at or row.received_at,
            (received.get(row.pk), deleted.get(row.pk)),
        )
        for row in rows
    ]  # fmt: skip


def document_parts(found: Iterable[Document], withholding: Withholding, told: Told) -> Iterator[Part]:
    """Each document's bytes; `told` says which are not in the package, and why."""
    for each in found:
        reason = _unprovable(each)
        if not reason and withholding:
            reason = "fields are withheld, and a tool's document can't be shown without some of its own"
        if reason:
            told.left_out[each.key] = reason
        elif each.row.blob is not None:
            told.paths[each.key] = each.path
            yield each.path, vault.stream_blob(each.row.blob)


def receipt_parts(found: Iterable[Document], deleted: list[Deleted], told: Told) -> Iterator[Part]:
    """The receipts of the documents that are in the package, the keys that verify them, and what was deleted."""
    shown = [each for each in found if each.key in told.paths]
    for each in shown:
        yield each.receipt_path, [_json(each.about())]
    if shown:
        yield "submissions/keys.json", [_json(public_keys())]
    if deleted:
        yield "submissions/deleted.json", [_json({"deleted": [each.about() for each in deleted]})]


def entries_of(found: Iterable[Document], deleted: list[Deleted], told: Told) -> Mapping[Act, list[str]]:
    """The entries of the log that the package shows beside those of its evidence: by act, the objects."""
    gone = [str(each.id) for each in deleted]
    shown = [each.key for each in found if each.key in told.paths]
    return {Act.SUBMISSION_RECEIVE: [*shown, *gone], Act.SUBMISSION_DELETE: gone}


def _unprovable(document: Document) -> str:
    said = json.loads(document.seal.body)["details"] if document.seal else {}
    same = said.get("receipt_sha256") == receipt_digest(document.row.receipt)
    if same and document.row.blob is not None:
        return ""
    return "the log has no entry of its reception" if not same else "its bytes aren't kept"


def _cited_by_stream() -> dict[UUID, frozenset[str]]:
    cited: dict[UUID, set[str]] = {}
    for stream, citations in SubmittedCheck.objects.values_list("stream", "citations"):
        cited.setdefault(stream, set()).update(citations)
    return {stream: frozenset(found) for stream, found in cited.items()}


def _of_blob() -> list[str]:
    model = Submission._meta.get_field("blob").related_model
    return [f"blob__{each.attname}" for each in model._meta.concrete_fields]


def _told(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"
