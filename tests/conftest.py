"""What all tests run on: a real PostgreSQL, migrated once, cloned per worker, used as portal_app like production."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from portal.embedded import Role, running_servers
from tests.environment import STATE

CHECKOUT = Path(__file__).resolve().parent.parent
TEMPLATE = "surety_template"


@pytest.fixture(scope="session")
def embedded_servers() -> Iterator[None]:
    with running_servers(STATE, durable=False):
        yield


@pytest.fixture(scope="session")
def django_db_setup(
    embedded_servers: None, django_db_blocker: pytest.FixtureRequest, request: pytest.FixtureRequest
) -> Iterator[None]:
    """Clones the migrated template for this worker and points Django at it, logged in as portal_app."""
    from django.db import connections

    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"surety_test_{worker}_{os.getpid()}"
    with _Locked("template"):
        _ensure_template()
        _recreate(name, TEMPLATE)
    os.environ["SURETY_TEST_DATABASE"] = name
    for alias in connections:
        connections[alias].settings_dict["NAME"] = name
        connections.settings[alias]["NAME"] = name
    yield
    connections.close_all()
    with psycopg.connect(superuser_dsn(), autocommit=True) as superuser:
        superuser.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def superuser_dsn(database: str = "postgres") -> str:
    """The superuser's address: for set-up and for asking the catalogue, never for what a test is about."""
    from portal.embedded import postgres_address

    return postgres_address(STATE).dsn(Role.SUPERUSER, database)


def _ensure_template() -> None:
    digest = _migrations_digest()
    stamp = STATE / "template.digest"
    if stamp.exists() and stamp.read_text() == digest and _exists(TEMPLATE):
        return
    _recreate(TEMPLATE, "template1")
    from portal.embedded import bootstrap_roles, postgres_address

    address = postgres_address(STATE)
    bootstrap_roles(address.dsn(Role.SUPERUSER, "postgres"), TEMPLATE, address.passwords)
    environment = {
        **os.environ,
        "DATABASE_URL_MIGRATE": address.dsn(Role.MIGRATE, TEMPLATE),
        "SURETY_DATABASE_ROLE": "migrate",
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--skip-checks"],
        cwd=CHECKOUT,
        env=environment,
        check=True,
    )
    stamp.write_text(digest)


def _migrations_digest() -> str:
    files = sorted(
        [
            *CHECKOUT.glob("*/migrations/*.py"),
            CHECKOUT / "portal/embedded/roles.sql",
            *CHECKOUT.glob("accounts/tenancy/*.py"),
        ]
    )
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _exists(name: str) -> bool:
    with psycopg.connect(superuser_dsn()) as connection:
        return (
            connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone() is not None
        )


def _recreate(name: str, template: str) -> None:
    with psycopg.connect(superuser_dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        connection.execute(
            sql.SQL("create database {} template {} owner {}").format(
                *map(sql.Identifier, (name, template, "portal_owner" if template == TEMPLATE else "postgres"))
            )
        )
        # A clone doesn't carry the template's grants on the database itself.
        connection.execute(
            sql.SQL(
                "grant connect on database {} to portal_app, portal_worker, portal_migrate, portal_sealer, portal_auditor, portal_auditlog"
            ).format(sql.Identifier(name))
        )
        connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(name)))


class _Locked:
    def __init__(self, name: str) -> None:
        STATE.mkdir(parents=True, exist_ok=True)
        self._file = (STATE / f"{name}.lock").open("w")

    def __enter__(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()


def pytest_configure() -> None:
    """Committed rows stay: portal_app may not truncate, and each test makes its own tenants."""
    from django.test import TransactionTestCase

    TransactionTestCase._fixture_teardown = lambda self: _close_unsound_connections()
    # A connection serves many tests, as it serves many requests: a new one costs more than most tests do.
    TransactionTestCase._should_reload_connections = lambda self: False
    # An auditor's request runs on connections of its own.
    TransactionTestCase.databases = {"default", "auditor", "auditlog"}
    # Production's algorithm at its cheapest: hundreds of sign-ins would cost minutes.
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["tests.hashers.CheapArgon2"]
    # People whom whole modules share stay fresh; the tests of step-up take portal.settings' own.
    settings.STEP_UP_SECONDS = 15 * 60
    # All tests of a worker share a network; the tests of spraying take portal.settings' own.
    settings.NETWORK_TRIES = 1_000_000


def pytest_make_parametrize_id(val: object) -> str | None:
    """Names bytes by their kind: those of an archive hold the time it was made, which differs by worker."""
    return "bytes" if isinstance(val, bytes) else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lets xdist's groups hold: xdist 3.8 writes them where pytest 9.2 doesn't look any more.

    Without it each worker makes what a group's tests share: servers, migrated databases, whole collections.
    """
    for item in items:
        grouped = vars(item).get("_nodeid")
        if grouped and grouped != item.nodeid:
            item._id = type(item.id).parse(grouped)


def _close_unsound_connections() -> None:
    """Closes the connections that a test broke, or left within a transaction."""
    from django.db import connections

    for each in connections.all(initialized_only=True):
        if each.connection is None:
            continue
        idle = each.connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
        if not idle or each.in_atomic_block or each.errors_occurred:
            each.close()


@pytest.fixture(autouse=True)
def vault_directory(settings: object, tmp_path: Path) -> Path:
    settings.VAULT_DIRECTORY = tmp_path / "vault"  # type: ignore[attr-defined]
    return tmp_path / "vault"


@pytest.fixture
def tenant(transactional_db: None) -> Any:
    """A tenant that nobody else has; its scope is not open."""
    from tests.factories import make_tenant

    return make_tenant()


@pytest.fixture
def owner(tenant: Any) -> Any:
    """The tenant's owner, with a password and an authenticator app."""
    from tests.accounts.factories import make_ready_person

    return make_ready_person(tenant=tenant)


@pytest.fixture
def client_for() -> Callable[[Any], Any]:
    """`client_for(person)`: a client that went through both steps of the sign-in."""
    from tests.accounts.factories import sign_in

    return sign_in


@pytest.fixture(scope="session")
def aws_server() -> Iterator[Any]:
    """One stand-in for AWS for all tests of this worker."""
    from portal.demo.aws import AwsStandIn

    with AwsStandIn() as aws:
        yield aws


@pytest.fixture
def aws(aws_server: Any) -> Iterator[Any]:
    """The stand-in for AWS, without faults left by another test."""
    aws_server.reset_faults()
    yield aws_server
    aws_server.reset_faults()
