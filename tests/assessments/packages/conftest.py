"""The demonstration hospital, collected into a tenant of its own, with a sealer at work on the tests' database."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, connections
from django.utils import timezone

from accounts.audit.anchor import DirectoryAnchor
from accounts.audit.keys import make_signer
from accounts.audit.service import Pace, SealerService
from accounts.models import Person, Tenant
from accounts.tenancy.scope import open_tenant
from assessments.models import Package
from assessments.packages.build import build_package
from assessments.packages.models import PackageState
from assessments.packages.services import Wanted, request_package
from assessments.services import evaluate_run
from evidence import vault
from evidence.aws import session as sessions
from evidence.aws.policy import role_policy
from evidence.models import AwsConnection
from portal.demo.aws import PORTAL_ACCOUNT_ID, AwsStandIn
from portal.demo.hospital import MERCY_LAKES_ACCOUNT_ID, REGIONS, seed
from portal.embedded import Role, postgres_address
from portal.scan import collect_here
from tests.accounts.factories import make_ready_person
from tests.environment import STATE
from tests.factories import make_connection, make_tenant

SECRET = "the tests' key, which signs nothing that matters"
DEADLINE_SECONDS = 300


@dataclass(frozen=True)
class Hospital:
    """A tenant with evidence of the demonstration account, its owner, and where its vault is."""

    tenant: Tenant
    owner: Person
    connection: AwsConnection
    vault: Path


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process has them all, since collecting the hospital takes each process many seconds."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.xdist_group("packages"))


@pytest.fixture(scope="session")
def anchor(tmp_path_factory: pytest.TempPathFactory) -> DirectoryAnchor:
    """One for all sealers of this worker's database: an anchor ahead of its database would begin a new epoch."""
    return DirectoryAnchor(tmp_path_factory.mktemp("anchor"))


@pytest.fixture(scope="module", autouse=True)
def sealer(django_db_setup: None, anchor: DirectoryAnchor) -> Iterator[SealerService]:
    """Seals and anchors the tests' database several times a second, while tests here run and no longer."""
    dsn = postgres_address(STATE).dsn(Role.SEALER, os.environ["SURETY_TEST_DATABASE"])
    service = SealerService(
        lambda: psycopg.connect(dsn, autocommit=True), [make_signer(SECRET)],
        anchor, Pace(0.1, 0.2),
    )  # fmt: skip
    thread = threading.Thread(target=service.run, daemon=True)
    thread.start()
    yield service
    service.stop()
    thread.join(180)


@pytest.fixture(scope="session")
def hospital(
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Hospital:
    """The demonstration account, collected and evaluated as `manage.py scan` does it."""
    folder = tmp_path_factory.mktemp("vault")
    with pytest.MonkeyPatch.context() as patch, AwsStandIn() as aws, django_db_blocker.unblock():
        patch.setattr("django.conf.settings.VAULT_DIRECTORY", folder)
        keys = aws.admin_credentials(MERCY_LAKES_ACCOUNT_ID)
        for name, value in {
            **aws.environment(),
            **{name.upper(): value for name, value in keys.items()},
        }.items():
            patch.setenv(name, value)
        _forget()
        found = _collect(aws, folder)
    _forget()
    return found


def _forget() -> None:
    """A process has one identity in its life; these tests give one several."""
    sessions.source_session.cache_clear()
    sessions._KEPT.clear()


def _collect(aws: AwsStandIn, folder: Path) -> Hospital:
    seed(
        aws.url, account_id=MERCY_LAKES_ACCOUNT_ID, external_id="0c3dcb25-6a2e-4f7c-8a87-0f6b8a0c9e11",
        portal_account_id=PORTAL_ACCOUNT_ID, role_policy=role_policy(),
    )  # fmt: skip
    tenant = make_tenant("Mercy <Lakes> & Hospital")
    owner = make_ready_person(tenant=tenant)
    account = make_connection(
        tenant, aws_account_id=MERCY_LAKES_ACCOUNT_ID, access="ambient", regions=list(REGIONS)
    )
    run_id = collect_here(tenant.pk, account.pk, lambda *_: None)
    evaluate_run(tenant_id=tenant.pk, run_id=run_id)
    connections.close_all()
    return Hospital(tenant, owner, account, folder)


@pytest.fixture
def vault_of(
    hospital: Hospital, settings: Any, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> Hospital:
    """The hospital, with its vault, and nobody to ring: the tests are the worker."""
    settings.VAULT_DIRECTORY = hospital.vault
    monkeypatch.setattr("assessments.packages.services.ring_after_commit", lambda *_: None)
    return hospital


Make = Callable[..., Package]


@pytest.fixture
def ask(vault_of: Hospital) -> Make:
    """Asks for a package of the last week; keyword arguments as Wanted."""

    def asked(**wanted: Any) -> Package:
        today = timezone.now().date()
        given = {"period_from": today - timedelta(days=7), "period_to": today, **wanted}
        if given.get("withheld"):
            given.setdefault("withheld_reason", "Names are nobody's business.")
        with open_tenant(vault_of.tenant.pk):
            return request_package(wanted=Wanted(**given), person=vault_of.owner)

    return asked


def work_until(package: Package, *states: str) -> Package:
    """Is the worker until the package is in one of the states."""
    deadline = timezone.now() + timedelta(seconds=DEADLINE_SECONDS)
    while timezone.now() < deadline:
        build_package(tenant_id=package.tenant_id, package_id=package.pk)
        found = fresh(package)
        if found.state in states:
            return found
        threading.Event().wait(0.05)
    raise AssertionError(f"{fresh(package).state}: {fresh(package).note}")


def fresh(package: Package) -> Package:
    """The row as it is now."""
    with open_tenant(package.tenant_id):
        return Package.objects.select_related("engagement", "requested_by").get(pk=package.pk)


def bytes_of(package: Package) -> bytes:
    """The ZIP out of the vault."""
    return b"".join(vault.open_stream(package.kept, context=package.context))


@pytest.fixture
def make(ask: Make) -> Make:
    """Asks for a package and makes it."""

    def made(**wanted: Any) -> Package:
        return work_until(ask(**wanted), PackageState.READY, PackageState.FAILED)

    return made


__all__ = ["Hospital", "Make", "bytes_of", "connection", "fresh", "work_until"]
