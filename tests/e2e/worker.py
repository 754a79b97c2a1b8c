"""The portal's own worker on the tests' database: another process and another role of PostgreSQL than the web's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import redis
from celery import Celery
from django.conf import settings

from portal.embedded import Role, postgres_address, redis_address
from portal.embedded.commands import BEAT, WORKER
from tests.environment import STATE

CHECKOUT = Path(__file__).resolve().parents[2]
DATABASE_OF_REDIS = 7
"""Not the one into which other tests ring: each of them has tenants that this worker's database doesn't know."""


def broker_url() -> str:
    return redis_address(STATE).removesuffix("/0") + f"/{DATABASE_OF_REDIS}"


@contextmanager
def running_worker(log: Path, environment: Mapping[str, str]) -> Iterator[Celery]:
    """A worker with the sweeper in it, and a client that rings for it. Its log has the messages that it mails."""
    with redis.Redis.from_url(broker_url()) as client:
        client.flushdb()
    argv = [*WORKER.child().argv, "--beat", *BEAT.argv[BEAT.argv.index("--scheduler") :][:2]]
    with log.open("wb") as out, reaper() as groups:
        process = subprocess.Popen(
            argv, cwd=CHECKOUT, env=_environment(environment), stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        groups.write(f"+{process.pid}\n")
        groups.flush()
        try:
            yield Celery("ringing", broker=broker_url(), set_as_current=False)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            groups.write(f"-{process.pid}\n")


@contextmanager
def reaper() -> Iterator[IO[str]]:
    """Where process groups (`+12`, and `-12` once they ended) are noted that end if the tests themselves are killed."""
    argv = [sys.executable, "-m", "portal.embedded.reaper", str(STATE), "1"]
    process = subprocess.Popen(argv, cwd=CHECKOUT, stdin=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdin
    try:
        yield process.stdin
    finally:
        process.communicate()


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    name = os.environ["SURETY_TEST_DATABASE"]
    return {
        **os.environ, **WORKER.child().env, "REDIS_URL": broker_url(),
        "DATABASE_URL_WORKER": postgres_address(STATE).dsn(Role.WORKER, name),
        "VAULT_DIRECTORY": str(settings.VAULT_DIRECTORY), "SITE_URL": settings.SITE_URL, "SWEEP_SECONDS": "1",
        "EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend", **more,
    }  # fmt: skip
