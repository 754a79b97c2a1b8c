"""Makes a package: claims its row, waits for the log's seal without holding anything, streams the ZIP into the vault.

Nothing of a package is held in memory but lists of what is in it; the database is asked between writes, in short
transactions. A worker that dies leaves a lease that runs out; the next one begins anew, under a new address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import connection
from django.utils import timezone

from accounts.audit.events import Act, ActOutcome
from accounts.audit.log import record
from accounts.audit.package import PackageFormat, PackageInfo, stream_package
from accounts.audit.seals import Seal, is_anchored, place_of
from accounts.audit.segment import LogDamaged, Segment, choose_segment, find_stretch, segment_parts
from accounts.errors import Unavailable
from accounts.models import Tenant
from accounts.tenancy.scope import open_tenant
from assessments.packages import contents, documents, gather, index
from assessments.packages.contents import Held
from assessments.packages.documents import Deleted, Document
from assessments.packages.lease import Lease, LeaseLost, claim
from assessments.packages.models import Package, PackageState
from assessments.packages.services import set_link
from assessments.packages.told import Part, Told
from evidence import vault

log = structlog.get_logger()

MOST_ATTEMPTS = 3
SEAL_SECONDS, PATIENT_SECONDS = 1.0, 30.0
"""How soon a package that waits for the log is looked at again: at first, and after a while."""
PATIENCE = timedelta(minutes=1)
ANCHOR_PATIENCE = timedelta(seconds=90)
"""How long a package waits for its part of the log to be anchored; without an anchor it says so."""
KEPT = timedelta(days=30)

SHOWN_ACTS = frozenset({
    Act.EVIDENCE_SEAL, Act.COLLECTION_START, Act.COLLECTION_FINISH, Act.EVALUATION_FINISH, Act.CONNECTION_CREATE,
    Act.CONNECTION_VERIFY, Act.CONNECTION_CHANGE, Act.CONNECTION_REMOVE, Act.PACKAGE_CREATE, Act.ENGAGEMENT_CREATE,
    Act.ENGAGEMENT_CHANGE, Act.ENGAGEMENT_END,
})  # fmt: skip
"""The log's entries that are about a scope when their object is of it. Who read what is withheld like all others."""


def build_package(*, tenant_id: UUID, package_id: UUID) -> float | None:
    """Takes the package one step further; returns the seconds after which to look again, None for not at all.

    Another copy of the same message, or a worker whose lease ran out, changes nothing.
    """
    with open_tenant(tenant_id):
        package = Package.objects.filter(pk=package_id).first()
    seconds = None
    if package is None or package.state == PackageState.REMOVED:
        return None
    if package.keep_until is not None and package.keep_until <= timezone.now():
        _remove(package)
    elif package.state in {PackageState.WAITING, PackageState.BUILDING}:
        seconds = _wait_for_log(package)
        if seconds is None:
            _claim_and_make(package)
    return seconds


def _wait_for_log(package: Package) -> float | None:
    """The seconds to wait until the log is sealed as far as the package's evidence, and, for a while, anchored."""
    now = timezone.now()
    with open_tenant(_tenant(package)):
        of = package.scope()
        found = documents.documents_in(of), documents.deleted_in(of)
        segment = _segment(package, _seals(gather.pieces_in(of), *found))
        note = "" if segment else "Waiting for the audit log to be sealed."
        if segment and not is_anchored(segment.checkpoint) and now < package.requested_at + ANCHOR_PATIENCE:
            note = "Waiting for the audit log to be anchored."
        if not note:
            return None
        seconds = SEAL_SECONDS if now < package.requested_at + PATIENCE + ANCHOR_PATIENCE else PATIENT_SECONDS
        waiting = Package.objects.filter(pk=package.pk, state=PackageState.WAITING)
        waiting.update(note=note, due_at=now + timedelta(seconds=3 * seconds))
    return seconds


def _seals(
    pieces: Iterable[gather.Piece], found: Iterable[Document], deleted: Iterable[Deleted]
) -> list[Seal]:
    """The entries that the package must prove."""
    shown = [*(each.seal for each in pieces), *(each.seal for each in found)]
    return [seal for seal in (*shown, *(seal for each in deleted for seal in each.seals)) if seal]


def _segment(package: Package, seals: Iterable[Seal]) -> Segment | None:
    """The stretch of the log from the period's first entry to a checkpoint over all that the package must prove."""
    of, own = package.scope(), place_of(Act.PACKAGE_CREATE, package.pk)
    places = [seal.index for seal in seals]
    if own is None or None in places:
        return None
    stretch = find_stretch(since=of.starts, until=of.ends)
    last = max([own, *(place for place in places if place is not None)])
    try:
        return choose_segment(tenant_id=_tenant(package), first=stretch[0] if stretch else own, last=last)
    except Unavailable:
        return None


