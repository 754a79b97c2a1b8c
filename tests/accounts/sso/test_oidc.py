"""Signing in by OpenID Connect, at a real provider."""

from __future__ import annotations

import html
import json
import re
import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pyotp
import pytest
from django.test import Client
from django.utils import timezone

from accounts.access import Gate
from accounts.audit.events import Act
from accounts.models import (
    AuditEntry,
    ExternalIdentity,
    IdentityProvider,
    Membership,
    Person,
    SsoFlow,
    TotpDevice,
    VerifiedDomain,
)
from accounts.permissions import Role
from accounts.services.invitations import invite
from accounts.services.people import disable_person
from accounts.sessions import PROVED_AT, TENANT
from accounts.sso.providers import client_of, map_group
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import PASSWORD, code_for, make_ready_person, sign_in
from tests.accounts.sso.kit import (
    Setup,
    at_provider,
    give_domain,
    member_of,
    set_up_tenant_for,
    sign_in_by,
    way_out,
)
from tests.architecture.everything import ROUTES
from tests.factories import make_member, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_new_person_of_the_domain_becomes_a_viewer(idp, oidc):
    email = oidc.address()
    idp.know(**{email: {"email": email, "name": "Ada Moss"}})
    _, answer = sign_in_by(oidc, login=email)
    assert (answer.status_code, answer.url) == (302, "/sign-in/code/"), answer.content
    assert member_of(oidc, email).role == "viewer"


def _known(idp, setup: Setup, **claims: object) -> str:
    email = setup.address()
    idp.know(**{email: {"email": email, "name": "Ada Moss", **claims}})
    return email


def _acts(setup: Setup, act: Act) -> list[tuple[str, str]]:
    with open_tenant(setup.tenant.pk):
        entries = AuditEntry.objects.filter(act=act).order_by("occurred_at")
        return [(entry.outcome, entry.actor_name) for entry in entries]


def test_where_the_provider_proves_both_factors_the_person_is_in_at_once(idp, oidc):
    oidc.change(provider_proves_second_factor="when_said")
    email = _known(idp, oidc, amr="pwd mfa")
    client, answer = sign_in_by(oidc, login=email)
    assert (answer.status_code, answer.url) == (302, "/")
    assert client.get("/").status_code == 200
    assert _acts(oidc, Act.SIGN_IN) == [("done", email)]
    with open_tenant(oidc.tenant.pk):
        said = json.loads(bytes(AuditEntry.objects.get(act=Act.SIGN_IN).body))["details"]
    assert (said["by"], said["second_factor"]) == ("single sign-on", True)
    assert [also["act"] for also in said["also"]] == [Act.SSO_LINK_ADD, Act.MEMBER_ADD]


@pytest.mark.parametrize(
    ("proof", "amr", "values", "asked"),
    [
        ("never", "mfa", [], True),
        ("when_said", "pwd", [], True),
        ("when_said", "mfa", [], False),
        ("when_said", "pwd hwk", ["hwk"], False),
        ("when_said", "mfa", ["hwk"], True),
        ("always", "pwd", [], False),
    ],
)
def test_our_own_second_factor_is_asked_unless_the_policy_takes_the_providers_word(
    idp, oidc, proof, amr, values, asked
):
    oidc.change(provider_proves_second_factor=proof, second_factor_values=values)
    client, answer = sign_in_by(oidc, login=_known(idp, oidc, amr=amr))
    assert (answer.url == "/sign-in/code/") is asked
    assert (client.get("/").status_code == 302) is asked


def test_a_newcomer_sets_up_a_second_factor_of_their_own(idp, oidc):
    email = _known(idp, oidc)
    client, _ = sign_in_by(oidc, login=email)
    assert client.get("/sign-in/code/").url == "/sign-in/set-up/"
    client.get("/sign-in/set-up/")
    device = TotpDevice.objects.get(user__email=email)
    assert client.post("/sign-in/set-up/", {"code": pyotp.TOTP(device.secret).now()}).status_code == 200
    assert client.get("/").status_code == 200


def test_a_provider_cannot_set_up_the_second_factor_of_somebody_with_a_password(idp, oidc):
    """It would else choose the factor by which the person enters other tenants."""
    person = make_member(oidc.tenant, Role.VIEWER, password=PASSWORD)
    Person.objects.filter(pk=person.pk).update(email=(email := oidc.address()))
    idp.know(**{email: {"email": email}})
    client, _ = sign_in_by(oidc, login=email)
    answer = client.get("/sign-in/set-up/")
    assert answer.status_code == 403
    assert not TotpDevice.objects.filter(user=person).exists()


