"""Checks entries that somebody looks at against the sealed log, each time they are shown."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from accounts.audit import proofs
from accounts.audit.log import verify_entry
from accounts.audit.models import AuditCheckpoint, AuditEntry, AuditKey, AuditLeaf
from accounts.audit.notes import Checkpoint, NoteError, open_note, read_checkpoint, tenant_origin
from accounts.audit.tree import leaf_hash, node_hash


class Standing(StrEnum):
    """What the check of an entry found."""

    VERIFIED = "verified"
    WAITING = "waiting"
    """It is as recorded, and not sealed yet: that takes a second or two."""
    ALTERED = "altered"


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it is shown; `index` is its leaf's."""

    entry: AuditEntry
    standing: Standing
    index: int | None


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That an entry stands in a checkpoint: `proof` leads from its leaf's hash to `root`, where `holds`."""

    checkpoint: AuditCheckpoint
    leaf: bytes
    proof: Sequence[bytes]
    holds: bool


def check_entries(ids: Iterable[UUID]) -> list[Line]:
    """The entries in the given order, each with its MAC and its leaf's hash computed anew."""
    wanted = list(ids)
    entries, leaves = AuditEntry.objects.in_bulk(wanted), AuditLeaf.objects.in_bulk(wanted)
    return [_line(entries[entry_id], leaves.get(entry_id)) for entry_id in wanted]


def _line(entry: AuditEntry, leaf: AuditLeaf | None) -> Line:
    genuine = verify_entry(entry)
    if leaf is None:
        return Line(entry, Standing.WAITING if genuine else Standing.ALTERED, None)
    same = hmac.compare_digest(leaf_hash(bytes(entry.body)), bytes(leaf.leaf_hash))
    return Line(entry, Standing.VERIFIED if genuine and same else Standing.ALTERED, leaf.leaf_index)


def verified_checkpoint() -> AuditCheckpoint | None:
    """The newest checkpoint, if a key of the log signed it as it stands in its row; None while there is none.

    Raises NoteError where the row says something else than what was signed.
    """
    found = proofs.latest_checkpoint()
    if found is not None:
        said = _signed(found)
        if (said.origin, said.size, said.root) != (
            tenant_origin(found.tenant_id),
            found.size,
            bytes(found.root),
        ):
            raise NoteError("the checkpoint's row isn't what was signed")
    return found


def prove_inclusion(line: Line) -> Inclusion | None:
    """The entry's place in the newest checkpoint, computed from its body; None while no checkpoint covers it."""
    checkpoint = proofs.latest_checkpoint()
    if line.index is None or checkpoint is None or line.index >= checkpoint.size:
        return None
    leaf = leaf_hash(bytes(line.entry.body))
    proof = proofs.inclusion_proof(line.index, checkpoint.size)
    try:
        signed = _signed(checkpoint)
    except NoteError:
        return Inclusion(checkpoint, leaf, proof, holds=False)
    root = root_from(leaf, line.index, signed.size, proof)
    return Inclusion(
        checkpoint, leaf, proof, holds=root is not None and hmac.compare_digest(root, signed.root)
    )


def root_from(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root to which an inclusion proof leads (RFC 9162, section 2.1.3.2); None where it can't be one."""
    node, place, last = leaf, index, size - 1
    for sibling in proof:
        if last == 0:
            return None
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    return node if last == 0 else None


def _signed(checkpoint: AuditCheckpoint) -> Checkpoint:
    keys = [bytes(key) for key in AuditKey.objects.values_list("public_key", flat=True)]
    return read_checkpoint(open_note(checkpoint.note, keys))
