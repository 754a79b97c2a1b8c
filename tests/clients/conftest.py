"""A portal to push to, and a client of it that never sleeps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from surety import Client, Retry

from tests.clients.portal import CLIENT, SECRET, Portal, running_portal


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
