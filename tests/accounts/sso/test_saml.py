"""Signing in by SAML 2.0, at a real provider; and every way to lie about it."""

from __future__ import annotations

import base64
import re
import time
from urllib.parse import parse_qs, urlsplit
from zlib import decompress

import pytest
import xmlsec
from django.test import Client
from lxml import etree

from accounts.models import AuditEntry, IdentityProvider, Person, SeenAssertion, SsoFlow
from accounts.permissions import Role
from accounts.sessions import PROVED_AT
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import make_ready_person
from tests.accounts.sso.hostile_saml import MFA, OF_ASSERTIONS, OF_RESPONSES, Recipe, encode, sign
from tests.accounts.sso.kit import (
    Setup,
    at_saml_provider,
    make_keys,
    member_of,
    saml_metadata,
    set_up_saml_tenant,
    sign_in_by_saml,
    way_out,
)

pytestmark = pytest.mark.django_db(transaction=True)


def _request(client: Client, setup: Setup, path: str = "") -> str:
    """The ID of a request that the client's browser has begun."""
    out = way_out(client.get(path or setup.path("start")))
    xml = decompress(base64.b64decode(parse_qs(urlsplit(out).query)["SAMLRequest"][0]), -15)
    return str(etree.fromstring(xml).get("ID"))


def _begin(setup: Setup, **fields: object) -> tuple[Client, Recipe]:
    client = Client()
    email = setup.address()
    return client, Recipe(setup, _request(client, setup), f"subject of {email}", email, **fields)


def _send(client: Client, setup: Setup, encoded: str):
    """The answer to the form, or to the way back where the form was accepted."""
    posted = Client().post(setup.path("acs"), {"SAMLResponse": encoded})
    return client.get(posted.url) if posted.status_code == 302 else posted


def _is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


class TestAtTheProvider:
    def test_a_new_person_of_the_domain_becomes_a_viewer(self, saml):
        email = saml.address()
        _client, answer = sign_in_by_saml(saml, login="ada-1", email=email)
        assert (answer.status_code, answer.url) == (302, "/sign-in/code/"), answer.content
        assert member_of(saml, email).role == Role.VIEWER
        assert Person.objects.get(email=email).name == "Ada of SAML"

    def test_the_context_can_prove_both_factors(self, saml):
        saml.change(provider_proves_second_factor="when_said")
        _, one = sign_in_by_saml(saml, login="one", email=saml.address())
        client, two = sign_in_by_saml(saml, login="two", email=saml.address(), context=MFA)
        assert (one.url, two.url) == ("/sign-in/code/", "/")
        assert client.get("/").status_code == 200

    def test_the_name_id_is_the_address_where_no_attribute_is_named(self, saml):
        saml.change(email_claim="")
        email = saml.address()
        assert sign_in_by_saml(saml, login=email)[1].status_code == 302
        assert member_of(saml, email)

    def test_groups_give_roles(self, saml):
        from accounts.sso.providers import map_group

        with open_tenant(saml.tenant.pk):
            map_group(provider=saml.provider, group="it", role=Role.CONTRIBUTOR)
        email = saml.address()
        sign_in_by_saml(saml, login=email, email=email, groups="staff it")
        assert member_of(saml, email).role == Role.CONTRIBUTOR

    def test_another_tenants_provider_names_none_of_our_people(self, saml_idp, saml_keys, saml):
        metadata = saml_metadata("urn:example:saml", f"{saml_idp.url}/sso", saml_keys.certificate_text)
        theirs = set_up_saml_tenant(metadata, email_claim="email")
        email = saml.address()
        sign_in_by_saml(saml, login="ada", email=email)
        client, answer = sign_in_by_saml(theirs, login="ada", email=email)
        assert (answer.status_code, _is_in(client)) == (403, False)

    def test_an_answer_is_fetched_once_and_by_its_browser_alone(self, saml):
        client = Client()
        response = at_saml_provider(way_out(client.get(saml.path("start"))), login="a", email=saml.address())
        posted = Client().post(saml.path("acs"), {"SAMLResponse": response})
        victim = Client()
        victim.get(saml.path("start"))
        for other in (Client(), victim):
            assert other.get(posted.url).status_code == 409
            assert not _is_in(other)
        assert client.get(posted.url).status_code == 302
        assert client.get(posted.url).status_code == 409

    def test_a_step_up_forces_a_new_authentication(self, saml):
        saml.change(provider_proves_second_factor="always")
        email = saml.address()
        client, _ = sign_in_by_saml(saml, login=email, email=email)
        session = client.session
        session[PROVED_AT] = int(time.time()) - 3600
        session.save()
        out = way_out(client.get("/sso/step-up/"))
        request = decompress(base64.b64decode(parse_qs(urlsplit(out).query)["SAMLRequest"][0]), -15)
        assert etree.fromstring(request).get("ForceAuthn") == "true"
        response = at_saml_provider(out, login=email, email=email)
        posted = Client().post(saml.path("acs"), {"SAMLResponse": response})
        assert client.get(posted.url).url == "/profile/"
        assert client.session[PROVED_AT] >= time.time() - 60

    def test_our_metadata_name_the_addresses(self, saml):
        answer = Client().get(saml.path("metadata"))
        root = etree.fromstring(answer.content)
        acs = root.find(".//{*}AssertionConsumerService")
        assert answer["Content-Type"] == "application/samlmetadata+xml"
        assert root.get("entityID") == f"http://testserver{saml.path('metadata')}"
        assert acs.get("Location") == f"http://testserver{saml.path('acs')}"
        assert root.find(".//{*}SPSSODescriptor").get("WantAssertionsSigned") == "true"


