"""Both parties, signed in, and a sealer at work on the tests' database."""

from __future__ import annotations

from typing import Any

import pytest

from tests.assessments.packages.conftest import anchor, sealer
from tests.exits.factories import Parties, make_parties

__all__ = ["anchor", "sealer"]


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests are the worker."""
    for place in ("assessments.timers.services", "assessments.exits.services.certifying"):
        monkeypatch.setattr(f"{place}.ring_after_commit", lambda *_: None)
    monkeypatch.setattr("tasks.webhook.ring", lambda *_, **__: None)


@pytest.fixture
def parties(transactional_db: Any) -> Parties:
    return make_parties()


@pytest.fixture
def hospital(parties: Parties, client_for: Any) -> Any:
    """The covered entity's browser."""
    return client_for(parties.asker)


@pytest.fixture
def vendor(parties: Parties, client_for: Any) -> Any:
    """The business associate's browser."""
    return client_for(parties.officer)