def test_the_sign_in_page_leads_by_the_address_to_the_provider(idp, oidc):
    email, client = _known(idp, oidc), Client()
    out = way_out(client.post("/sign-in/organisation/", {"email": f" {email.upper()} ", "next": "/audit/"}))
    query = parse_qs(urlsplit(out).query)
    assert out.startswith(f"{idp.url}/auth?")
    assert (query["response_type"], query["code_challenge_method"], query["login_hint"]) == (
        ["code"],
        ["S256"],
        [email],
    )
    answer = client.get(at_provider(out, login=email))
    assert answer.url == "/sign-in/code/"
    assert client.session["next"] == "/audit/"


def test_an_address_that_leads_nowhere_gets_one_answer_whatever_the_reason(idp, oidc):
    unlisted, disabled, pending = set_up_tenant_for(idp), set_up_tenant_for(idp), set_up_tenant_for(idp)
    unlisted.change(listed=False)
    disabled.change(enabled=False)
    with open_tenant(pending.tenant.pk):
        VerifiedDomain.objects.update(verified_at=None)
    addresses = [setup.address("ada") for setup in (unlisted, disabled, pending)]
    addresses += ["ada@nobody-has-this.example", "no address", "ada@" + "x" * 240]
    answers = set()
    for address in addresses:
        answer = Client().post("/sign-in/organisation/", {"email": address})
        text = answer.content.decode().replace(html.escape(address), "")
        answers.add(
            (answer.status_code, re.sub(r'value="[A-Za-z0-9]{64}"', "", text), "sso" in answer.cookies)
        )
    assert len(answers) == 1
    assert answers.pop()[0] == 422


def test_the_subject_and_not_the_address_names_a_known_person(idp, oidc):
    email = _known(idp, oidc)
    sign_in_by(oidc, login=email)
    other = oidc.address()
    idp.know(**{email: {"email": other}})
    client, _ = sign_in_by(oidc, login=email)
    assert client.session["_auth_user_id"] == str(Person.objects.get(email=email).pk)
    assert not Person.objects.filter(email=other).exists()


def test_an_address_given_to_somebody_else_at_the_provider_opens_nobodys_account(idp, oidc):
    email = _known(idp, oidc)
    sign_in_by(oidc, login=email)
    idp.know(another={"email": email})
    _, answer = sign_in_by(oidc, login="another")
    assert (answer.status_code, b"linked with another account" in answer.content) == (403, True)


def test_a_provider_speaks_for_its_own_verified_domains_alone(idp, oidc):
    theirs = set_up_tenant_for(idp)
    victim = make_ready_person(Role.OWNER, theirs.tenant)
    Person.objects.filter(pk=victim.pk).update(email=(email := theirs.address("victim")))
    idp.know(
        evil={"email": email},
        free={"email": "somebody@gmail.com"},
        odd={"email": f"a@{oidc.domain}@{theirs.domain}"},
    )
    for login in ("evil", "free", "odd", "no mail"):
        client, answer = sign_in_by(oidc, login=login)
        assert answer.status_code == 403, login
        assert "_auth_user_id" not in client.session
    assert member_of(oidc, email) is None
    assert ("failed", "") in _acts(oidc, Act.SIGN_IN)


@pytest.mark.parametrize(
    "email",
    [
        "ada@{0}.evil.example",
        "ada@sub.{0}",
        "ada@evil.example\n@{0}",
        "ada@{0}%00",
        "ada@\uff43{0}",
        "ada@evil.example, b@{0}",
    ],
)
def test_an_address_that_only_looks_like_the_domains_is_refused(idp, oidc, email):
    idp.know(odd={"email": email.format(oidc.domain)})
    assert sign_in_by(oidc, login="odd")[1].status_code == 403


def test_an_address_that_the_provider_calls_unverified_is_refused(idp, oidc):
    email = _known(idp, oidc, email_verified=False)
    assert sign_in_by(oidc, login=email)[1].status_code == 403


def test_a_domain_that_the_tenant_lost_lets_nobody_in(idp, oidc):
    email = _known(idp, oidc)
    sign_in_by(oidc, login=email)
    give_domain(make_tenant(), oidc.domain)
    assert sign_in_by(oidc, login=email)[1].status_code == 403


