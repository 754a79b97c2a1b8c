"""The sealer: gives committed entries their leaves, and signs what the trees have become. One at a time writes.

Works through one psycopg connection as portal_sealer. Each `seal` is one transaction, whole or not at all; what is in
memory is dropped whenever one fails. Signs with the log's current key (accounts.audit.keys).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import structlog

from accounts.audit import rows
from accounts.audit.events import Act, ActOutcome
from accounts.audit.keys import Signer, current_signer
from accounts.audit.log import EntryColumns, compose, is_genuine
from accounts.audit.notes import GLOBAL_ORIGIN, Checkpoint, NoteError, tenant_origin, write_note
from accounts.audit.proofs import SIGNED_PREFIXES
from accounts.audit.rows import Connection, EntryRow, NewCheckpoint, NewLeaf, Position
from accounts.audit.tree import GrowingTree, Tile, leaf_hash
from accounts.tenancy.models import new_id

BATCH = 20_000
SIGNATURES_A_TICK = 500
FAULTS_NAMED = 20
logger = structlog.get_logger(__name__)


class Sealed(NamedTuple):
    """What one transaction of the sealer did. `full`: there may be more at once."""

    entries: int
    signatures: int
    faults: int
    full: bool


NOTHING = Sealed(0, 0, 0, full=False)


class Sealer:
    """Seals in a position's epoch. Whoever uses it holds the sealer's lock (accounts.audit.service)."""

    def __init__(
        self, connection: Connection, position: Position, signers: Iterable[Signer], *, batch: int = BATCH
    ) -> None:
        self._connection, self._signers, self._batch = connection, list(signers), batch
        self.position = position
        self._trees: dict[UUID, GrowingTree] = {}
        self._global: GrowingTree | None = None

    def seal(self) -> Sealed:
        """Seals what is settled, at most a batch, and signs what is asked for. Raises WrongKeyError, psycopg.Error."""
        before, whole = self.position, False
        try:
            with self._connection.transaction():
                done = self._seal(datetime.now(UTC))
            whole = True
        finally:
            if not whole:
                self.position = before
                self._trees.clear()
                self._global = None
        return done

    def sign_head(self) -> bool:
        """Signs the log of checkpoints, to be anchored, where it has grown; whether it has. Commits."""
        with self._connection.transaction():
            newest = self._connection.execute("SELECT max(size) FROM accounts_auditanchor").fetchone()
            tree = self._global_tree()
            if tree.size <= ((newest and newest[0]) or 0):
                return False
            now = datetime.now(UTC)
            signer = current_signer(self._connection, self._signers)
            text = Checkpoint(GLOBAL_ORIGIN, tree.size, tree.root(), self.position.epoch, now).text()
            self._connection.execute(
                "INSERT INTO accounts_auditanchor (size, epoch, note, created_at, location)"
                " VALUES (%s, %s, %s, %s, '')",
                [tree.size, self.position.epoch, write_note(text, signer.public_key, signer.sign), now],
            )
        return True

    def _seal(self, now: datetime) -> Sealed:
        found = rows.take_entries(self._connection, self.position, self._batch)
        asked = self._asked()
        catching_up = self.position.catching_up_from is not None
        if not found and not asked and not catching_up:
            return NOTHING
        signer = current_signer(self._connection, self._signers)
        following = self.position.after(found, full=len(found) == self._batch)
        if found and (catching_up or self.position.xid <= self.position.mixed_until):
            entries = rows.without_sealed(self._connection, found)
        else:
            entries = found
        faults = self._grow(entries, signer, now)
        if following != self.position:
            rows.save_position(self._connection, following, now)
            self.position = following
        self._sign_asked(asked, signer, now)
        return Sealed(len(entries), len(asked), faults, full=len(found) == self._batch or catching_up)

    def _grow(self, entries: Sequence[EntryRow], signer: Signer, now: datetime) -> int:
        """Appends the entries to their tenants' trees and the trees' checkpoints to the global log; counts faults."""
        leaves: list[NewLeaf] = []
        tiles: list[tuple[UUID, UUID, Tile]] = []
        faults: dict[UUID, list[UUID]] = {}
        touched: dict[UUID, GrowingTree] = {}
        for row in entries:
            tenant_id = row.tenant_id
            tree = touched.get(tenant_id) or touched.setdefault(tenant_id, self._tree(tenant_id))
            digest = leaf_hash(row.body)
            leaves.append(NewLeaf(row.id, tenant_id, tree.size, digest))
            tiles += [(new_id(), tenant_id, tile) for tile in tree.append(digest)]
            if not _is_genuine(row):
                faults.setdefault(tenant_id, []).append(row.id)
        rows.insert_leaves(self._connection, leaves, now)
        rows.insert_tiles(self._connection, tiles)
        self._sign_trees(touched, signer, now)
        self._report(faults)
        return sum(map(len, faults.values()))

    def _sign_trees(self, trees: dict[UUID, GrowingTree], signer: Signer, now: datetime) -> None:
        log, tiles, made = self._global_tree(), [], []
        for tenant_id, tree in trees.items():
            root = tree.root()
            text = Checkpoint(tenant_origin(tenant_id), tree.size, root, self.position.epoch, now).text()
            note, digest = write_note(text, signer.public_key, signer.sign), leaf_hash(text.encode())
            made.append(NewCheckpoint(new_id(), tenant_id, tree.size, root, note, log.size, digest))
            tiles += log.append(digest)
        rows.insert_checkpoints(self._connection, made, self.position.epoch, now)
        rows.insert_global_tiles(self._connection, tiles)

    def _report(self, faults: dict[UUID, list[UUID]]) -> None:
        """An entry that isn't what was recorded has its leaf like any other; the log says so in a further entry."""
        for tenant_id, ids in faults.items():
            named = [str(entry_id) for entry_id in ids[:FAULTS_NAMED]]
            logger.error(
                "audit_entry_fault", alarm=True, tenant=str(tenant_id), entries=named, count=len(ids)
            )
            entry = compose(
                Act.LOG_ENTRY_FAULT, tenant_id=tenant_id, object_type="entry", object_id=ids[0],
                outcome=ActOutcome.FAILED, details={"entries": named, "count": len(ids)},
            )  # fmt: skip
            rows.insert_entries(self._connection, [entry])

    def _asked(self) -> list[tuple[UUID, str]]:
        found = self._connection.execute(
            "SELECT id, text FROM accounts_auditsignature WHERE signed_at IS NULL ORDER BY asked_at LIMIT %s",
            [SIGNATURES_A_TICK],
        )
        return [(row_id, text) for row_id, text in found]

    def _sign_asked(self, asked: Sequence[tuple[UUID, str]], signer: Signer, now: datetime) -> None:
        for row_id, text in asked:
            self._connection.execute(
                "UPDATE accounts_auditsignature SET note = %s, signed_at = %s WHERE id = %s",
                [_signed_or_refused(row_id, text, signer), now, row_id],
            )

    def _tree(self, tenant_id: UUID) -> GrowingTree:
        if tenant_id not in self._trees:
            self._trees[tenant_id] = rows.load_tree(self._connection, tenant_id)
        return self._trees[tenant_id]

    def _global_tree(self) -> GrowingTree:
        if self._global is None:
            self._global = rows.load_global_tree(self._connection)
        return self._global


def _signed_or_refused(row_id: UUID, text: str, signer: Signer) -> str | None:
    try:
        if text.startswith(SIGNED_PREFIXES):
            return write_note(text, signer.public_key, signer.sign)
    except NoteError:
        logger.warning("audit_signature_malformed", request=str(row_id))
        return None
    logger.error("audit_signature_refused", alarm=True, request=str(row_id))
    return None


def _is_genuine(row: EntryRow) -> bool:
    columns = EntryColumns(row.id, row.tenant_id, row.act, row.outcome, row.object_id, row.actor_id)
    return is_genuine(columns, row.body, row.mac, row.mac_key_id)
