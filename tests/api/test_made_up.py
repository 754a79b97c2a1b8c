"""Ten thousand requests made up out of the interface's description: none is answered otherwise than that says.

They go over HTTP to a portal that runs, with tokens that it made. Every operation gets as many, and they are the same
every time. bench/interface.py sends more, others each time: SCHEMATHESIS_CASES for each operation, and the figures go
to the folder SCHEMATHESIS_FIGURES.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from django.conf import settings as portal_settings
from django.test import Client

from accounts.clients.scopes import Scope
from accounts.clients.services import Audited
from portal.embedded import Role, postgres_address
from portal.embedded.commands import WEB
from tests.api.kit import make_machine
from tests.api.made_up import Asked, Caller, all_operations, ask, known_ids, sparing_garbage
from tests.architecture.everything import make_everything
from tests.e2e.worker import reaper
from tests.environment import STATE

pytestmark = pytest.mark.django_db(transaction=True)
IN_ALL = 10_000
SHARES = 3
"""As many as `make test` has workers: each starts one portal."""
CHECKOUT = Path(__file__).resolve().parents[2]
GIVEN = int(os.environ.get("SCHEMATHESIS_CASES", "0"))
CHANCE = secrets.randbits(32) if GIVEN else 0


@dataclass(frozen=True, slots=True)
class Running:
    """A portal that listens at `base`; `vault` is the evidence that it shares with the tests."""

    base: str
    vault: Path
    log: Path


@pytest.fixture(scope="module")
def running(django_db_setup, tmp_path_factory) -> Iterator[Running]:
    """Production's web process on this worker's database, with the tests' keys."""
    folder = tmp_path_factory.mktemp("asked")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = Running(f"http://127.0.0.1:{port}", folder / "vault", folder / "log")
    name = portal_settings.DATABASES["default"]["NAME"]
    environment = {
        **os.environ, **WEB.child().env, "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port} --workers 1 --keep-alive 75",
        "VAULT_DIRECTORY": str(found.vault), "API_REQUESTS_PER_MINUTE": "100000000", "SITE_URL": found.base,
        **{f"DATABASE_URL_{role.upper()}": postgres_address(STATE).dsn(role, name)
           for role in (Role.APP, Role.AUDITOR, Role.AUDITLOG)},
    }  # fmt: skip
    # A process that makes room for a new one would cut connections.
    argv = [*WEB.child().argv, "--max-requests", "0"]
    with found.log.open("w") as log, reaper() as groups:
        process = subprocess.Popen(
            argv, cwd=CHECKOUT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        print(f"+{process.pid}", file=groups, flush=True)
        try:
            _wait_for(found, process)
            yield found
        finally:
            process.terminate()
            process.wait()
            print(f"-{process.pid}", file=groups, flush=True)


def _wait_for(running: Running, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 300
    while time.monotonic() < until:
        assert process.poll() is None, running.log.read_text()
        try:
            requests.get(f"{running.base}/healthz", timeout=300)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(running.log.read_text())


@pytest.fixture(scope="module")
def operations(django_db_setup, django_db_blocker) -> list:
    with django_db_blocker.unblock():
        return all_operations(json.loads(Client().get("/api/v1/schema").content))


@pytest.mark.parametrize(
    "share",
    [pytest.param(n, marks=pytest.mark.xdist_group(f"made-up-{n}")) for n in range(SHARES)],
)
def test_whatever_is_asked_the_answer_is_as_described(share, running, settings, operations):
    settings.VAULT_DIRECTORY = running.vault
    its = make_everything()
    engagement = Audited(its.engagement.pk, its.engagement.closes_at)
    members = make_machine(tenant=its.tenant)
    auditors = make_machine(Scope.ENGAGEMENT_AUDIT, tenant=its.tenant, audited=engagement)
    mine = operations[share::SHARES]
    each = GIVEN or math.ceil(IN_ALL / len(operations))
    asked = Asked()
    with sparing_garbage(), requests.Session() as session:
        session.trust_env = False
        callers = [Caller(running.base, machine, session) for machine in (members, auditors)]
        for operation in mine:
            caller = callers[f"{operation.path}/".startswith("/api/v1/engagement/")]
            ask(asked, caller, operation, known_ids(its, operation.path), each=each, chance=CHANCE)
    _keep_figures(share, asked)
    broken = any(status >= 500 for status in asked.statuses)
    assert not asked.wrong, asked.report() + (f"\n{running.log.read_text()[-5000:]}" if broken else "")
    assert asked.sent == {operation.label: each for operation in mine}


def _keep_figures(share: int, asked: Asked) -> None:
    folder = os.environ.get("SCHEMATHESIS_FIGURES")
    if folder:
        figures = {"seed": CHANCE, **asked.figures()}
        (Path(folder) / f"{share}.json").write_text(json.dumps(figures))
