"""The pages of webhooks: who may, what is shown once, the test button, dead letters, and a stranger's words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from accounts.models import AuditEntry, WebhookEndpoint
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import grow_stale, make_ready_person, sign_in
from tests.factories import make_tenant
from tests.webhooks.kit import deliveries, endpoint_of, finish_run, try_all
from tests.webhooks.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr("tasks.webhook.ring", lambda *_, **__: None)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


@pytest.fixture
def tenant() -> Any:
    return make_tenant()


@pytest.fixture
def owner(tenant) -> Any:
    return sign_in(make_ready_person(Role.OWNER, tenant))


def _fields(url: str, **more: Any) -> dict[str, Any]:
    return {"description": "Tickets", "url": url, "events": ["run.finished"], **more}


def _secret(page: Any) -> str:
    return re.search(r"whsec_[\w+/=]+", page.content.decode())[0]


def test_a_secret_is_shown_once_and_signs_what_the_test_button_sends(owner, tenant, receiver):
    made = owner.post("/webhooks/new/", _fields(receiver.url))
    secret, path = _secret(made), f"/webhooks/{endpoint_of(tenant).pk}/"
    for page in ("/webhooks/", path, f"{path}edit/"):
        assert b"whsec_" not in owner.get(page).content
    shown = owner.post(f"{path}test/", follow=True)
    assert b"hx-trigger" in shown.content, "the page waits for the outcome"
    try_all(tenant)
    ((headers, body),) = receiver.got
    assert Webhook(secret).verify(body, headers)["type"] == "webhook.test"
    outcome = owner.get(f"{shown.request['PATH_INFO']}outcome/").content.decode()
    assert ("delivered" in outcome, "hx-trigger" in outcome) == (True, False)
    with open_tenant(tenant.pk):
        acts = set(AuditEntry.objects.filter(act__startswith="webhook.").values_list("act", flat=True))
        assert {"webhook.create", "webhook.test", "webhook.read"} <= acts
        assert not any("whsec_" in bytes(entry.body).decode() for entry in AuditEntry.objects.all())


def test_adding_and_changing_ask_for_a_fresh_proof_and_viewers_see_nothing(owner, tenant, receiver):
    owner.post("/webhooks/new/", _fields(receiver.url))
    path = f"/webhooks/{endpoint_of(tenant).pk}/"
    stale = grow_stale(owner)
    for asked in ("/webhooks/new/", f"{path}edit/"):
        assert stale.get(asked).url.startswith("/step-up/")
    viewer = sign_in(make_ready_person(Role.CONTRIBUTOR, tenant))
    assert [viewer.get(each).status_code for each in ("/webhooks/", path)] == [403, 403]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"url": "ftp://example.org/"}, "https://"), ({"events": []}, "required"), ({"url": "https://a@b/"}, "user name")],
)  # fmt: skip
def test_what_cannot_be_a_webhook_is_said_at_its_field(owner, tenant, wrong, said):
    page = owner.post("/webhooks/new/", {**_fields("https://example.org/"), **wrong})
    assert (page.status_code, said in page.content.decode()) == (422, True)
    with open_tenant(tenant.pk):
        assert not WebhookEndpoint.objects.exists()


def test_dead_letters_are_found_by_state_and_sent_again_one_or_all(owner, tenant, receiver):
    owner.post("/webhooks/new/", _fields(receiver.url))
    path = f"/webhooks/{endpoint_of(tenant).pk}/"
    finish_run(tenant)
    owner.post(f"{path}change/", {"change": "disable"})
    finish_run(tenant)
    page = owner.get(f"{path}?state=dead").content.decode()
    first, second = deliveries(tenant)
    assert all(f"/webhooks/deliveries/{row.pk}/" in page for row in (first, second))
    assert f"/webhooks/deliveries/{first.pk}/" not in owner.get(f"{path}?state=delivered").content.decode()
    one = f"/webhooks/deliveries/{first.pk}/replay/"
    assert re.search(r'name="since" value="20\d\d-\d\d-\d\d"', page)
    assert owner.post(one).status_code == 409
    owner.post(f"{path}change/", {"change": "enable"})
    assert owner.post(one).status_code == 302
    assert owner.post(f"{path}replay/", {"since": "2026-01-01"}).status_code == 302
    assert [row.state for row in try_all(tenant)] == ["delivered"] * 2
    assert owner.post(f"{path}replay/", {"since": "x"}).status_code == 400
    owner.post(f"{path}change/", {"change": "remove"})
    assert (owner.get(path).status_code, deliveries(tenant)) == (404, [])


def test_a_receivers_words_are_shown_as_words(owner, tenant, receiver):
    owner.post("/webhooks/new/", _fields(receiver.url))
    finish_run(tenant)
    receiver.answer(500, b"<script>alert(1)</script>")
    (row,) = try_all(tenant)
    page = owner.get(f"/webhooks/deliveries/{row.pk}/").content
    assert (b"&lt;script&gt;alert(1)" in page, b"<script>alert" in page) == (True, False)


def test_a_new_secret_is_shown_and_the_old_one_can_be_ended(owner, tenant, receiver):
    old = _secret(owner.post("/webhooks/new/", _fields(receiver.url)))
    path = f"/webhooks/{endpoint_of(tenant).pk}/"
    new = _secret(owner.post(f"{path}change/", {"change": "rotate"}))
    assert b"End the old secret" in owner.get(path).content
    assert old != new
    owner.post(f"{path}change/", {"change": "previous"})
    assert b"End the old secret" not in owner.get(path).content
    changed = owner.post(f"{path}edit/", _fields(receiver.url, description="On call"))
    assert (changed.status_code, endpoint_of(tenant).description) == (302, "On call")


def test_deliveries_come_in_pages(owner, tenant, receiver, monkeypatch):
    monkeypatch.setattr("accounts.views.webhooks.PAGE", 2)
    owner.post("/webhooks/new/", _fields(receiver.url))
    path = f"/webhooks/{endpoint_of(tenant).pk}/"
    for _ in range(3):
        finish_run(tenant)
    first = owner.get(path)
    assert len(first.context["deliveries"]) == 2
    second = owner.get(f"{path}?after={first.context['next']}")
    assert [row.pk for row in second.context["deliveries"]] == [deliveries(tenant)[0].pk]
    assert owner.get(f"{path}?after=x").status_code == 400
