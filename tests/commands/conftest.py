from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from django.core.management import execute_from_command_line
from django.db import connection

from evidence.aws import session as sessions
from portal.demo.aws import AwsStandIn
from portal.embedded import Role, postgres_address
from tests.environment import STATE

CHECKOUT = Path(__file__).parents[2]


class Ended(NamedTuple):
    """What a command left: its exit code, and what stood on its standard output and error."""

    code: int
    out: str
    err: str


Manage = Callable[..., Ended]


@pytest.fixture
def manage(transactional_db: None, capsys: pytest.CaptureFixture[str]) -> Manage:
    """`manage("scan", "--regions", ...)` in this process."""

    def run(*arguments: str) -> Ended:
        code = 0
        try:
            execute_from_command_line(["manage.py", *arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Ended(code, *capsys.readouterr())

    return run


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Without any AWS settings but those of the test."""
    _forget()
    yield monkeypatch
    _forget()


def _forget() -> None:
    """A command has one identity in its life; these tests give one process several."""
    sessions.source_session.cache_clear()
    sessions._KEPT.clear()


@pytest.fixture
def as_root(aws: AwsStandIn, environment: pytest.MonkeyPatch) -> Callable[[str], dict[str, str]]:
    """`as_root(account_id)`: this process's credentials are those of the account's root."""

    def become(account_id: str) -> dict[str, str]:
        keys = aws.admin_credentials(account_id)
        settings = {
            **aws.environment(),
            "AWS_ACCESS_KEY_ID": keys["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": keys["aws_secret_access_key"],
        }
        for name, value in settings.items():
            environment.setenv(name, value)
        return settings

    return become


@pytest.fixture
def as_process(transactional_db: None) -> Callable[..., subprocess.Popen[bytes]]:
    """`as_process("scan", ..., stderr=...)`: manage.py as a process of its own on the tests' database."""

    def start(*arguments: str, stderr: int) -> subprocess.Popen[bytes]:
        address, database = postgres_address(STATE), connection.settings_dict["NAME"]
        roles = (Role.APP, Role.AUDITOR, Role.AUDITLOG)
        environment = {
            **os.environ,
            **{f"DATABASE_URL_{role.upper()}": address.dsn(role, database) for role in roles},
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "TERM": "xterm",
        }
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments], cwd=CHECKOUT, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=stderr,
        )  # fmt: skip

    return start