def _claim_and_make(package: Package) -> None:
    with open_tenant(_tenant(package)):
        held = claim(package.pk)
    if held is None:
        return
    if held.attempt > MOST_ATTEMPTS:
        _end(held, f"Given up after {MOST_ATTEMPTS} attempts: each time the worker died.")
        return
    if package.address:
        vault.remove_stream(package.address)
    lease = Lease(held)
    try:
        with lease.kept():
            _make(held, lease)
    except LeaseLost:
        vault.remove_stream(held.address)
    except vault.NotIntact as error:
        _end(held, f"Evidence is not intact, so that nothing is handed out: {error}")
    except LogDamaged as error:
        _end(held, str(error))
    except Unavailable as error:
        _try_later(held, str(error))


def _make(package: Package, lease: Lease) -> None:
    package.address = f"{package.tenant_id}/{str(package.pk)[-2:]}/package-{package.pk}-{package.fence}"
    with open_tenant(lease.tenant_id):
        lease.held().update(address=package.address)
    making = Making(package, lease)
    digest, size = hashlib.sha256(), 0
    with vault.seal_stream(address=package.address, context=package.context) as sink:
        for piece in stream_package(info=making.info(), parts=making.parts()):
            lease.check()
            digest.update(piece)
            size += len(piece)
            sink.write(piece)
    _read_back(sink.kept, package, digest.hexdigest())
    # The database may have restarted meanwhile: the next query looks first.
    connection.close_if_unusable_or_obsolete()
    _finish(lease, sink.kept, making, digest.hexdigest(), size)


def _read_back(kept: vault.StreamKept, package: Package, digest: str) -> None:
    found = hashlib.sha256()
    for piece in vault.open_stream(kept, context=package.context):
        found.update(piece)
    if found.hexdigest() != digest:
        raise vault.NotIntact("what was stored of the package is not what was written")


