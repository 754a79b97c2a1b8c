"""Snapshots: kept with their provenance, opened for people and for checks, verified."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act, ActOutcome
from accounts.audit.log import record
from accounts.errors import NotFound
from accounts.tenancy.scope import open_tenant
from evidence import vault
from evidence.collectors.base import collectors
from evidence.fields import commitment
from evidence.models import Access, Blob, CollectionUnit, Snapshot
from evidence.types import Answers, Gap, GapReason

if TYPE_CHECKING:
    from evidence.aws.reader import Collected

MOST_REQUEST_IDS = 200
NOTHING_MORE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class OpenedSnapshot:
    """A snapshot with its sealed bytes, just verified. `payload` has the form of evidence.types."""

    snapshot: Snapshot
    payload: Mapping[str, Any]
    raw: bytes
    digest_ok: bool = True


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether the sealed bytes are what was sealed; `message` says what is wrong, "" where nothing is."""

    ok: bool
    digest: str
    ciphertext_digest: str
    at: datetime
    message: str


def keep_snapshot(*, unit: CollectionUnit, collected: Collected, blob: Blob) -> Snapshot:
    """Writes the snapshot's row; for an answer seen before, returns the row of the first time."""
    aws, version = unit.run.connection, collectors()[unit.collector].version
    fields = {
        "run": unit.run,
        "aws_account_id": collected.payload["account_id"],
        "gap_count": len(collected.gaps),
        "provenance": _provenance(unit, collected),
        "collected_at": collected.finished_at,
        "sealed_at": timezone.now(),
    }
    snapshot, is_new = Snapshot.objects.get_or_create(
        connection=aws, collector=unit.collector, collector_version=version, region=unit.region, blob=blob,
        defaults=fields,
    )  # fmt: skip
    if is_new:
        record(
            Act.EVIDENCE_SEAL, object_type="snapshot", object_id=snapshot.pk, **_committed(blob),
            fields_root=blob.fields_root, ciphertext_sha256=blob.ciphertext_digest, collector=unit.collector,
            region=unit.region,
        )  # fmt: skip
    return snapshot


def _committed(blob: Blob) -> dict[str, Any]:
    salt = bytes(blob.salt)
    return {"commitment": commitment(salt, blob.digest)} if salt else {"sha256": blob.digest}


def _provenance(unit: CollectionUnit, collected: Collected) -> dict[str, Any]:
    aws = unit.run.connection
    by_role = aws.access == Access.ROLE
    return {
        "role_arn": aws.role_arn if by_role else "",
        "session_name": f"surety-{str(aws.pk)[-12:]}" if by_role else "",
        "started_at": collected.started_at.isoformat(),
        "finished_at": collected.finished_at.isoformat(),
        "api_calls": dict(collected.calls),
        "request_ids": [list(entry) for entry in collected.request_ids[:MOST_REQUEST_IDS]],
        "request_ids_total": len(collected.request_ids),
    }


def open_snapshot(
    *, snapshot_id: UUID, act: Act = Act.EVIDENCE_READ, about: Mapping[str, Any] = NOTHING_MORE
) -> OpenedSnapshot:
    """Opens a snapshot for a person; the read is recorded, with what it is `about`, such as an engagement.

    Raises NotFound, vault.NotIntact, StoreUnavailable.
    """
    snapshot = _find(snapshot_id)
    raw = vault.open_blob(snapshot.blob)
    record(act, object_type="snapshot", object_id=snapshot.pk, digest=snapshot.blob.digest, **about)
    return OpenedSnapshot(snapshot, json.loads(raw), raw)


def verify_snapshot(*, snapshot_id: UUID, about: Mapping[str, Any] = NOTHING_MORE) -> Verification:
    """Reads the sealed bytes back and compares every digest; how it went is recorded. Raises NotFound."""
    snapshot = _find(snapshot_id)
    message = vault.verify_blob(snapshot.blob)
    record(
        Act.EVIDENCE_VERIFY, object_type="snapshot", object_id=snapshot.pk, digest=snapshot.blob.digest,
        outcome=ActOutcome.FAILED if message else ActOutcome.DONE, **about,
    )  # fmt: skip
    blob = snapshot.blob
    return Verification(not message, blob.digest, blob.ciphertext_digest, timezone.now(), message)


def load_answers(*, tenant_id: UUID, run_id: UUID) -> dict[tuple[str, str], Answers]:
    """What a run's units learned, by collector and region; a unit that learned nothing gives its gap.

    Opens the vault between transactions. Raises vault.NotIntact, StoreUnavailable.
    """
    with open_tenant(tenant_id):
        units = list(CollectionUnit.objects.filter(run=run_id).select_related("snapshot__blob"))
    return {(unit.collector, unit.region): _answers(unit) for unit in units}


def _answers(unit: CollectionUnit) -> Answers:
    if unit.snapshot is not None:
        return Answers.from_payload(json.loads(vault.open_blob(unit.snapshot.blob)))
    gaps = [Gap(**{**gap, "reason": GapReason(gap["reason"])}) for gap in unit.gaps]
    return Answers(unit.collector, unit.region, {}, {("*", ""): gaps[0]} if gaps else {})


def _find(snapshot_id: UUID) -> Snapshot:
    found: Snapshot | None = (
        Snapshot.objects.select_related("blob", "connection").filter(pk=snapshot_id).first()
    )
    if found is None:
        raise NotFound("There is no such evidence.")
    return found
