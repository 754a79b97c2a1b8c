"""A portal to push to, and a client of it that never sleeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from surety import Client, Retry

from tests.clients.portal import CLIENT, SECRET, Portal, running_portal

IDENTITIES = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SURETY_ID_TOKEN")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy and no identity but what a test gives."""
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    for name in (*proxies, *map(str.lower, proxies), *IDENTITIES):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def portal() -> Iterator[Portal]:
    with running_portal() as portal:
        yield portal


@pytest.fixture
def waits() -> list[float]:
    """How long the client would have slept, each time."""
    return []


@pytest.fixture
def retry(waits: list[float]) -> Retry:
    return Retry(sleep=waits.append)


@pytest.fixture
def client(portal: Portal, retry: Retry) -> Iterator[Client]:
    with Client(portal.origin, client_id=CLIENT, client_secret=SECRET, retry=retry) as client:
        yield client


@pytest.fixture
def kept() -> Iterator[Callable[[Any], Any]]:
    """Closes what it is given when the test ends."""
    with ExitStack() as stack:
        yield lambda source: stack.enter_context(closing(source))
