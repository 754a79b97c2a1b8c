"""A tenant that requires passkeys: who is let in, who is led to add one, and who can't be shut out."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.audit.events import Act
from accounts.models import AuditEntry, Membership, Passkey, Tenant
from accounts.permissions import Role
from accounts.services.second_factor import create_recovery_codes
from accounts.tenancy.scope import open_tenant
from tests.accounts.authenticator import (
    Authenticator,
    add_passkey,
    give_passkey,
    options_for,
    sign_in_by_passkey,
)
from tests.accounts.factories import grow_stale, make_ready_person, post_password, sign_in
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return make_tenant()


@pytest.fixture
def owner(tenant):
    return make_ready_person(tenant=tenant)


def _require(tenant, required: bool = True) -> None:
    with open_tenant(tenant.pk):
        Tenant.objects.filter(pk=tenant.pk).update(require_passkey=required)


def _required(tenant) -> bool:
    with open_tenant(tenant.pk):
        return Tenant.objects.get(pk=tenant.pk).require_passkey


def _by_passkey(person) -> Client:
    client = Client()
    assert sign_in_by_passkey(give_passkey(person), client).status_code == 302
    return client


def test_an_owner_who_came_by_passkey_requires_it_and_it_is_recorded(tenant, owner):
    client = _by_passkey(owner)
    assert client.post("/settings/sign-in/", {"require_passkey": "on"}).status_code == 302
    assert _required(tenant)
    assert client.get("/members/").status_code == 200
    with open_tenant(tenant.pk):
        assert AuditEntry.objects.filter(act=Act.TENANT_CHANGE).count() == 1
    assert client.post("/settings/sign-in/", {}).status_code == 302
    assert not _required(tenant)


def test_an_owner_who_came_by_code_cannot_shut_themselves_out(tenant, owner):
    client = sign_in(owner)
    answer = client.post("/settings/sign-in/", {"require_passkey": "on"})
    assert answer.status_code == 422
    assert b"shut yourself out" in answer.content
    assert not _required(tenant)


def test_it_is_the_owners_to_decide_with_a_fresh_proof(tenant, owner):
    assert (
        sign_in(make_ready_person(Role.SECURITY_OFFICIAL, tenant)).get("/settings/sign-in/").status_code
        == 403
    )
    assert grow_stale(_by_passkey(owner)).get("/settings/sign-in/").url.startswith("/step-up/")


def test_it_holds_at_the_next_request_of_whoever_came_by_code(tenant, owner):
    client = sign_in(owner)
    assert client.get("/members/").status_code == 200
    _require(tenant)
    assert client.get("/members/").url == "/sign-in/passkey/needed/?next=%2Fmembers%2F"
    assert client.post("/members/invite/", {"email": "x@example.org", "role": "viewer"}).url.startswith(
        "/sign-in/passkey/needed/"
    )
    assert client.get("/api/v1/runs/00000000-0000-0000-0000-000000000000").status_code == 401
    assert client.get("/profile/").status_code == 200


def test_who_has_none_is_led_to_add_one_and_is_in(tenant, owner):
    _require(tenant)
    client = sign_in(owner)
    page = client.get(client.get("/members/").url)
    assert b"Add your first passkey" in page.content
    assert add_passkey(client, Authenticator()).status_code == 302
    assert client.get("/members/").status_code == 200


def test_who_has_one_uses_it_and_is_in(tenant, owner):
    _require(tenant)
    authenticator, client = give_passkey(owner), sign_in(owner)
    options = options_for(client, "/passkeys/confirm/options/")
    answer = client.post(
        "/sign-in/passkey/needed/", {"credential": authenticator.use(options), "next": "/members/"}
    )
    assert answer.url == "/members/"
    assert client.get("/members/").status_code == 200


def test_a_wrong_one_lets_nobody_in(tenant, owner):
    _require(tenant)
    give_passkey(owner)
    client = sign_in(owner)
    options = options_for(client, "/passkeys/confirm/options/")
    assert (
        client.post("/sign-in/passkey/needed/", {"credential": Authenticator().use(options)}).status_code
        == 422
    )
    assert client.get("/members/").status_code == 302


@pytest.mark.parametrize(
    "path", ["/profile/passkeys/new/", "/profile/second-factor/", "/profile/recovery-codes/"]
)
def test_whoever_phished_password_and_code_adds_no_factor_of_their_own(tenant, owner, path):
    _require(tenant)
    give_passkey(owner)
    client = sign_in(owner)
    assert client.get(path).url.startswith("/sign-in/passkey/needed/")
    handle = Passkey.objects.get(user=owner).handle
    assert client.post(f"/profile/passkeys/{handle}/remove/").url.startswith("/sign-in/passkey/needed/")
    assert add_passkey(client, Authenticator()).url.startswith("/sign-in/passkey/needed/")
    assert Passkey.objects.filter(user=owner).count() == 1


def test_who_lost_the_passkey_adds_another_after_a_recovery_code(tenant, owner):
    _require(tenant)
    give_passkey(owner)
    code, client = create_recovery_codes(person=owner)[0], Client()
    post_password(client, owner)
    client.post("/sign-in/code/", {"code": code})
    assert client.get("/members/").status_code == 302
    assert add_passkey(client, Authenticator()).status_code == 302
    assert client.get("/members/").status_code == 200


def test_another_tenants_policy_does_not_reach_here(tenant, owner):
    other = make_tenant()
    with open_tenant(other.pk):
        Membership.objects.create(person=owner, role=Role.VIEWER)
    _require(other)
    client = sign_in(owner)
    client.post("/tenants/switch/", {"tenant": str(tenant.pk)})
    assert client.get("/members/").status_code == 200
    client.post("/tenants/switch/", {"tenant": str(other.pk)})
    assert client.get("/findings/").url.startswith("/sign-in/passkey/needed/")


def test_the_page_names_who_has_none(tenant, owner):
    other = make_ready_person(Role.VIEWER, tenant)
    page = _by_passkey(owner).get("/settings/sign-in/")
    assert page.context["without"] == [other]
