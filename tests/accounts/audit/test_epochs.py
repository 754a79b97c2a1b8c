"""A database that was restored, moved or rewritten: noticed by itself or by the anchor, said, and never passed over."""

from __future__ import annotations

import json

import psycopg
import pytest
from django.db import connections
from psycopg import sql
from structlog.testing import capture_logs

from accounts.audit import proofs
from accounts.audit.anchor import AnchorConflictError, DirectoryAnchor
from accounts.audit.notes import note_text, read_checkpoint
from accounts.tenancy.scope import open_tenant
from tests.accounts.audit.kit import Log, tenants, write
from tests.conftest import superuser_dsn


@pytest.fixture
def tenant(log):
    log.seal()
    return tenants(1)[0]


@pytest.fixture
def backup(log):
    """`backup()` keeps the database as it is; `backup.restore()` puts that in its place."""
    return Backup(log)


class Backup:
    def __init__(self, log: Log) -> None:
        self.log, self.name = log, f"{log.name}_backup"

    def take(self) -> None:
        self._copy(self.log.name, self.name)

    def restore(self) -> None:
        self._copy(self.name, self.log.name)
        with psycopg.connect(superuser_dsn(), autocommit=True) as cluster:
            cluster.execute(sql.SQL("drop database {}").format(sql.Identifier(self.name)))
        self.log.reopen()

    def _copy(self, source: str, target: str) -> None:
        self.log.close()
        self.log._sealer = None
        connections["default"].close()
        with psycopg.connect(superuser_dsn(), autocommit=True) as cluster:
            names = sql.Identifier(target), sql.Identifier(source)
            cluster.execute(sql.SQL("drop database if exists {}").format(names[0]))
            cluster.execute(sql.SQL("create database {} template {}").format(*names))
            cluster.execute(
                sql.SQL("grant connect on database {} to portal_app, portal_sealer").format(names[0])
            )


def epochs(log):
    return log.superuser("select * from accounts_auditepoch order by number")


def told(log, tenant):
    """What the tenant's own log says of epochs."""
    return [
        json.loads(bytes(row["body"]))["details"] for row in log.leaves(tenant) if row["act"] == "log.epoch"
    ]


def test_the_first_epoch_is_nothing_to_tell(log, tenant):
    write(tenant, 1)
    log.seal()
    assert [(row["number"], row["reason"]) for row in epochs(log)] == [(1, "first")]
    assert told(log, tenant) == []


def test_a_restart_begins_no_epoch(log, tenant):
    write(tenant, 1)
    log.seal()
    log.anchor()
    log.reopen()
    write(tenant, 2)
    log.seal()
    log.reopen()
    assert len(epochs(log)) == 1


def test_a_backup_that_lacks_what_is_anchored_is_reported_to_everybody(log, tenant, backup):
    write(tenant, *range(3))
    log.seal()
    log.anchor()
    backup.take()
    for number in range(3, 8):
        write(tenant, number)
        log.seal()
        log.anchor()
    with capture_logs() as said:
        backup.restore()
    [alarm] = [line for line in said if line["event"] == "audit_epoch"]
    assert (alarm["log_level"], alarm["reason"]) == ("error", "tail missing")
    log.seal()
    assert told(log, tenant) == [{"reason": "tail missing", "sealed": 3, "anchored": 8, "missing": 5}]
    with open_tenant(tenant):
        [lost] = proofs.missing_tails()
        assert (lost.epoch, lost.size, lost.anchored_size) == (2, 1, 6)
        newest = read_checkpoint(note_text(proofs.latest_checkpoint().note))
        assert (newest.epoch, newest.size) == (2, 4)
    log.assert_sound(tenant)
    log.anchor()
    log.reopen()
    assert [row["reason"] for row in epochs(log)] == ["first", "tail missing"]


def test_a_backup_that_is_restored_twice_is_reported_twice(log, tenant, backup):
    write(tenant, 1)
    log.seal()
    backup.take()
    write(tenant, 2)
    log.seal()
    log.anchor()
    for expected in (2, 3):
        backup.restore()
        assert [row["number"] for row in epochs(log)] == [1, expected]
        log.seal()
        log.anchor()
        if expected == 2:
            # The second restore is of the same backup: the first one's epoch is lost with the rest.
            log.superuser("delete from accounts_auditepoch where number = 2")
            log.superuser("update accounts_auditsealer set epoch = 1")
            log.superuser("delete from accounts_auditgloballeaf where index > 0")
            break
    log.reopen()
    assert [row["number"] for row in epochs(log)] == [1, 3]