class TestHostile:
    def test_the_right_one_is_accepted(self, saml, saml_keys):
        """Each test below changes one thing of this, so each can fail."""
        client, recipe = _begin(saml)
        assert _send(client, saml, encode(sign(recipe.xml(), saml_keys))).status_code == 302
        assert _is_in(client)

    def test_a_response_that_is_signed_as_well_is_accepted(self, saml, saml_keys):
        client, recipe = _begin(saml)
        once = etree.tostring(sign(recipe.xml(), saml_keys))
        assert _send(client, saml, encode(sign(once, saml_keys, what="response"))).status_code == 302

    @pytest.mark.parametrize("wrap", OF_ASSERTIONS, ids=lambda wrap: wrap.__name__)
    def test_a_wrapped_assertion_is_refused(self, saml, saml_keys, wrap):
        client, recipe = _begin(saml)
        victim = saml.address("victim")
        wrapped = wrap(sign(recipe.xml(), saml_keys), "victim", victim)
        answer = _send(client, saml, encode(wrapped))
        assert (answer.status_code, _is_in(client)) == (403, False), answer.content
        assert not Person.objects.filter(email=victim).exists()

    @pytest.mark.parametrize("wrap", OF_RESPONSES, ids=lambda wrap: wrap.__name__)
    @pytest.mark.parametrize("also_assertion", [False, True])
    def test_a_wrapped_response_is_refused(self, saml, saml_keys, wrap, also_assertion):
        client, recipe = _begin(saml)
        victim = saml.address("victim")
        inner = etree.tostring(sign(recipe.xml(), saml_keys)) if also_assertion else recipe.xml()
        wrapped = wrap(sign(inner, saml_keys, what="response"), "victim", victim)
        answer = _send(client, saml, encode(wrapped))
        assert (answer.status_code, _is_in(client)) == (403, False)
        assert not Person.objects.filter(email=victim).exists()

    def test_unsigned_and_only_outside_signed_ones_are_refused(self, saml, saml_keys):
        for make in (lambda xml: xml, lambda xml: sign(xml, saml_keys, what="response")):
            client, recipe = _begin(saml)
            assert _send(client, saml, encode(make(recipe.xml()))).status_code == 403
            assert not _is_in(client)

    def test_another_key_is_refused_though_its_certificate_comes_along(self, saml, tmp_path):
        client, recipe = _begin(saml)
        answer = _send(client, saml, encode(sign(recipe.xml(), make_keys(tmp_path))))
        assert (answer.status_code, _is_in(client)) == (403, False)

    @pytest.mark.parametrize(
        "weak",
        [
            {"method": xmlsec.Transform.RSA_SHA1},
            {"digest": xmlsec.Transform.SHA1},
            {"c14n": xmlsec.Transform.EXCL_C14N_COMMENTS},
            {"c14n": xmlsec.Transform.C14N},
            {"more": xmlsec.Transform.C14N},
        ],
        ids=["RSA-SHA1", "digest SHA-1", "comments", "inclusive", "transform"],
    )
    def test_weak_and_odd_algorithms_are_refused(self, saml, saml_keys, weak):
        client, recipe = _begin(saml)
        answer = _send(client, saml, encode(sign(recipe.xml(), saml_keys, **weak)))
        assert (answer.status_code, _is_in(client)) == (403, False)

    @pytest.mark.parametrize(
        "lie",
        [
            {"audience": "https://somebody-else.example"},
            {"audience": None},
            {"recipient": "https://somebody-else.example/acs"},
            {"recipient": None},
            {"recipient": "http://testserver/sso/?http://testserver"},
            {"destination": "https://somebody-else.example/acs"},
            {"confirmed_in_response_to": "_another"},
            {"confirmed_in_response_to": None},
            {"issuer": "urn:somebody:else"},
            {"ends": -120},
            {"confirmed_until": -120},
            {"confirmed_until": None},
            {"starts": 600, "ends": 900},
            {"method": "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"},
            {"name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"},
            {"status": "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"},
            {"email": "ada@somebody-else.example"},
            {"email": ""},
        ],
        ids=str,
    )
    def test_a_signed_lie_is_refused(self, saml, saml_keys, lie):
        client, recipe = _begin(saml)
        for name, value in lie.items():
            setattr(recipe, name, value)
        answer = _send(client, saml, encode(sign(recipe.xml(), saml_keys)))
        assert (answer.status_code, _is_in(client)) == (403, False), answer.content

    @pytest.mark.parametrize("in_response_to", [None, "_made-up"])
    def test_what_answers_no_request_of_ours_is_nothing(self, saml, saml_keys, in_response_to):
        client, recipe = _begin(saml, in_response_to=in_response_to)
        answer = _send(client, saml, encode(sign(recipe.xml(), saml_keys)))
        assert (answer.status_code, _is_in(client)) == (409, False)
        with open_tenant(saml.tenant.pk):
            assert not AuditEntry.objects.filter(outcome="failed").exists()

    def test_an_assertion_of_another_request_is_refused_in_a_new_envelope(self, saml, saml_keys):
        """Stolen and signed, but for the thief's own request only the unsigned envelope can say so."""
        _, stolen = _begin(saml)
        thief = Client()
        stolen.confirmed_in_response_to = stolen.request_id
        stolen.request_id = _request(thief, saml)
        assert _send(thief, saml, encode(sign(stolen.xml(), saml_keys))).status_code == 403
        assert not _is_in(thief)

    def test_a_response_is_taken_once(self, saml, saml_keys):
        client, recipe = _begin(saml)
        encoded = encode(sign(recipe.xml(), saml_keys))
        assert _send(client, saml, encoded).status_code == 302
        assert Client().post(saml.path("acs"), {"SAMLResponse": encoded}).status_code == 409

    def test_an_assertion_that_was_seen_is_refused_even_for_an_open_request(self, saml, saml_keys):
        client, recipe = _begin(saml)
        encoded = encode(sign(recipe.xml(), saml_keys))
        _send(client, saml, encoded)
        with open_tenant(saml.tenant.pk):
            SsoFlow.objects.update(answered_at=None, finished_at=None)
            assert SeenAssertion.objects.count() == 1
        answer = Client().post(saml.path("acs"), {"SAMLResponse": encoded})
        assert (answer.status_code, b"used before" in answer.content) == (403, True)

    def test_a_response_for_another_provider_of_ours_is_nothing_here(self, saml, saml_keys, saml_idp):
        metadata = saml_metadata("urn:example:saml", f"{saml_idp.url}/sso", saml_keys.certificate_text)
        other = set_up_saml_tenant(metadata, email_claim="email")
        _client, recipe = _begin(saml)
        posted = Client().post(other.path("acs"), {"SAMLResponse": encode(sign(recipe.xml(), saml_keys))})
        assert posted.status_code == 409

    @pytest.mark.parametrize(
        "name",
        ["{0}<!-- -->.evil.example", "{0}<?cut here?>.evil.example", "<!-- x -->{0}"],
    )
    def test_a_comment_in_a_name_is_refused(self, saml, saml_keys, name):
        """The signature holds with or without it; readers differ about where the name ends."""
        client, recipe = _begin(saml)
        signed = etree.tostring(sign(recipe.xml(), saml_keys)).decode()
        for text in (recipe.subject, recipe.email):
            cut = signed.replace(f">{text}<", f">{name.format(text[:4])}{text[4:]}<")
            assert cut != signed
            answer = _send(client, saml, encode(cut.encode()))
            assert (answer.status_code, _is_in(client)) == (409, False)

    def test_a_document_type_is_refused_before_anything_is_read(self, saml, saml_keys, tmp_path):
        secret = tmp_path / "secret"
        secret.write_text("canary")
        for prolog in (
            "<!DOCTYPE r>",
            f'<!DOCTYPE r [<!ENTITY x SYSTEM "{secret.as_uri()}">]>',
            '<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd">',
            '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        ):
            client, recipe = _begin(saml, prolog=prolog)
            recipe.subject = "&x;" if "&x" in prolog or "ENTITY x" in prolog else recipe.subject
            answer = _send(client, saml, encode(recipe.xml()))
            assert (answer.status_code, b"canary" in answer.content) == (409, False)

    @pytest.mark.parametrize(
        "garbage", ["", "%%%", "AAAA", "PHgvPg==", "x" * 500_000, base64.b64encode(b"<a>" * 100_000).decode()]
    )
    def test_what_is_no_response_gets_an_answer_and_no_error(self, saml, garbage):
        assert Client().post(saml.path("acs"), {"SAMLResponse": garbage}).status_code == 409

    def test_an_old_authentication_is_no_step_up(self, saml, saml_keys):
        saml.change(provider_proves_second_factor="always")
        client, recipe = _begin(saml)
        _send(client, saml, encode(sign(recipe.xml(), saml_keys)))
        for seconds, status in ((-600, 403), (0, 302)):
            again = Recipe(
                saml,
                _request(client, saml, "/sso/step-up/"),
                recipe.subject,
                recipe.email,
                authenticated=seconds,
            )
            assert _send(client, saml, encode(sign(again.xml(), saml_keys))).status_code == status

    def test_what_was_refused_stands_in_the_log_with_its_reason(self, saml, saml_keys):
        client, recipe = _begin(saml, audience="https://somebody-else.example")
        _send(client, saml, encode(sign(recipe.xml(), saml_keys)))
        with open_tenant(saml.tenant.pk):
            entry = AuditEntry.objects.get(act="session.sign_in")
        assert (entry.outcome, entry.actor_kind, entry.object_id) == (
            "failed",
            "stranger",
            str(saml.provider.pk),
        )
        assert b"audience" in bytes(entry.body)


class TestMetadata:
    def _set_up(self, owner_client: Client, setup: Setup, **form: str):
        return owner_client.post(f"/single-sign-on/providers/{setup.provider.pk}/set-up/", form)

    @pytest.fixture
    def client(self, saml, client_for):
        return client_for(make_ready_person(Role.OWNER, saml.tenant))

    @pytest.mark.parametrize(
        "bad",
        [
            "not xml",
            "<x/>",
            '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
            saml_metadata("urn:x", "https://idp.example/sso"),
            saml_metadata("urn:x", "javascript:alert(1)", "CERT"),
            saml_metadata("urn:x", "https://idp.example/sso", "AAAA"),
        ],
        ids=["text", "other", "entities", "no certificate", "script", "bad certificate"],
    )
    def test_unfit_metadata_are_said_at_their_field(self, saml, client, saml_keys, bad):
        answer = self._set_up(client, saml, metadata=bad.replace("CERT", saml_keys.certificate_text))
        assert answer.status_code == 422, answer.content
        with open_tenant(saml.tenant.pk):
            assert IdentityProvider.objects.get().issuer == "urn:example:saml"

    def test_a_weak_certificate_is_refused(self, saml, client, tmp_path):
        weak = make_keys(tmp_path, 1024).certificate_text
        answer = self._set_up(client, saml, metadata=saml_metadata("urn:x", "https://idp.example/sso", weak))
        assert (answer.status_code, b"2048" in answer.content) == (422, True)

    def test_two_certificates_let_the_provider_change_its_key(self, saml, client, saml_keys, tmp_path):
        new = make_keys(tmp_path)
        metadata = saml_metadata(
            "urn:example:saml", "https://idp.example/sso", saml_keys.certificate_text, new.certificate_text
        )
        assert self._set_up(client, saml, metadata=metadata).status_code == 302
        for keys in (saml_keys, new):
            browser, recipe = _begin(saml)
            assert _send(browser, saml, encode(sign(recipe.xml(), keys))).status_code == 302

    def test_an_address_inside_our_own_network_is_not_fetched(self, saml, client, settings):
        settings.OUTBOUND_NETWORKS = []
        answer = self._set_up(client, saml, metadata_url="http://127.0.0.1:9000/metadata")
        assert (answer.status_code, b"public Internet" in answer.content) == (422, True)

    def test_another_issuer_unlinks_everybody(self, saml, client, saml_keys):
        from accounts.models import ExternalIdentity

        browser, recipe = _begin(saml)
        _send(browser, saml, encode(sign(recipe.xml(), saml_keys)))
        metadata = saml_metadata("urn:another", "https://idp.example/sso", saml_keys.certificate_text)
        assert self._set_up(client, saml, metadata=metadata).status_code == 302
        with open_tenant(saml.tenant.pk):
            assert not ExternalIdentity.objects.exists()
        assert re.match("/sign-in/", browser.get("/members/").url)
