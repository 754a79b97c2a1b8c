"""The folder log/ of a package: a stretch of a tenant's log with all that proves it, piece by piece.

Nothing here keeps a transaction open while its caller writes: each piece is read in one of its own. The log only
grows, so what was read of a checkpoint's entries stays true.
"""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db.models import Max, Min

from accounts.audit import proofs
from accounts.audit.events import Act, ActOutcome
from accounts.audit.models import AuditCheckpoint, AuditEntry, AuditLeaf
from accounts.audit.package import Part
from accounts.errors import PortalError, Unavailable
from accounts.tenancy.scope import open_tenant

BATCH = 1000
"""Entries read in one transaction."""
PAUSE_SECONDS = 1.0
_NOTHING_ELSE: Mapping[Act, Collection[str]] = MappingProxyType({})

Withhold = Callable[[dict[str, Any]], bool]
"""Whether an entry, given as the JSON of its body, is shown by its hash alone."""


class LogDamaged(PortalError):
    """The stored log lacks what its checkpoints cover."""

    status = 500
    slug = "log-damaged"


@dataclass(frozen=True, slots=True)
class Segment:
    """The entries [first, size) of a tenant's log, which `checkpoint` covers."""

    tenant_id: UUID
    first: int
    checkpoint: AuditCheckpoint

    @property
    def size(self) -> int:
        return self.checkpoint.size


def show_all(entry: dict[str, Any]) -> bool:  # noqa: ARG001
    """Withholds nothing."""
    return False


def find_stretch(*, since: datetime, until: datetime) -> tuple[int, int] | None:
    """The first and the last leaf index of the open tenant's entries from `since` until before `until`.

    Entries of other times can lie between them, as the log is in the order of commits. None where there are none.
    """
    within = AuditEntry.objects.filter(occurred_at__gte=since, occurred_at__lt=until)
    found = AuditLeaf.objects.filter(pk__in=within.values("pk")).aggregate(
        first=Min("leaf_index"), last=Max("leaf_index")
    )
    return None if found["first"] is None else (found["first"], found["last"])


def choose_segment(*, tenant_id: UUID, first: int = 0, last: int | None = None) -> Segment:
    """The stretch from `first` to the end of the first checkpoint that covers `last`; without it, the newest.

    Raises Unavailable while no checkpoint covers them.
    """
    with open_tenant(tenant_id):
        covering = AuditCheckpoint.objects.order_by("size")
        found = proofs.latest_checkpoint() if last is None else covering.filter(size__gt=last).first()
    if found is None or found.size < first:
        raise Unavailable("The audit log isn't sealed up to there yet; try again in a minute.")
    return Segment(tenant_id, first, found)


def segment_parts(
    segment: Segment,
    *,
    withhold: Withhold = show_all,
    sealed: Collection[str] = (),
    told: Mapping[Act, Collection[str]] = _NOTHING_ELSE,
    earlier_size: int | None = None,
    anchor_patience: float = 0,
) -> Iterator[Part]:
    """The files of log/, to be streamed into a package.

    `sealed`: ids of the snapshots that the package holds; the entries that say so are shown, from before the
    segment too. `told`: the same for other acts, by the ids of their objects.
    `earlier_size`: of a checkpoint that the log shall be proved to continue. `anchor_patience`: seconds to wait at the
    end for the checkpoint to be anchored; without an anchor by then there is no log/anchor.json.
    Raises Unavailable where `sealed` names what the checkpoint doesn't cover, LogDamaged where entries are missing.
    """
    own = {act: set(ids) for act, ids in {**told, Act.EVIDENCE_SEAL: sealed}.items() if ids}
    with open_tenant(segment.tenant_id):
        keys = [{"vkey": key.vkey, "certificate": key.certificate} for key in proofs.keys()]  # noqa: SIM118 (a function)
        before = _encoded(proofs.compact_range(segment.first))
    yield "log/keys.json", [_pretty({"keys": keys})]
    yield "log/checkpoint.txt", [segment.checkpoint.note.encode()]
    yield (
        "log/segment.json",
        [_pretty({"first": segment.first, "size": segment.size, "before": before})],
    )
    yield "log/entries.jsonl", _entries(segment, _but_those(withhold, own))
    if own:
        yield "log/inclusion.jsonl", _included(segment, own)
    if earlier_size is not None:
        yield "log/earlier.json", [_earlier(segment, earlier_size)]
    anchor = _anchor(segment, anchor_patience)
    if anchor is not None:
        yield "log/anchor.json", [anchor]


