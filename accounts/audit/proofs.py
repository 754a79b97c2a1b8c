"""The sealed log as others read it: sizes, checkpoints, proofs, keys, and signatures that are asked for.

Everything runs inside open_tenant and speaks of that tenant's log alone. Nothing here can seal or sign: the sealer's
process does (accounts.audit.sealer), and its private key is nowhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connections
from django.db.models import QuerySet
from django.utils import timezone

from accounts.audit.models import (
    AuditAnchor,
    AuditCheckpoint,
    AuditEntry,
    AuditEpoch,
    AuditGlobalLeaf,
    AuditGlobalTile,
    AuditKey,
    AuditLeaf,
    AuditSealer,
    AuditSignature,
    AuditTile,
)
from accounts.audit.tree import StoredTree
from accounts.errors import InvalidInput
from accounts.tenancy.scope import current_database, current_tenant_id

SIGNED_PREFIXES = (
    "surety-evidence-package/1\n", "surety-log-export/1\n", "surety-receipt/1\n", "surety-verification/1\n",
    "surety-exit/1\n",
)  # fmt: skip
"""What the sealer signs on request begins with one of these lines; anything else it refuses."""
LONGEST_TEXT = 4096


@dataclass(frozen=True, slots=True)
class GlobalProof:
    """That a tenant's checkpoint stands in an anchored log of checkpoints: `note` is that log's, of `size` leaves."""

    note: str
    index: int
    size: int
    proof: list[bytes]


class SigningKey(NamedTuple):
    """A verifier key (C2SP vkey) and the note by which the key before certifies it; None for the first."""

    vkey: str
    certificate: str | None

    @property
    def fingerprint(self) -> str:
        """What people compare by another way than the package's: the SHA-256 of the vkey's line, in hex."""
        return hashlib.sha256(self.vkey.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A sealed entry: its place, its hash, and its body, which is the leaf's data."""

    index: int
    leaf_hash: bytes
    entry_id: UUID
    body: bytes


class MissingTail(NamedTuple):
    """An epoch that began with less, or other, than what is anchored: `size` checkpoints against `anchored_size`."""

    epoch: int
    started_at: datetime
    reason: str
    size: int
    anchored_size: int


class SealerState(NamedTuple):
    """How the sealer is."""

    seen_at: datetime | None
    """When it last ran; it says so every few seconds."""
    lag_seconds: float
    """How old the tenant's oldest entry is that it has not sealed; 0 where all are."""
    anchor_waits_since: datetime | None


def tree_size() -> int:
    """How many entries of the open tenant are sealed."""
    last = AuditLeaf.objects.order_by("-leaf_index").values_list("leaf_index", flat=True).first()
    return 0 if last is None else last + 1


def latest_checkpoint() -> AuditCheckpoint | None:
    """The newest checkpoint, which covers the whole tree."""
    return AuditCheckpoint.objects.order_by("-size").first()


def compact_range(first: int) -> list[bytes]:
    """The roots of the maximal complete subtrees over the leaves [0, first), left to right, so the largest first."""
    return _tree().peaks(first)


def inclusion_proof(index: int, size: int) -> list[bytes]:
    """From the leaf to the root of the tree of `size` leaves (RFC 6962, section 2.1.1)."""
    return _tree().inclusion_proof(index, size)


def inclusion_proofs(indexes: Iterable[int], size: int) -> dict[int, list[bytes]]:
    """As inclusion_proof, for many leaves of one tree; reads each stored hash once."""
    tree = _tree()
    return {index: tree.inclusion_proof(index, size) for index in indexes}


def consistency_proof(old: int, new: int) -> list[bytes]:
    """That the tree of `new` leaves begins with the one of `old` (RFC 6962, section 2.1.2)."""
    return _tree().consistency_proof(old, new)


def global_proof(checkpoint: AuditCheckpoint) -> GlobalProof | None:
    """That the newest anchored log of checkpoints holds this one; None while none does."""
    anchor = (
        AuditAnchor.objects.filter(anchored_at__isnull=False, size__gt=checkpoint.global_index)
        .order_by("-size")
        .first()
    )
    if anchor is None:
        return None
    proof = StoredTree(_fetch_global).inclusion_proof(checkpoint.global_index, anchor.size)
    return GlobalProof(anchor.note, checkpoint.global_index, anchor.size, proof)


def anchored_checkpoint() -> AuditCheckpoint | None:
    """The open tenant's newest checkpoint that is anchored."""
    anchored = AuditAnchor.objects.filter(anchored_at__isnull=False).order_by("-size").first()
    if anchored is None:
        return None
    return AuditCheckpoint.objects.filter(global_index__lt=anchored.size).order_by("-size").first()


def keys() -> list[SigningKey]:
    """The keys that sign the log, oldest first."""
    return [SigningKey(key.vkey, key.certificate) for key in AuditKey.objects.order_by("created_at")]


def leaf_of(entry_id: UUID) -> int | None:
    """An entry's leaf index; None while it is not sealed."""
    return AuditLeaf.objects.filter(pk=entry_id).values_list("leaf_index", flat=True).first()


