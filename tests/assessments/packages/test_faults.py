"""Workers die, the sealer is away, evidence is damaged: a package is made once and whole, or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.models import AuditEntry
from accounts.errors import Unavailable
from accounts.tenancy.scope import open_tenant
from assessments.models import Package
from assessments.packages.build import build_package
from assessments.packages.models import PackageState
from evidence.models import Blob
from portal.embedded import Role, postgres_address
from tests.assessments.packages.conftest import bytes_of, fresh, work_until
from tests.assessments.packages.test_package import verify
from tests.environment import STATE

CHECKOUT = Path(__file__).parents[3]


def _worker(package: Package, vault: Path) -> subprocess.Popen[str]:
    dsn = postgres_address(STATE).dsn(Role.WORKER, connection.settings_dict["NAME"])
    environment = {
        **os.environ, "DATABASE_URL_WORKER": dsn, "SURETY_DATABASE_ROLE": "worker", "VAULT_DIRECTORY": str(vault),
        "REDIS_URL": "redis://127.0.0.1:1/0", "COLLECT_LEASE_SECONDS": "2",
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "tests.assessments.packages.dying_worker", str(package.tenant_id), str(package.pk)],
        cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def _files(vault: Path) -> set[str]:
    return {path.name for path in vault.rglob("*package-*") if path.is_file()}


def test_a_worker_killed_in_the_middle_leaves_its_package_to_the_next_which_makes_it_anew_and_once(
    ask, vault_of, tmp_path
):
    before, package = _files(vault_of.vault), ask()
    with _worker(package, vault_of.vault) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == "middle\n"
        assert fresh(package).state == PackageState.BUILDING
        left = _files(vault_of.vault) - before
        assert len(left) == 1
        build_package(tenant_id=package.tenant_id, package_id=package.pk)  # it is held: nothing happens
        assert fresh(package).fence == 1
        worker.kill()
    made = work_until(package, PackageState.READY, PackageState.FAILED)
    assert (made.state, made.fence, made.attempt) == (PackageState.READY, 2, 2)
    assert not left & _files(vault_of.vault)
    with open_tenant(package.tenant_id):
        assert AuditEntry.objects.filter(act=Act.PACKAGE_FINISH, object_id=str(package.pk)).count() == 1
    path = tmp_path / "package.zip"
    path.write_bytes(bytes_of(made))
    assert verify(tmp_path / "empty", path)[0] == 0


def test_a_worker_that_lost_its_lease_throws_away_what_it_made(ask, vault_of, monkeypatch):
    before, package = _files(vault_of.vault), ask()

    def taken_over(*_: object) -> None:
        with open_tenant(package.tenant_id):
            Package.objects.filter(pk=package.pk).update(fence=99)

    monkeypatch.setattr("assessments.packages.build._read_back", taken_over)
    while fresh(package).fence != 99:
        build_package(tenant_id=package.tenant_id, package_id=package.pk)
        threading.Event().wait(0.05)
    assert fresh(package).state == PackageState.BUILDING
    assert _files(vault_of.vault) == before


def test_a_package_waits_for_the_sealer_without_counting_attempts_and_goes_on_when_it_is_back(
    ask, monkeypatch
):
    package = ask()

    def away(**_: object) -> str:
        raise Unavailable("The audit log's sealer doesn't answer; try again in a few minutes.")

    with monkeypatch.context() as patch:
        patch.setattr("accounts.audit.package.request_signature", away)
        waiting = work_until(package, PackageState.WAITING) if _started(package) else fresh(package)
    assert (waiting.state, waiting.attempt) == (PackageState.WAITING, 0)
    assert "sealer" in waiting.note
    assert waiting.due_at > timezone.now()
    assert work_until(package, PackageState.READY).attempt == 1


def _started(package: Package) -> bool:
    while not fresh(package).fence:
        build_package(tenant_id=package.tenant_id, package_id=package.pk)
        threading.Event().wait(0.05)
    return False


def test_nothing_is_handed_out_of_evidence_that_is_not_intact(ask, vault_of, monkeypatch):
    with open_tenant(vault_of.tenant.pk):
        blob = Blob.objects.order_by("size").last()
    path = vault_of.vault / blob.address
    path.chmod(0o600)
    stored = path.read_bytes()
    before = _files(vault_of.vault)
    path.write_bytes(stored[:-1])
    try:
        failed = work_until(ask(), PackageState.READY, PackageState.FAILED)
    finally:
        path.write_bytes(stored)
    assert failed.state == PackageState.FAILED
    assert "not intact" in failed.note
    assert _files(vault_of.vault) == before


def test_what_kills_each_worker_is_given_up_and_says_so(ask):
    package = ask()
    with open_tenant(package.tenant_id):
        Package.objects.filter(pk=package.pk).update(attempt=3)
    given_up = work_until(package, PackageState.FAILED)
    assert "Given up after 3 attempts" in given_up.note


@pytest.mark.parametrize("state", [PackageState.WAITING, PackageState.BUILDING])
def test_the_sweeper_rings_for_packages_that_wait_and_for_those_whose_worker_died(ask, state, monkeypatch):
    from tasks.sweep import ring_for_due_work

    package, rung = ask(), []
    with open_tenant(package.tenant_id):
        Package.objects.filter(pk=package.pk).update(
            state=state, due_at=timezone.now(), lease_until=timezone.now()
        )
    monkeypatch.setattr("tasks.sweep.ring", lambda task, _tenant, rows: rung.append((task, *rows)))
    monkeypatch.setattr("tasks.sweep.start_due_run", lambda **_: None)
    ring_for_due_work()
    assert ("tasks.package.build_package", package.pk) in rung
