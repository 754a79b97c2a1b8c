"""Requiring single sign-on, and the owners who may break the glass."""

from __future__ import annotations

import pytest
from django.core import mail

from accounts.audit.events import Act
from accounts.errors import Conflict
from accounts.models import AuditEntry, BreakGlass, IdentityProvider, Membership, Person
from accounts.permissions import Role
from accounts.services.members import change_role, remove_member
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import make_ready_person, sign_in
from tests.accounts.sso.kit import Setup, set_up_tenant_for, sign_in_by
from tests.factories import make_member, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


def _person(setup: Setup, role: Role = Role.OWNER) -> Person:
    person = make_ready_person(role, setup.tenant)
    person.email = setup.address()
    person.save()
    return person


def _membership(setup: Setup, person: Person) -> Membership:
    with open_tenant(setup.tenant.pk):
        return Membership.objects.get(person=person)


def _test_sign_in(setup: Setup, idp, client, person: Person) -> object:
    from tests.accounts.sso.kit import at_provider, way_out

    idp.know(**{person.email: {"email": person.email}})
    out = way_out(client.post(f"/single-sign-on/providers/{setup.provider.pk}/test/"))
    return client.get(at_provider(out, login=person.email))


@pytest.fixture
def setup(idp, oidc) -> Setup:
    return oidc


def test_it_is_required_only_once_nobody_would_be_locked_out(idp, setup):
    owner = _person(setup)
    client = sign_in(owner)

    def _require() -> int:
        return client.post("/single-sign-on/require/", {"required": "yes"}).status_code

    assert _require() == 409
    assert _test_sign_in(setup, idp, client, owner).url.startswith("/single-sign-on/providers/")
    page = client.get(f"/single-sign-on/providers/{setup.provider.pk}/").content.decode()
    assert owner.email in page
    assert _require() == 409
    glass = {"membership": str(_membership(setup, owner).pk), "reason": "Nights"}
    assert client.post("/single-sign-on/break-glass/add/", glass).status_code == 302
    assert _require() == 302
    assert (
        client.get("/").status_code == 302
    )  # the owner's own session goes on by break-glass, which is told first
    with open_tenant(setup.tenant.pk):
        named = BreakGlass.objects.get()
    assert client.post(f"/single-sign-on/break-glass/{named.pk}/remove/").status_code == 409
    for path in ("enable/", "remove/"):
        assert client.post(f"/single-sign-on/providers/{setup.provider.pk}/{path}").status_code == 409


def test_a_test_signs_nobody_in_and_says_what_a_sign_in_would_do(idp, setup):
    setup.change(enabled=False)
    owner = _person(setup)
    client = sign_in(owner)
    before = client.session["_auth_user_id"]
    idp.know(**{owner.email: {"email": "somebody@elsewhere.example"}})
    from tests.accounts.sso.kit import at_provider, way_out

    out = way_out(client.post(f"/single-sign-on/providers/{setup.provider.pk}/test/"))
    assert client.get(at_provider(out, login=owner.email)).status_code == 302
    with open_tenant(setup.tenant.pk):
        provider = IdentityProvider.objects.get()
    assert (provider.tested_at, "not a verified domain" in provider.test_report["problem"]) == (None, True)
    assert client.session["_auth_user_id"] == before
    assert not client.session.get("sso_tenant")