def _entries(segment: Segment, withhold: Withhold) -> Iterator[bytes]:
    for start in range(segment.first, segment.size, BATCH):
        end = min(start + BATCH, segment.size)
        with open_tenant(segment.tenant_id):
            leaves = list(proofs.leaves(start, end))
        if [leaf.index for leaf in leaves] != list(range(start, end)):
            raise LogDamaged("The audit log lacks sealed entries. manage.py verify_log says which.")
        yield b"".join(_entry_line(leaf, withhold) for leaf in leaves)


def _entry_line(leaf: proofs.Leaf, withhold: Withhold) -> bytes:
    if withhold is not show_all and withhold(json.loads(leaf.body)):
        return _line({"index": leaf.index, "leaf": _encode(leaf.leaf_hash)})
    return _line({"index": leaf.index, "body": leaf.body.decode()})


def _but_those(withhold: Withhold, own: Mapping[Act, Collection[str]]) -> Withhold:
    """As `withhold`, but what says that an act was done on one of its objects is shown."""
    if withhold is show_all:
        return show_all

    def is_own(entry: dict[str, Any]) -> bool:
        ids = own.get(entry["act"], ())
        return bool(ids) and entry["object"]["id"] in ids and entry["outcome"] == ActOutcome.DONE

    return lambda entry: withhold(entry) and not is_own(entry)


def _included(segment: Segment, own: Mapping[Act, Collection[str]]) -> Iterator[bytes]:
    for act, ids in own.items():
        wanted = sorted(ids)
        for start in range(0, len(wanted), BATCH):
            with open_tenant(segment.tenant_id):
                lines = _inclusion_lines(segment, act, wanted[start : start + BATCH])
            yield b"".join(lines)


def _inclusion_lines(segment: Segment, act: Act, wanted: Sequence[str]) -> list[bytes]:
    sealing = AuditEntry.objects.filter(act=act, outcome=ActOutcome.DONE, object_id__in=wanted)
    bodies = {entry.pk: bytes(entry.body).decode() for entry in sealing.only("body")}
    places = proofs.leaves_of(bodies)
    covered = set(
        sealing.filter(pk__in=[pk for pk, index in places.items() if index < segment.size]).values_list(
            "object_id", flat=True
        )
    )
    if covered != set(wanted):
        raise Unavailable(
            "Evidence of this package isn't sealed in the audit log yet; try again in a minute."
        )
    outside = {index: bodies[pk] for pk, index in places.items() if index < segment.first}
    found = proofs.inclusion_proofs(sorted(outside), segment.size)
    return [
        _line({"index": index, "body": outside[index], "proof": _encoded(proof)})
        for index, proof in found.items()
    ]


def _earlier(segment: Segment, size: int) -> bytes:
    with open_tenant(segment.tenant_id):
        checkpoint = AuditCheckpoint.objects.get(size=size)
        proof = proofs.consistency_proof(size, segment.size)
    return _pretty({"checkpoint": checkpoint.note, "proof": _encoded(proof)})


def _anchor(segment: Segment, patience: float) -> bytes | None:
    deadline = time.monotonic() + patience
    while True:
        with open_tenant(segment.tenant_id):
            found = proofs.global_proof(segment.checkpoint)
        if found is not None:
            return _pretty({"note": found.note, "index": found.index, "proof": _encoded(found.proof)})
        if time.monotonic() >= deadline:
            return None
        time.sleep(PAUSE_SECONDS)


def _encode(data: bytes) -> str:
    return b64encode(data).decode()


def _encoded(hashes: Iterable[bytes]) -> list[str]:
    return [_encode(each) for each in hashes]


def _pretty(value: dict[str, Any]) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