def leaves_of(entry_ids: Iterable[UUID]) -> dict[UUID, int]:
    """The leaf indexes of those entries that are sealed."""
    return dict(AuditLeaf.objects.filter(pk__in=list(entry_ids)).values_list("pk", "leaf_index"))


def leaves(first: int, last: int, *, chunk: int = 2000) -> Iterator[Leaf]:
    """The sealed entries [first, last) in the order of the log, read in chunks."""
    for start in range(first, last, chunk):
        with connections[current_database()].cursor() as cursor:
            cursor.execute(_LEAVES, [current_tenant_id(), start, min(start + chunk, last)])
            rows = cursor.fetchall()
        for index, digest, entry_id, body in rows:
            yield Leaf(index, bytes(digest), entry_id, bytes(body))


_LEAVES = """
    SELECT l.leaf_index, l.leaf_hash, e.id, e.body FROM accounts_auditleaf l
    JOIN accounts_auditentry e ON e.id = l.id AND e.tenant_id = l.tenant_id
    WHERE l.tenant_id = %s AND l.leaf_index >= %s AND l.leaf_index < %s ORDER BY l.leaf_index
"""


def entries_between(first: int, last: int) -> QuerySet[AuditEntry]:
    """The sealed entries with a leaf index in [first, last), in no order."""
    sealed = AuditLeaf.objects.filter(leaf_index__gte=first, leaf_index__lt=last)
    return AuditEntry.objects.filter(pk__in=sealed.values("pk"))


def missing_tails() -> list[MissingTail]:
    """The epochs that began without what an anchor holds: what the database has lost, or what was rewritten."""
    found = AuditEpoch.objects.filter(reason__in=("tail missing", "tail differs")).order_by("number")
    return [
        MissingTail(each.number, each.started_at, each.reason, each.size, each.anchored_size or 0)
        for each in found
    ]


def sealer_state() -> SealerState:
    """How the sealer is: for pages and checks that watch over it."""
    state = AuditSealer.objects.first()
    waiting = AuditAnchor.objects.filter(anchored_at=None).order_by("size").first()
    oldest = _oldest_unsealed(state)
    return SealerState(
        state.seen_at if state else None,
        max(0.0, (timezone.now() - oldest).total_seconds()) if oldest else 0.0,
        waiting.created_at if waiting else None,
    )


def sealer_seen_at() -> datetime | None:
    """When the sealer last ran; None where it never did."""
    return AuditSealer.objects.values_list("seen_at", flat=True).first()


def _oldest_unsealed(state: AuditSealer | None) -> datetime | None:
    entries = AuditEntry.objects.filter(transaction_id__gte=state.position_xid if state else 0)
    unsealed = entries.exclude(pk__in=AuditLeaf.objects.values("pk"))
    return unsealed.order_by("recorded_at").values_list("recorded_at", flat=True).first()


def ask_signature(text: str) -> UUID:
    """Asks the sealer to sign a text, which begins with one of SIGNED_PREFIXES; the id of the request.

    It is signed after the caller's transaction has ended. Raises InvalidInput.
    """
    if not text.startswith(SIGNED_PREFIXES) or not text.endswith("\n") or "\n\n" in text:
        raise InvalidInput(
            "A text to be signed begins with its kind, ends in a newline and has no empty line."
        )
    if len(text.encode()) > LONGEST_TEXT:
        raise InvalidInput(f"A text to be signed has at most {LONGEST_TEXT} bytes.")
    return AuditSignature.objects.create(text=text).pk


def find_signature(signature_id: UUID) -> str | None:
    """The signed note that was asked for; None while the sealer has not signed it."""
    return AuditSignature.objects.filter(pk=signature_id).values_list("note", flat=True).first()


def _tree() -> StoredTree:
    return StoredTree(_fetch_own)


def _fetch_own(level: int, first: int, count: int) -> list[bytes]:
    if level == 0:
        rows = AuditLeaf.objects.filter(leaf_index__gte=first, leaf_index__lt=first + count)
        return _hashes(rows.order_by("leaf_index").values_list("leaf_hash", flat=True))
    tiles = AuditTile.objects.filter(level=level, index__gte=first, index__lt=first + count)
    return _hashes(tiles.order_by("index").values_list("hash", flat=True))


def _fetch_global(level: int, first: int, count: int) -> list[bytes]:
    if level == 0:
        rows = AuditGlobalLeaf.objects.filter(index__gte=first, index__lt=first + count)
        return _hashes(rows.order_by("index").values_list("leaf_hash", flat=True))
    tiles = AuditGlobalTile.objects.filter(level=level, index__gte=first, index__lt=first + count)
    return _hashes(tiles.order_by("index").values_list("hash", flat=True))


def _hashes(rows: Iterable[bytes | memoryview]) -> list[bytes]:
    return [bytes(row) for row in rows]


__all__ = [
    "GlobalProof", "Leaf", "MissingTail", "SealerState", "SigningKey", "anchored_checkpoint", "ask_signature",
    "compact_range", "consistency_proof", "entries_between", "find_signature", "global_proof", "inclusion_proof",
    "inclusion_proofs", "keys", "latest_checkpoint", "leaf_of", "leaves", "leaves_of", "missing_tails", "sealer_state",
    "tree_size",
]  # fmt: skip