class TestRoles:
    def test_the_strongest_role_of_the_groups_is_given_and_followed(self, idp, oidc):
        with open_tenant(oidc.tenant.pk):
            for group, role in (
                ("staff", Role.VIEWER),
                ("security", Role.SECURITY_OFFICIAL),
                ("it", Role.CONTRIBUTOR),
            ):
                map_group(provider=oidc.provider, group=group, role=role)
        email = _known(idp, oidc, groups=["staff", "security", "it", "unknown"])
        sign_in_by(oidc, login=email)
        assert member_of(oidc, email).role == Role.SECURITY_OFFICIAL
        idp.know(**{email: {"email": email, "groups": ["it"]}})
        sign_in_by(oidc, login=email)
        assert member_of(oidc, email).role == Role.CONTRIBUTOR
        idp.know(**{email: {"email": email, "groups": []}})
        sign_in_by(oidc, login=email)
        assert member_of(oidc, email).role == Role.VIEWER
        assert len(_acts(oidc, Act.SIGN_IN)) == 3

    def test_nobody_becomes_an_owner_but_by_a_group_that_is_mapped_to_it(self, idp, oidc):
        email = _known(idp, oidc, groups=["owner", "Owner"])
        sign_in_by(oidc, login=email)
        assert member_of(oidc, email).role == Role.VIEWER
        with open_tenant(oidc.tenant.pk):
            map_group(provider=oidc.provider, group="owner", role=Role.OWNER)
        sign_in_by(oidc, login=email)
        assert member_of(oidc, email).role == Role.OWNER

    def test_a_role_given_here_stays_where_no_group_is_mapped(self, idp, oidc):
        email = _known(idp, oidc)
        sign_in_by(oidc, login=email)
        with open_tenant(oidc.tenant.pk):
            Membership.objects.filter(person__email=email).update(role=Role.CONTRIBUTOR)
        sign_in_by(oidc, login=email)
        assert member_of(oidc, email).role == Role.CONTRIBUTOR

    def test_the_last_owner_is_not_demoted_by_groups(self, idp, oidc):
        with open_tenant(oidc.tenant.pk):
            map_group(provider=oidc.provider, group="staff", role=Role.VIEWER)
        owner = make_ready_person(Role.OWNER, oidc.tenant)
        Person.objects.filter(pk=owner.pk).update(email=(email := oidc.address()))
        idp.know(**{email: {"email": email, "groups": ["staff"]}})
        sign_in_by(oidc, login=email)
        assert member_of(oidc, email).role == Role.OWNER

    def test_without_just_in_time_membership_newcomers_are_sent_to_an_owner(self, idp, oidc):
        oidc.change(just_in_time=False)
        email = _known(idp, oidc)
        assert sign_in_by(oidc, login=email)[1].status_code == 403
        assert not Person.objects.filter(email=email).exists()

    def test_who_was_removed_does_not_come_back_by_signing_in(self, idp, oidc):
        email = _known(idp, oidc)
        sign_in_by(oidc, login=email)
        with open_tenant(oidc.tenant.pk):
            Membership.objects.filter(person__email=email).delete()
        assert sign_in_by(oidc, login=email)[1].status_code == 403
        assert member_of(oidc, email) is None

    def test_a_membership_that_ended_stays_ended(self, idp, oidc):
        email = oidc.address()
        person = Person.objects.create_user(email, None, name="Auditor")
        with open_tenant(oidc.tenant.pk):
            Membership.objects.create(
                person=person, role=Role.AUDITOR, ends_at=timezone.now() - timedelta(days=1)
            )
        idp.know(**{email: {"email": email}})
        assert sign_in_by(oidc, login=email)[1].status_code == 403

    def test_a_disabled_person_is_refused(self, idp, oidc):
        email = _known(idp, oidc)
        sign_in_by(oidc, login=email)
        disable_person(person=Person.objects.get(email=email))
        assert sign_in_by(oidc, login=email)[1].status_code == 403


