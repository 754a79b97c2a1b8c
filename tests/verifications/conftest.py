"""One business associate, three covered entities, and a sealer at work on the tests' database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from accounts.models import Person, Tenant
from assessments.models import Partnership
from tests.accounts.factories import make_ready_person
from tests.assessments.packages.conftest import anchor, sealer
from tests.factories import make_tenant
from tests.verifications.factories import make_evidence, make_relation

__all__ = ["anchor", "sealer"]


@dataclass(frozen=True)
class Parties:
    """The business associate and its owner; its covered entities by name, with an owner and the relation of each."""

    associate: Tenant
    officer: Person
    entities: dict[str, Tenant]
    owners: dict[str, Person]
    relations: dict[str, Partnership]


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests are the worker."""
    for place in ("assessments.timers.services", "assessments.verifications.services.delivering"):
        monkeypatch.setattr(f"{place}.ring_after_commit", lambda *_: None)


@pytest.fixture
def parties(transactional_db: Any) -> Parties:
    """Relations to A and B are fresh; the one to C began 13 months ago, and C never got anything."""
    associate = make_tenant("Cloud Billing", kind="business_associate")
    officer = make_ready_person(tenant=associate)
    make_evidence(associate)
    entities = {name: make_tenant(f"Hospital {name}") for name in "ABC"}
    owners = {name: make_ready_person(tenant=tenant) for name, tenant in entities.items()}
    ages = {"A": 0, "B": 0, "C": 396}
    relations = {
        name: make_relation(tenant, associate, age_days=ages[name]) for name, tenant in entities.items()
    }
    return Parties(associate, officer, entities, owners, relations)
