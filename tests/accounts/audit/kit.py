"""A log under test: writes entries as the portal does, seals them as the sealer's process does, checks all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from accounts.audit import proofs, rows
from accounts.audit.anchor import AnchorStore
from accounts.audit.anchoring import anchor_waiting
from accounts.audit.epochs import look_at_anchor, open_epoch
from accounts.audit.events import Act
from accounts.audit.keys import LocalSigner, Signer
from accounts.audit.log import record
from accounts.audit.notes import GLOBAL_ORIGIN, open_note, read_checkpoint, tenant_origin
from accounts.audit.sealer import Sealed, Sealer
from accounts.audit.service import Pace, SealerService
from accounts.tenancy.scope import open_tenant
from portal.embedded import Role, postgres_address
from tests.accounts.audit import rfc9162
from tests.conftest import superuser_dsn
from tests.embedded.conftest import eventually
from tests.environment import STATE
from tests.factories import make_tenant

SIGNER = LocalSigner("the first key of the log under test")
NEXT_SIGNER = LocalSigner("the second key of the log under test")

_OTHERS = """
    select pid from pg_stat_activity
    where datname <> current_database() and backend_xid::text::bigint < %s
"""


class Log:
    """One database's audit log. `sealer` is opened at first use and again after `reopen`."""

    def __init__(self, name: str, store: AnchorStore) -> None:
        self.name, self.store = name, store
        self.signers: list[Signer] = [SIGNER]
        self.batch = 20_000
        self._connections: list[psycopg.Connection[Any]] = []
        self._sealer: Sealer | None = None

    def connect(self) -> psycopg.Connection[Any]:
        made = psycopg.connect(postgres_address(STATE).dsn(Role.SEALER, self.name), autocommit=True)
        self._connections.append(made)
        return made

    def close(self) -> None:
        for made in self._connections:
            made.close()

    @property
    def sealer(self) -> Sealer:
        if self._sealer is None:
            connection = self.connect()
            head = look_at_anchor(self.store, beyond=rows.load_global_tree(connection).size)
            position = open_epoch(connection, head)
            self._sealer = Sealer(connection, position, self.signers, batch=self.batch)
        return self._sealer

    def reopen(self) -> Sealer:
        """As a sealer's process that starts anew."""
        self._sealer = None
        return self.sealer

    def seal(self) -> list[Sealed]:
        """Until nothing is left, once the cluster's other databases hold nothing back."""
        self.wait_for_others()
        done = [self.sealer.seal()]
        while done[-1].full:
            done.append(self.sealer.seal())
        return done

    def wait_for_others(self) -> None:
        """Transactions of other tests, in databases of their own, hold the sealer back as any of the cluster's do."""
        before = self.superuser("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as xid")[0]
        eventually(lambda: not self.superuser(_OTHERS, before["xid"]))

    def anchor(self) -> int:
        self.sealer.sign_head()
        return anchor_waiting(self.connect(), self.store, self.sealer.position.epoch)

    def service(self, *, seal: float = 0.02, anchor: float = 0.05) -> SealerService:
        return SealerService(self.connect, self.signers, self.store, Pace(seal, anchor))

    def superuser(self, statement: Any, *arguments: Any) -> list[dict[str, Any]]:
        """What nobody who serves may do: asks of everything, and changes what never changes."""
        with psycopg.connect(superuser_dsn(self.name), row_factory=dict_row, autocommit=True) as database:
            database.execute("set session_replication_role = replica")
            found = database.execute(statement, arguments)
            return found.fetchall() if found.description else []

    def leaves(self, tenant_id: UUID) -> list[dict[str, Any]]:
        return self.superuser(
            "select l.leaf_index, l.leaf_hash, l.id, e.body, e.object_id, e.act from accounts_auditleaf l"
            " left join accounts_auditentry e using (tenant_id, id) where l.tenant_id = %s order by l.leaf_index",
            tenant_id,
        )

    def objects(self, tenant_id: UUID) -> list[str]:
        """The object of each sealed entry, in the order of the log."""
        return [row["object_id"] for row in self.leaves(tenant_id)]

    def checkpoints(self, tenant_id: UUID) -> list[dict[str, Any]]:
        return self.superuser(
            "select * from accounts_auditcheckpoint where tenant_id = %s order by size", tenant_id
        )

    def public_keys(self) -> list[bytes]:
        found = self.superuser("select public_key from accounts_auditkey order by created_at")
        return [bytes(row["public_key"]) for row in found]

    def assert_sound(self, tenant_id: UUID) -> None:
        """Leaves are gap-free and of the stored bytes; every checkpoint is signed, of its own tree, in the global log."""
        found = self.leaves(tenant_id)
        assert [row["leaf_index"] for row in found] == list(range(len(found)))
        hashes = [rfc9162.leaf(bytes(row["body"])) for row in found]
        assert [bytes(row["leaf_hash"]) for row in found] == hashes
        entries = self.superuser("select count(*) from accounts_auditentry where tenant_id = %s", tenant_id)
        assert len(found) == entries[0]["count"]
        keys, log = self.public_keys(), self._global_leaves()
        for row in self.checkpoints(tenant_id):
            text = open_note(row["note"], keys)
            checkpoint = read_checkpoint(text)
            assert (checkpoint.origin, checkpoint.size) == (tenant_origin(tenant_id), row["size"])
            assert checkpoint.root == bytes(row["root"]) == rfc9162.tree_head(hashes[: row["size"]])
            assert log[row["global_index"]] == rfc9162.leaf(text.encode())
        assert self.checkpoints(tenant_id)[-1]["size"] == len(found)

    def assert_anchored(self) -> None:
        """Every head is of the global log, signed, and written where it says."""
        log, keys = self._global_leaves(), self.public_keys()
        heads = self.superuser("select * from accounts_auditanchor order by size")
        assert heads
        for row in heads:
            checkpoint = read_checkpoint(open_note(row["note"], keys))
            assert (checkpoint.origin, checkpoint.size) == (GLOBAL_ORIGIN, row["size"])
            assert checkpoint.root == rfc9162.tree_head(log[: row["size"]])
            assert row["anchored_at"]

    def _global_leaves(self) -> list[bytes]:
        found = self.superuser("select * from accounts_auditgloballeaf order by index")
        assert [row["index"] for row in found] == list(range(len(found)))
        return [bytes(row["leaf_hash"]) for row in found]

    def assert_proved(self, tenant_id: UUID, indexes: Sequence[int]) -> None:
        """By proofs.py, as the application reads it, and by RFC 9162's own procedures."""
        with open_tenant(tenant_id):
            checkpoint = proofs.latest_checkpoint()
            assert checkpoint is not None
            size, root = checkpoint.size, bytes(checkpoint.root)
            assert size == proofs.tree_size()
            for index in indexes:
                [leaf] = proofs.leaves(index, index + 1)
                proof = proofs.inclusion_proof(index, size)
                assert rfc9162.verifies_inclusion(rfc9162.leaf(leaf.body), index, size, proof, root)
                assert proofs.leaf_of(leaf.entry_id) == index
            found = proofs.global_proof(checkpoint)
        if found is not None:
            head = read_checkpoint(open_note(found.note, self.public_keys()))
            digest = rfc9162.leaf(open_note(checkpoint.note, self.public_keys()).encode())
            assert rfc9162.verifies_inclusion(digest, found.index, found.size, found.proof, head.root)


def write(tenant_id: UUID, *names: object) -> None:
    """An entry for each name, its object, each in its own transaction."""
    for name in names:
        with open_tenant(tenant_id):
            record(Act.EVIDENCE_READ, object_type="snapshot", object_id=name)


def tenants(count: int) -> list[UUID]:
    return [make_tenant().pk for _ in range(count)]