def test_history_that_was_rewritten_below_the_anchor_is_reported(log, tenant):
    write(tenant, *range(3))
    log.seal()
    log.anchor()
    log.superuser("update accounts_auditgloballeaf set leaf_hash = sha256('another history')")
    log.reopen()
    assert epochs(log)[-1]["reason"] == "tail differs"
    log.reopen()
    assert len(epochs(log)) == 2


def test_a_head_that_the_log_s_keys_did_not_sign_is_reported(log, tenant):
    write(tenant, 1)
    log.seal()
    log.anchor()
    log.superuser("update accounts_auditkey set public_key = sha256('a stranger')")
    log.reopen()
    assert epochs(log)[-1]["reason"] == "tail differs"


def test_entries_of_another_cluster_are_sealed_once_whatever_their_transaction_ids_say(log, tenant):
    """A dump that is restored elsewhere keeps its entries' transaction ids, and the new cluster counts anew."""
    log.batch = 4
    write(tenant, *range(6))
    log.seal()
    write(tenant, 6, 7)  # not sealed when the dump was made
    here = log.superuser("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint x")[0]["x"]
    shift = "update accounts_auditentry set transaction_id = (transaction_id::text::bigint + %s)::text::xid8"
    log.superuser(shift, 40)  # so that new transactions run into them soon, and
    log.superuser(shift + " where object_id = '0'", 10**9)  # never
    log.superuser("update accounts_auditsealer set position_xid = %s::text::xid8", str(here + 40))
    log.superuser("update accounts_auditepoch set system_identifier = '1'")
    log.reopen()
    assert epochs(log)[-1]["reason"] == "cluster changed"
    for number in range(8, 40):
        write(tenant, number)
        if number % 5 == 0:
            log.seal()
    log.reopen()
    log.seal()
    entries = [
        name
        for name, row in zip(log.objects(tenant), log.leaves(tenant), strict=True)
        if row["act"] != "log.epoch"
    ]
    assert sorted(map(int, entries)) == list(range(40))
    assert entries[:6] == [str(number) for number in range(6)]  # sealed before, and nowhere again
    assert entries[-25:] == [str(number) for number in range(15, 40)]
    assert [each["reason"] for each in told(log, tenant)] == ["cluster changed"]
    log.assert_sound(tenant)


def test_a_failover_to_a_copy_that_had_everything_is_an_epoch_without_loss(log, tenant):
    write(tenant, 1)
    log.seal()
    log.anchor()
    log.superuser("update accounts_auditepoch set timeline = 77")
    log.reopen()
    log.seal()
    assert epochs(log)[-1]["reason"] == "timeline changed"
    assert told(log, tenant) == [{"reason": "timeline changed", "sealed": 1, "anchored": None, "missing": 0}]
    with open_tenant(tenant):
        assert proofs.missing_tails() == []


def test_an_empty_database_before_a_full_anchor_is_reported(log, tenant, tmp_path):
    write(tenant, 1)
    log.seal()
    log.anchor()
    for table in (
        "epoch",
        "sealer",
        "anchor",
        "globalleaf",
        "globaltile",
        "key",
        "leaf",
        "checkpoint",
    ):
        log.superuser(f"delete from accounts_audit{table}")
    log.reopen()
    assert [(row["number"], row["reason"]) for row in epochs(log)] == [(2, "tail missing")]


def test_an_anchor_with_rubbish_in_it_stops_nothing(log, tenant, tmp_path):
    folder = tmp_path / "anchor"
    (folder / "rubbish").mkdir(parents=True)
    (folder / "999999").mkdir()
    (folder / "999999" / "rubbish.note").write_text("no note")
    write(tenant, 1)
    log.reopen()
    log.seal()
    assert log.anchor() == 1
    log.reopen()
    assert len(epochs(log)) == 1


def test_two_databases_that_claim_one_anchor_do_not_overwrite_each_other(log, tenant, backup):
    write(tenant, 1)
    log.seal()
    backup.take()
    write(tenant, 2)
    log.seal()
    log.anchor()
    log.store, shared = DirectoryAnchor(log.store._directory.with_name("elsewhere")), log.store
    backup.restore()
    write(tenant, "other")
    log.seal()
    log.sealer.sign_head()
    log.store = shared
    with pytest.raises(AnchorConflictError):
        log.anchor()