class TestSession:
    @pytest.fixture
    def visitor(self, idp, oidc):
        """A member of two tenants, signed in by the one's provider."""
        oidc.change(provider_proves_second_factor="always")
        person = make_ready_person(Role.OWNER, oidc.tenant)
        Person.objects.filter(pk=person.pk).update(email=(email := oidc.address()))
        person.refresh_from_db()
        other = make_tenant()
        with open_tenant(other.pk):
            Membership.objects.create(person=person, role=Role.OWNER)
        idp.know(**{email: {"email": email}})
        client, answer = sign_in_by(oidc, login=email)
        assert answer.url == "/"
        return person, client, other

    def test_it_enters_its_own_tenant_alone(self, oidc, visitor):
        _, client, other = visitor
        assert client.get("/").status_code == 200
        assert other.name not in client.get("/tenants/").content.decode()
        assert other.name not in client.get("/").content.decode()
        assert client.post("/tenants/switch/", {"tenant": str(other.pk)}).status_code == 404
        session = client.session
        session[TENANT] = str(other.pk)
        session.save()
        assert client.get("/members/").status_code == 302

    def test_it_changes_nothing_of_the_persons_own(self, visitor):
        _, client, _ = visitor
        own = [
            route
            for route, pattern in ROUTES.items()
            if pattern.callback.access.permission is None
            and pattern.callback.access.gate is Gate.VERIFIED
            and not pattern.callback.access.sso
        ]
        assert {
            "profile/password/",
            "profile/second-factor/",
            "profile/recovery-codes/",
            "profile/name/",
        } <= set(own)
        for route in own:
            path = "/" + re.sub(r"<[^>]+>", "x" * 20, route)
            if "<uuid" in route:
                path = "/" + re.sub(r"<[^>]+>", str(uuid4()), route)
            assert {client.get(path).status_code, client.post(path, {}).status_code} <= {403, 405}, route
        assert client.get("/profile/").status_code == 200

    def test_it_takes_up_no_invitation_of_another_tenant(self, visitor):
        person, client, _ = visitor
        third = make_tenant()
        inviter = make_ready_person(Role.OWNER, third)
        with open_tenant(third.pk):
            by = Membership.objects.get(person=inviter)
            made = invite(email=person.email, role=Role.OWNER, by=by)
        assert client.post(f"/invitations/{made.token}/").status_code == 403
        with open_tenant(third.pk):
            assert not Membership.objects.filter(person=person).exists()

    @pytest.mark.parametrize("how", ["disabled", "unlinked", "removed"])
    def test_it_ends_with_the_provider_or_the_link_at_the_next_request(self, oidc, visitor, how):
        _, client, _ = visitor
        with open_tenant(oidc.tenant.pk):
            if how == "disabled":
                IdentityProvider.objects.update(enabled=False)
            elif how == "unlinked":
                ExternalIdentity.objects.all().delete()
            else:
                SsoFlow.objects.all().delete()
                oidc.provider.delete()
        answer = client.get("/members/")
        assert (answer.status_code, answer.url.startswith("/sign-in/")) == (302, True)
        assert "_auth_user_id" not in client.session

    def test_signing_out_ends_it(self, visitor):
        _, client, _ = visitor
        client.post("/sign-out/")
        assert client.get("/").status_code == 302


class TestStepUp:
    @pytest.fixture
    def owner(self, idp, oidc):
        oidc.change(provider_proves_second_factor="always")
        person = make_ready_person(Role.OWNER, oidc.tenant)
        Person.objects.filter(pk=person.pk).update(email=(email := oidc.address()))
        idp.know(**{email: {"email": email}})
        client, _ = sign_in_by(oidc, login=email)
        session = client.session
        session[PROVED_AT] = int(time.time()) - 3600
        session.save()
        return email, client

    def test_the_provider_is_asked_for_a_fresh_sign_in(self, idp, oidc, owner):
        email, client = owner
        asked = client.post("/single-sign-on/domains/add/", {"domain": "x.example"})
        assert asked.url.startswith("/step-up/")
        assert b"/sso/step-up/" in client.get(asked.url).content
        out = way_out(client.get("/sso/step-up/"))
        query = parse_qs(urlsplit(out).query)
        assert (query["prompt"], query["max_age"]) == (["login"], ["0"])
        answer = client.get(at_provider(out, login=email))
        assert answer.url == "/step-up/continue/", answer.content
        assert client.post("/single-sign-on/domains/add/", {"domain": "x.example"}).url == "/single-sign-on/"

    def test_an_old_sign_in_at_the_provider_is_not_fresh(self, idp, owner):
        email, client = owner
        idp.know(**{email: {"email": email, "ts": int(time.time()) - 300}})
        answer = client.get(at_provider(way_out(client.get("/sso/step-up/")), login=email))
        assert (answer.status_code, b"auth_time" in answer.content) == (403, True)

    def test_somebody_elses_sign_in_is_not_the_persons(self, idp, oidc, owner):
        _, client = owner
        other = _known(idp, oidc)
        sign_in_by(oidc, login=other)
        answer = client.get(at_provider(way_out(client.get("/sso/step-up/")), login=other))
        assert answer.status_code == 403

    def test_where_the_provider_proves_one_factor_ours_follows(self, oidc, owner):
        email, client = owner
        oidc.change(provider_proves_second_factor="never")
        answer = client.get(at_provider(way_out(client.get("/sso/step-up/")), login=email))
        assert answer.url == "/sso/step-up/code/"
        person = Person.objects.get(email=email)
        assert client.post(answer.url, {"code": "000000"}).status_code == 422
        TotpDevice.objects.filter(user=person).update(
            throttling_failure_count=0, throttling_failure_timestamp=None
        )
        assert client.post(answer.url, {"code": code_for(person)}).status_code == 302
        assert client.post("/single-sign-on/domains/add/", {"domain": "x.example"}).url == "/single-sign-on/"