class Making:
    """One package in the making: what is in it, and what became of each piece."""

    def __init__(self, package: Package, lease: Lease) -> None:
        self.package, self.lease, self.told = package, lease, Told()
        self.made_at = timezone.now()
        of = self._scope = package.scope()
        with self._opened():
            self.entries = gather.safeguards_in(of)
            self.pieces = gather.pieces_in(of)
            self.documents = documents.documents_in(of)
            self.deleted = documents.deleted_in(of)
            self.held = Held(self.pieces, self.documents)
            self.connections = gather.connections_in(of)
            self.ids = gather.ids_in(of, self.pieces) | {str(package.pk), str(package.engagement_id)}
            self.work = gather.work_of(package.engagement)
            self.tenant_name = Tenant.objects.get(pk=lease.tenant_id).name
            segment = _segment(package, _seals(self.pieces, self.documents, self.deleted))
            self.total = sum(each.blob.size for each in self.pieces) + sum(
                each.row.size for each in self.documents
            )
            lease.held().update(total=len(self.pieces) + len(self.documents), bytes_total=self.total)
        if segment is None:
            raise Unavailable("The audit log isn't sealed as far as this package's evidence yet.")
        self.segment = segment
        self.withholding = contents.withholding_for(self.pieces, package.withheld)
        self.work = self.work.cleaned(self.withholding)

    def _opened(self) -> Any:
        return open_tenant(self.lease.tenant_id)

    def info(self) -> PackageInfo:
        """What package.json says."""
        package, clean = self.package, self.withholding.text
        scope = {
            "citations": package.citations,
            "connections": [clean(str(row)) for row in self.connections],
            "period": [package.period_from.isoformat(), package.period_to.isoformat()],
            "engagement": clean(str(package.engagement)) if package.engagement else None,
        }
        withheld = {
            "patterns": [clean(each) for each in package.withheld],
            "reason": clean(package.withheld_reason),
        }
        more = {"scope": scope, "requested_by": package.requested_by.name, "withheld": withheld}
        return PackageInfo(
            PackageFormat.EVIDENCE, self.lease.tenant_id, self.tenant_name, id=package.pk, created_at=self.made_at,
            more=more,
        )  # fmt: skip

    def parts(self) -> Iterator[Part]:
        """Every file that is of this package, in the order in which it is written."""
        yield from self._counted(contents.evidence_parts(self.pieces, self.withholding, self.told))
        yield from self._counted(documents.document_parts(self.documents, self.withholding, self.told))
        yield from documents.receipt_parts(self.documents, self.deleted, self.told)
        yield from contents.safeguard_parts(
            self._scope, self.entries, self.held, self.work, self.told, self.withholding, self._opened
        )
        yield from contents.sample_parts(self.work, self.withholding, self.told)
        sealed = [
            str(piece.snapshot_id) for piece in self.pieces if str(piece.snapshot_id) in self.told.paths
        ]
        yield contents.salts_part(self.pieces, self.told)
        told = documents.entries_of(self.documents, self.deleted, self.told)
        yield from segment_parts(self.segment, withhold=self._withholds, sealed=sealed, told=told)
        facts = self.facts()
        yield "index.html", [index.index_html(facts)]
        yield "index.pdf", [index.index_pdf(facts)]

    def _counted(self, parts: Iterable[Part]) -> Iterator[Part]:
        for path, pieces in parts:
            yield path, self._metered(pieces)
            self.lease.done += 1

    def _metered(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.lease.bytes_done += len(piece)
            yield piece

    def _withholds(self, entry: dict[str, Any]) -> bool:
        about = entry["object"]["id"] in self.ids and entry["act"] in SHOWN_ACTS
        return not about or self.withholding.mentions_in(entry)

    def facts(self) -> dict[str, Any]:
        """What the index says."""
        return index.facts_of(
            package=self.package, tenant_name=self.tenant_name, made_at=self.made_at, entries=self.entries,
            held=self.held, deleted=self.deleted, connections=self.connections, work=self.work, told=self.told,
            withholding=self.withholding,
        )  # fmt: skip

    def counts(self) -> dict[str, Any]:
        """What the portal's page says is in it."""
        return {
            "safeguards": len(self.entries),
            "evidence": sum(str(piece.snapshot_id) in self.told.paths for piece in self.pieces),
            "documents": sum(each.key in self.told.paths for each in self.documents),
            "left_out": len(self.told.left_out),
            "documents_with_withheld_fields": len(self.told.withheld),
            "fields_withheld": sum(hidden for hidden, _total in self.told.withheld.values()),
            "log_first": self.segment.first,
            "log_size": self.segment.size,
        }


def _finish(lease: Lease, kept: vault.StreamKept, making: Making, digest: str, size: int) -> None:
    now = timezone.now()
    with open_tenant(lease.tenant_id):
        row = lease.held().select_for_update().first()
        if row is None:
            raise LeaseLost
        row.state, row.note, row.lease_until = PackageState.READY, "", None
        row.wrapped_key, row.key_id = kept.wrapped_key, kept.key_id
        row.ciphertext_digest, row.stored_size = kept.ciphertext_digest, kept.stored_size
        row.sha256, row.size, row.contents = digest, size, making.counts()
        row.done, row.bytes_done = row.total, row.bytes_total
        row.ready_at, row.keep_until, row.due_at = now, now + KEPT, now + KEPT
        set_link(row)
        row.save()
        _record(row, Act.PACKAGE_FINISH, sha256=digest, size=size, log_size=making.segment.size)


def _end(package: Package, note: str) -> None:
    """The package can't be made: the person is told why."""
    with open_tenant(_tenant(package)):
        ended = (
            Lease(package)
            .held()
            .update(state=PackageState.FAILED, note=note[:500], due_at=None, lease_until=None)
        )
        if ended:
            _record(package, Act.PACKAGE_FINISH, outcome=ActOutcome.FAILED)
    if package.address:
        vault.remove_stream(package.address)


def _try_later(package: Package, note: str) -> None:
    """What was missing may be back soon; the sweeper rings again. It doesn't count as an attempt."""
    log.warning("package_waits", package=str(package.pk), reason=note)
    connection.close_if_unusable_or_obsolete()
    with open_tenant(_tenant(package)):
        Lease(package).held().update(
            state=PackageState.WAITING, note=note[:500], lease_until=None, attempt=package.attempt - 1,
            due_at=timezone.now() + timedelta(seconds=PATIENT_SECONDS),
        )  # fmt: skip


def _remove(package: Package) -> None:
    """Takes the bytes from the vault and the key that opens them from the row."""
    if package.address:
        vault.remove_stream(package.address)
    with open_tenant(_tenant(package)):
        row = Package.objects.select_for_update().get(pk=package.pk)
        row.state, row.note, row.due_at, row.lease_until = PackageState.REMOVED, "", None, None
        row.wrapped_key, row.token_digest, row.link_expires_at = b"", None, None
        row.save()


def _record(package: Package, act: Act, outcome: ActOutcome = ActOutcome.DONE, **details: Any) -> None:
    record(act, object_type="package", object_id=package.pk, outcome=outcome, **details)


def _tenant(package: Package) -> UUID:
    tenant_id: UUID = package.tenant_id  # type: ignore[assignment] # a row of a tenant
    return tenant_id
