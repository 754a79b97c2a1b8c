"""Where the log says that evidence was sealed, and documents received."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from accounts.audit import proofs
from accounts.audit.events import Act, ActOutcome
from accounts.audit.models import AuditCheckpoint, AuditEntry

CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Seal:
    """The entry of a snapshot's sealing, or of another act. `index` is its leaf, None until the log is sealed there."""

    entry_id: UUID
    body: bytes
    index: int | None


def seals_of(ids: Iterable[UUID], act: Act = Act.EVIDENCE_SEAL) -> dict[UUID, Seal]:
    """The sealing of each snapshot of the open tenant, or what was done by another act to each thing.

    Those that the log knows nothing of are left out.
    """
    found: dict[UUID, Seal] = {}
    wanted = [str(pk) for pk in ids]
    for start in range(0, len(wanted), CHUNK):
        rows = AuditEntry.objects.filter(
            act=act, outcome=ActOutcome.DONE, object_id__in=wanted[start : start + CHUNK]
        ).values_list("pk", "object_id", "body")
        entries = {UUID(object_id): (pk, bytes(body)) for pk, object_id, body in rows}
        leaves = proofs.leaves_of(pk for pk, _body in entries.values())
        found |= {thing: Seal(pk, body, leaves.get(pk)) for thing, (pk, body) in entries.items()}
    return found


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That an entry stands in the sealed log (RFC 6962 section 2.1.1).

    `entry` is the leaf's data; `path` leads from it to the root that `checkpoint` says, a note of a tree of `size`
    entries signed by the log's key `key` (C2SP vkey).
    """

    entry: bytes
    index: int
    size: int
    path: tuple[bytes, ...]
    checkpoint: str
    key: str


def proof_of(act: Act, object_id: object) -> InclusionProof | None:
    """The proof for the first entry of an act that was done on an object; None until the log is sealed that far."""
    entry = _first_done(act, object_id)
    index = None if entry is None else proofs.leaf_of(entry.pk)
    checkpoint = proofs.latest_checkpoint()
    if entry is None or index is None or checkpoint is None or checkpoint.size <= index:
        return None
    path = proofs.inclusion_proof(index, checkpoint.size)
    key = proofs.keys()[-1].vkey
    return InclusionProof(bytes(entry.body), index, checkpoint.size, tuple(path), checkpoint.note, key)


def _first_done(act: Act, object_id: object) -> AuditEntry | None:
    done = AuditEntry.objects.filter(act=act, object_id=str(object_id), outcome=ActOutcome.DONE)
    return done.order_by("occurred_at").first()


def place_of(act: Act, object_id: object) -> int | None:
    """The leaf of the first entry of an act that was done on an object; None without one, or before it is sealed.

    Earlier there can be entries of the same act that was refused, such as until both factors were proved again.
    """
    entry = _first_done(act, object_id)
    return None if entry is None else proofs.leaf_of(entry.pk)


def is_anchored(checkpoint: AuditCheckpoint) -> bool:
    """Whether the checkpoint is in an anchor outside of the database."""
    return proofs.global_proof(checkpoint) is not None
