"""The sealer's process: one at a time, alive through restarts, loud when something is wrong."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
from structlog.testing import capture_logs

from accounts.audit import service as module
from accounts.audit.anchor import AnchorUnavailableError, DirectoryAnchor
from accounts.audit.events import Act
from accounts.audit.keys import make_signer, rotate_key
from accounts.audit.log import record
from accounts.audit.service import AnotherSealerError, SealerService
from accounts.tenancy.scope import open_tenant
from portal.embedded import Role, postgres_address
from tests.accounts.audit.kit import tenants, write
from tests.embedded.conftest import eventually
from tests.environment import STATE

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def tenant(log):
    return tenants(1)[0]


@contextlib.contextmanager
def running(*services: SealerService) -> Iterator[None]:
    threads = [threading.Thread(target=each.run) for each in services]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for each in services:
            each.stop()
        for thread in threads:
            thread.join(180)
            assert not thread.is_alive()


def test_entries_are_sealed_and_anchored_as_they_come(log, tenant):
    with running(log.service()):
        for number in range(5):
            write(tenant, number)
        eventually(lambda: len(log.leaves(tenant)) == 5)
        eventually(lambda: log.superuser("select 1 from accounts_auditanchor where anchored_at is not null"))
    log.assert_sound(tenant)
    assert any((log.store._directory).rglob("*.note"))


def _has_leaves(log, tenant, many: int) -> bool:
    return len(log.leaves(tenant)) == many


def test_of_two_sealers_one_works_and_the_other_takes_over(log, tenant):
    with running(log.service(), log.service()):
        for number in range(4):
            write(tenant, number)
            eventually(partial(_has_leaves, log, tenant, number + 1))
            log.superuser(
                "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted and database ="
                " (select oid from pg_database where datname = current_database())"
            )
    log.assert_sound(tenant)
    assert log.objects(tenant) == ["0", "1", "2", "3"]


def test_once_refuses_beside_a_running_sealer_and_works_alone(log, tenant):
    write(tenant, 1)
    with running(log.service()):
        eventually(lambda: len(log.leaves(tenant)) == 1)
        with pytest.raises(AnotherSealerError):
            log.service().run_once()
    write(tenant, 2)
    log.wait_for_others()
    assert log.service().run_once() == 1
    log.assert_anchored()


def test_an_anchor_that_stays_down_raises_the_alarm_and_sealing_goes_on(log, tenant, monkeypatch):
    def down(*_):
        raise AnchorUnavailableError("down")

    monkeypatch.setattr(module, "ANCHOR_ALARM_SECONDS", 0)
    with monkeypatch.context() as patch, capture_logs() as said:
        patch.setattr(DirectoryAnchor, "put", down)
        with running(log.service()):
            write(tenant, 1)
            eventually(lambda: any(line["event"] == "audit_anchor_down" and line["alarm"] for line in said))
            write(tenant, 2)
            eventually(lambda: len(log.leaves(tenant)) == 2)
            patch.undo()
            eventually(
                lambda: not log.superuser("select 1 from accounts_auditanchor where anchored_at is null")
            )
    log.assert_anchored()


def test_an_anchor_that_cannot_be_read_at_first_is_compared_later(log, tenant, monkeypatch):
    write(tenant, 1)
    log.seal()
    log.anchor()
    log.superuser("delete from accounts_auditgloballeaf")
    log.superuser("delete from accounts_auditcheckpoint")
    log.superuser("delete from accounts_auditleaf")
    log.close()
    down = threading.Event()
    listed = DirectoryAnchor.children

    def children(self, folder):
        if not down.is_set():
            raise AnchorUnavailableError("down")
        return listed(self, folder)

    monkeypatch.setattr(DirectoryAnchor, "children", children)
    with running(log.service()):
        write(tenant, 2)
        eventually(lambda: log.leaves(tenant))
        assert len(log.superuser("select 1 from accounts_auditepoch")) == 1
        down.set()
        eventually(lambda: len(log.superuser("select 1 from accounts_auditepoch")) == 2)
    assert log.superuser("select reason from accounts_auditepoch where number = 2")[0]["reason"].startswith(
        "tail"
    )


def test_a_transaction_that_stays_open_raises_the_alarm_of_lag(log, tenant, monkeypatch):
    monkeypatch.setattr(module, "LAG_ALARM_SECONDS", 0)
    monkeypatch.setattr(module, "WATCH_SECONDS", 0)
    with capture_logs() as said, running(log.service()):
        eventually(lambda: log.superuser("select 1 from accounts_auditsealer"))
        other = psycopg.connect(postgres_address(STATE).dsn(Role.SUPERUSER, log.name))
        with contextlib.closing(other):
            other.execute("select pg_current_xact_id()")
            with open_tenant(tenant):
                record(Act.EVIDENCE_READ, object_id="held back")
            eventually(lambda: any(line["event"] == "audit_seal_lag" and line["alarm"] for line in said))
            assert log.leaves(tenant) == []
        eventually(lambda: len(log.leaves(tenant)) == 1)


def environment(log) -> dict[str, str]:
    return {
        **os.environ, "SURETY_DATABASE_ROLE": "sealer", "AUDIT_SIGNING_KEY": "the first key of the log under test",
        "DATABASE_URL_SEALER": postgres_address(STATE).dsn(Role.SEALER, log.name),
        "ANCHOR_DIRECTORY": str(log.store._directory),
    }  # fmt: skip


def manage(log, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=CHECKOUT, env={**environment(log), **more}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip


def test_the_process_seals_until_sigterm_and_ends_clean(log, tenant):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "seal_log"],
        cwd=CHECKOUT,
        env=environment(log),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        write(tenant, 1)
        eventually(lambda: len(log.leaves(tenant)) == 1)
    finally:
        process.send_signal(signal.SIGTERM)
        _out, said = process.communicate(timeout=180)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    log.assert_sound(tenant)


def test_only_the_sealer_s_role_seals(log):
    done = manage(log, "seal_log", "--once", SURETY_DATABASE_ROLE="app", DATABASE_URL_SEALER="")
    assert (done.returncode, "SURETY_DATABASE_ROLE=sealer" in done.stderr) == (2, True)


def test_outside_production_the_new_key_takes_the_old_ones_file(log, tenant, tmp_path):
    state = {"SURETY_STATE": str(tmp_path / "state"), "AUDIT_SIGNING_KEY": "", "REDIS_URL": "redis://none"}
    state |= {
        "DATABASE_URL_MIGRATE": "x",
        "AUDIT_MAC_KEY": "the key of the tests' entries, not of this state",
    }
    key = tmp_path / "state" / "secrets" / "AUDIT_SIGNING_KEY"
    manage(log, "seal_log", "--once", **state)
    before = key.read_text()
    write(tenant, 1)
    assert manage(log, "seal_log", "--once", **state).returncode == 0
    done = manage(log, "rotate_audit_key", **state)
    assert done.returncode == 0, done.stderr
    assert key.read_text() != before
    assert not key.with_name("AUDIT_SIGNING_KEY_NEXT").exists()
    write(tenant, 2)
    assert manage(log, "seal_log", "--once", **state).returncode == 0
    assert [bool(row["certificate"]) for row in log.superuser("select * from accounts_auditkey order by created_at")] == [
        False, True,
    ]  # fmt: skip


def test_the_key_is_rotated_by_command(log, tenant):
    write(tenant, 1)
    assert manage(log, "seal_log", "--once").stdout == "Sealed 1 entries.\n"
    new = "the second key of the log under test"
    done = manage(log, "rotate_audit_key", AUDIT_SIGNING_KEY_NEXT=new)
    assert done.returncode == 0, done.stderr
    write(tenant, 2)
    assert manage(log, "seal_log", "--once").returncode == 1
    assert manage(log, "seal_log", "--once", AUDIT_SIGNING_KEY_NEXT=new).stdout == "Sealed 1 entries.\n"
    write(tenant, 3)
    assert manage(log, "seal_log", "--once", AUDIT_SIGNING_KEY=new).stdout == "Sealed 1 entries.\n"
    log.assert_sound(tenant)
    assert rotate_key(log.connect(), old=None, new=make_signer(new)).startswith("surety+")
