"""Webhooks by the interface: their secrets are said once, and what is asked for twice is done once."""

from __future__ import annotations

from uuid import uuid4

import pytest

from accounts.audit.events import Act
from accounts.clients.scopes import Scope
from accounts.models import WebhookEndpoint
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import grow_stale, make_ready_person, sign_in
from tests.api.kit import make_machine

pytestmark = pytest.mark.django_db(transaction=True)
WANTED = '{"description": "Tickets", "url": "https://tickets.example.org/in", "events": ["run.finished"]}'


@pytest.fixture
def machine(transactional_db):
    return make_machine(Scope.WEBHOOKS_READ, Scope.WEBHOOKS_WRITE)


def do(machine, path: str, body: str | None = "{}", key: str | None = None):
    return machine.ask("POST", path, body, Idempotency_Key=key or str(uuid4()))


def test_a_webhook_is_added_changed_tested_and_removed(machine):
    made = do(machine, "webhooks", WANTED, "one")
    assert made.status_code == 201, made.content
    first = made.json()
    assert first["secret"].startswith("whsec_")
    assert do(machine, "webhooks", WANTED, "one").content == made.content
    where = made["Location"].removeprefix("/api/v1/")
    shown = machine.ask("GET", where).json()
    assert shown == {name: value for name, value in first.items() if name != "secret"}
    other = do(machine, f"{where}/secret").json()
    assert other["secret"] != first["secret"]
    assert do(machine, where, '{"description": "Billing"}').json() == {**shown, "description": "Billing"}
    assert do(machine, where, '{"enabled": false}').json()["enabled"] is False
    delivery = do(machine, f"{where}/test")
    assert delivery.json()["type"] == "webhook.test"
    found = machine.ask("GET", f"webhook-deliveries?webhook={first['id']}").json()["data"]
    assert found == [machine.ask("GET", delivery["Location"].removeprefix("/api/v1/")).json()]
    again = do(machine, f"webhook-deliveries/{found[0]['id']}/replay")
    assert (again.status_code, again.json()["type"]) == (409, "urn:surety:problem:conflict")
    assert do(machine, f"{where}/remove").status_code == 200
    assert machine.ask("GET", where).status_code == 404
    acts = [act for act, outcome in machine.entries() if outcome == "done"]
    assert {Act.WEBHOOK_CREATE, Act.WEBHOOK_CHANGE, Act.WEBHOOK_TEST, Act.WEBHOOK_REMOVE} <= set(acts)


def test_an_address_inside_the_network_and_an_empty_change_are_refused(machine):
    inside = do(machine, "webhooks", WANTED.replace("https://tickets.example.org", "http://127.0.0.1:25"))
    assert (inside.status_code, inside.json()["type"]) == (400, "urn:surety:problem:invalid-input")
    made = do(machine, "webhooks", WANTED).json()
    assert do(machine, f"webhooks/{made['id']}").status_code == 400
    with open_tenant(machine.tenant.pk):
        assert WebhookEndpoint.objects.count() == 1


def test_reading_and_writing_at_one_address_need_a_scope_each(machine):
    reader = make_machine(Scope.WEBHOOKS_READ, tenant=machine.tenant)
    assert reader.ask("GET", "webhooks").json() == {"data": [], "next": None}
    refused = do(reader, "webhooks", WANTED)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:surety:problem:scope-missing")
    assert 'scope="webhooks:write"' in refused["WWW-Authenticate"]


def test_a_member_proves_both_factors_again_where_the_page_asks_for_it(machine):
    browser = grow_stale(sign_in(make_ready_person(Role.OWNER, machine.tenant)))
    assert browser.get("/api/v1/webhooks").status_code == 200
    answer = browser.post(
        "/api/v1/webhooks", WANTED, content_type="application/json", headers={"Idempotency-Key": "one"}
    )
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:surety:problem:step-up-needed")