class TestRequired:
    @pytest.fixture(autouse=True)
    def _required(self, setup):
        keeper = _person(setup)
        with open_tenant(setup.tenant.pk):
            BreakGlass.objects.create(membership=Membership.objects.get(person=keeper))
            setup.tenant.sso_required = True
            setup.tenant.save()
        self.keeper = keeper

    def test_a_password_of_the_domain_opens_the_tenant_no_more(self, setup):
        client = sign_in(_person(setup))
        for path in ("/", "/members/", "/audit/"):
            answer = client.get(path)
            assert (answer.status_code, b"Sign in with your organisation" in answer.content) == (403, True)
        assert (
            client.post("/members/invite/", {"email": "x@example.org", "role": "viewer"}).status_code == 403
        )
        profile = client.get("/profile/")
        assert (profile.status_code, setup.tenant.name in profile.content.decode()) == (200, False)

    def test_it_holds_from_the_next_request_of_a_session_that_was_open(self, setup):
        with open_tenant(setup.tenant.pk):
            setup.tenant.sso_required = False
            setup.tenant.save()
        client = sign_in(_person(setup))
        assert client.get("/").status_code == 200
        with open_tenant(setup.tenant.pk):
            setup.tenant.sso_required = True
            setup.tenant.save()
        assert client.get("/").status_code == 403

    def test_other_tenants_of_the_person_stay_open(self, setup):
        person, other = _person(setup), make_tenant()
        with open_tenant(other.pk):
            Membership.objects.create(person=person, role=Role.VIEWER)
        client = sign_in(person)
        client.post("/tenants/switch/", {"tenant": str(other.pk)})
        assert client.get("/").status_code == 200

    def test_members_of_other_domains_come_by_password(self, setup):
        assert sign_in(make_ready_person(Role.VIEWER, setup.tenant)).get("/").status_code == 200

    def test_single_sign_on_lets_in(self, idp, setup):
        setup.change(provider_proves_second_factor="always")
        person = _person(setup)
        idp.know(**{person.email: {"email": person.email}})
        client, answer = sign_in_by(setup, login=person.email)
        assert (answer.url, client.get("/").status_code) == ("/", 200)

    def test_breaking_the_glass_is_recorded_once_and_told_to_all_owners(self, setup):
        other = _person(setup)
        _person(setup, Role.VIEWER)
        mail.outbox.clear()
        client = sign_in(self.keeper)
        first = client.get("/members/")
        assert (first.status_code, first.url) == (302, "/members/")
        assert client.get("/members/").status_code == 200
        assert client.get("/").status_code == 200
        with open_tenant(setup.tenant.pk):
            entry = AuditEntry.objects.get(act=Act.BREAK_GLASS_USE)
            assert BreakGlass.objects.get().last_used_at
        assert (entry.actor_name, entry.outcome) == (self.keeper.email, "done")
        told = [message for message in mail.outbox if "Break-glass" in message.subject]
        assert len(told) == 1
        assert {self.keeper.email, other.email} == set(told[0].to)
        assert self.keeper.email in told[0].body

    def test_a_break_glass_owner_who_is_no_owner_any_more_is_like_everybody(self, setup):
        with open_tenant(setup.tenant.pk):
            Membership.objects.filter(person=self.keeper).update(role=Role.VIEWER)
        assert sign_in(self.keeper).get("/").status_code == 403

    def test_the_last_who_may_break_the_glass_is_neither_removed_nor_demoted(self, setup):
        other = _person(setup)
        with open_tenant(setup.tenant.pk):
            mine = Membership.objects.get(person=other)
            keepers = Membership.objects.get(person=self.keeper).pk
            for act in (
                lambda: change_role(membership_id=keepers, role=Role.VIEWER, by=mine),
                lambda: remove_member(membership_id=keepers, by=mine),
            ):
                with pytest.raises(Conflict, match="without single sign-on"):
                    act()
            BreakGlass.objects.create(membership=mine)
            remove_member(membership_id=keepers, by=mine)


def test_only_owners_with_factors_of_their_own_are_named(setup):
    client = sign_in(_person(setup))
    without = make_member(setup.tenant, Role.OWNER)
    viewer = _person(setup, Role.VIEWER)
    for person, status in ((without, 422), (viewer, 404)):
        form = {"membership": str(_membership(setup, person).pk)}
        assert client.post("/single-sign-on/break-glass/add/", form).status_code == status


def test_only_owners_see_and_change_it(idp, setup):
    theirs = set_up_tenant_for(idp)
    for role in (Role.SECURITY_OFFICIAL, Role.CONTRIBUTOR, Role.VIEWER):
        client = sign_in(make_ready_person(role, setup.tenant))
        assert client.get("/single-sign-on/").status_code == 403
        assert client.post("/single-sign-on/require/", {"required": "yes"}).status_code == 403
    client = sign_in(_person(setup))
    assert client.get(f"/single-sign-on/providers/{theirs.provider.pk}/").status_code == 404