class TestFlow:
    def test_an_answer_is_used_once(self, idp, oidc):
        email, client = _known(idp, oidc), Client()
        back = at_provider(way_out(client.get(oidc.path("start"))), login=email)
        assert client.get(back).status_code == 302
        assert client.get(back).status_code == 409

    def test_another_browser_cannot_finish_it(self, idp, oidc):
        """An attacker's answer, put into somebody else's browser, would sign them in as the attacker."""
        email = _known(idp, oidc)
        back = at_provider(way_out(Client().get(oidc.path("start"))), login=email)
        victim = Client()
        victim.get(oidc.path("start"))
        for client in (Client(), victim):
            assert client.get(back).status_code == 409
            assert "_auth_user_id" not in client.session

    def test_an_answer_sent_to_another_provider_of_ours_is_nothing(self, idp, oidc):
        other = set_up_tenant_for(idp)
        email, client = _known(idp, oidc), Client()
        back = at_provider(way_out(client.get(oidc.path("start"))), login=email)
        assert client.get(back.replace(str(oidc.provider.pk), str(other.provider.pk))).status_code == 409

    def test_it_lasts_ten_minutes(self, idp, oidc):
        email, client = _known(idp, oidc), Client()
        back = at_provider(way_out(client.get(oidc.path("start"))), login=email)
        with open_tenant(oidc.tenant.pk):
            SsoFlow.objects.update(expires_at=timezone.now())
        assert client.get(back).status_code == 409

    def test_the_issuer_of_the_answer_must_be_ours(self, idp, oidc):
        email, client = _known(idp, oidc), Client()
        back = at_provider(way_out(client.get(oidc.path("start"))), login=email)
        assert client.get(re.sub(r"iss=[^&]+", "iss=https%3A%2F%2Fevil.example", back)).status_code == 403

    def test_without_the_issuer_that_the_provider_promises_to_send_there_is_no_answer(self, idp, oidc):
        email, client = _known(idp, oidc), Client()
        back = at_provider(way_out(client.get(oidc.path("start"))), login=email)
        assert client.get(re.sub(r"&?iss=[^&]+", "", back)).status_code == 403

    def test_a_refusal_at_the_provider_is_said(self, idp, oidc):
        client = Client()
        answer = client.get(at_provider(way_out(client.get(oidc.path("start"))), login="x", refuse="1"))
        assert (answer.status_code, b"access_denied" in answer.content) == (403, True)

    @pytest.mark.parametrize("hostile", ["https://evil.example/", "//evil.example", "\\\\evil.example"])
    def test_it_leads_to_this_site_alone(self, idp, oidc, hostile):
        oidc.change(provider_proves_second_factor="always")
        email, client = _known(idp, oidc), Client()
        back = at_provider(way_out(client.get(oidc.path("start"), {"next": hostile})), login=email)
        assert client.get(back).url == "/"

    def test_the_session_key_is_new_and_nothing_of_the_session_before_stays(self, idp, oidc):
        oidc.change(provider_proves_second_factor="always")
        client = sign_in(make_ready_person())
        before = client.cookies["session"].value
        sign_in_by(oidc, client, login=_known(idp, oidc))
        assert client.cookies["session"].value != before
        assert "otp_device_id" not in client.session

    def test_keys_that_the_provider_changed_are_fetched_anew(self, idp, oidc):
        email = _known(idp, oidc)
        with open_tenant(oidc.tenant.pk):
            IdentityProvider.objects.update(keys_fetched_at=timezone.now() - timedelta(minutes=1))
        idp.rotate()
        assert sign_in_by(oidc, login=email)[1].status_code == 302

    @pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
    def test_each_way_of_naming_the_client_works(self, idp, transactional_db, method):
        setup = set_up_tenant_for(idp, token_endpoint_auth_method=method)
        setup.change(endpoints={**setup.provider.endpoints, "token_endpoint_auth_methods": [method]})
        assert sign_in_by(setup, login=_known(idp, setup))[1].status_code == 302

    def test_the_client_secret_is_sealed(self, oidc):
        secret = client_of(oidc.provider).secret
        assert secret
        assert secret.encode() not in bytes(oidc.provider.client_secret)
