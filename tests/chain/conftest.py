"""A chain of real tenants: each works for the one before it."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from accounts.models import Tenant
from accounts.tenancy.scope import open_tenant
from assessments.chain import telling
from assessments.chain.impact import Impact
from assessments.models import Agreement, ChainNode, Partnership
from tests.accounts.factories import make_ready_person, sign_in
from tests.agreements.factories import in_days, make_agreement
from tests.factories import make_tenant
from tests.partnerships.factories import make_partnership


@dataclass
class Party:
    """A tenant with its owner's client. `below` is its partnership with the next one, `above` with the one before."""

    tenant: Tenant
    client: Client
    email: str
    above: Partnership | None = None
    below: Partnership | None = None

    def rows(self) -> list[ChainNode]:
        with open_tenant(self.tenant.pk):
            return list(ChainNode.received.order_by("depth"))

    def tab(self) -> str:
        """The page on which it reads of the chain below it."""
        answer = self.client.get(f"/business-associates/{self.below.associate_id}/subcontractors/")
        assert answer.status_code == 200
        return answer.content.decode()

    def impacts(self) -> list[Impact]:
        path = f"/business-associates/{self.below.associate_id}/subcontractors/"
        return list(self.client.get(path).context["impacts"])

    def agree(self, until: int) -> None:
        """Its agreement with the one after it runs until so many days from today."""
        with open_tenant(self.tenant.pk):
            agreement = Agreement.objects.get(associate=self.below.associate_id, is_current=True)
            agreement.ends_on = in_days(until)
            agreement.save()

    def decide(self, act: str = "", **form: Any) -> Any:
        """Decides what the one before it is told of the one after it."""
        path = f"/subcontractors/{self.above.pk}/{self.below.associate_id}/{act}"
        return self.client.post(path, form, follow=True)

    def tell(self, service: str = "hosting") -> Any:
        return self.decide(service=service, tell="on")


def make_party(name: str) -> Party:
    tenant = make_tenant(name=name)
    person = make_ready_person(tenant=tenant)
    return Party(tenant, sign_in(person), person.email)


def join(above: Party, below: Party) -> Partnership:
    """A partnership of two parties; the first of each is kept with them."""
    partnership = make_partnership(above.tenant, below.tenant)
    above.below, below.above = above.below or partnership, below.above or partnership
    return partnership


@pytest.fixture
def bell(monkeypatch) -> list[Any]:
    """Whom workers are rung for; `work` lets them do it."""
    rung: list[Any] = []

    def ring(task: str, tenant_id: Any, row_ids: Any, **_: Any) -> None:
        if task == telling.REFRESH_CHAIN:
            rung.append(tenant_id)

    monkeypatch.setattr("evidence.queue.ring", ring)
    monkeypatch.setattr(telling, "ring", ring)
    return rung


def work(bell: list[Any], limit: int = 100) -> int:
    """Lets workers answer until nobody rings; how many did."""
    done = 0
    while bell:
        tenant_id = bell.pop(0)
        with open_tenant(tenant_id):
            telling.ring_upwards(telling.refresh_chain())
        done += 1
        assert done < limit, "the chain never comes to rest"
    return done


@pytest.fixture
def chain(transactional_db, bell) -> list[Party]:
    """Four parties, of which each tells the one before it, without names."""
    mark = secrets.token_hex(5)
    parties = [make_party(f"{word} {mark}") for word in ("Alder", "Birch", "Cedar", "Dogwood")]
    for above, below in itertools.pairwise(parties):
        join(above, below)
    for party in parties[:-1]:
        make_agreement(party.tenant, associate=party.below.associate)
    for party in parties[1:-1]:
        assert party.tell().status_code == 200
    work(bell)
    return parties
