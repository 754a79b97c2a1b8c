"""ID tokens as attackers make them, from a provider that says what it is told."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from django.test import Client
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from accounts.models import IdentityProvider
from accounts.sso.models import ProviderKind
from accounts.sso.providers import add_provider, set_up_oidc
from accounts.tenancy.scope import open_tenant
from tests.accounts.sso.kit import Setup, give_domain, way_out
from tests.accounts.sso.puppet import KEY, Puppet, mac, part
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Later:
    """So many seconds after the moment when the token is made, which may be long after tests are collected."""

    seconds: int


@pytest.fixture
def puppet() -> Iterator[Puppet]:
    server = Puppet()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def setup(puppet, transactional_db) -> Setup:
    tenant = make_tenant()
    domain = give_domain(tenant)
    with open_tenant(tenant.pk):
        provider = add_provider(kind=ProviderKind.OIDC, name="Puppet")
        set_up_oidc(provider=provider, issuer=puppet.url, client_id="me", secret="a secret")
        IdentityProvider.objects.update(enabled=True)
        provider.refresh_from_db()
    return Setup(tenant, domain, provider)


class Attempt:
    """A sign-in that waits for its token."""

    def __init__(self, setup: Setup, puppet: Puppet) -> None:
        self.client, self.setup, self.puppet = Client(), setup, puppet
        query = parse_qs(urlsplit(way_out(self.client.get(setup.path("start")))).query)
        self.state, self.nonce = query["state"][0], query["nonce"][0]

    def claims(self, **other: Any) -> dict[str, Any]:
        now = int(time.time())
        right = {
            "iss": self.puppet.url, "sub": "ada", "aud": "me", "nonce": self.nonce, "iat": now, "exp": now + 300,
            "email": self.setup.address("ada"), "name": "Ada",
        }  # fmt: skip
        return {name: value for name, value in {**right, **other}.items() if value is not None}

    def token(self, key: Any = KEY, header: dict[str, Any] | None = None, **claims: Any) -> str:
        return jwt.encode(
            {"alg": "RS256", "kid": "one", **(header or {})}, self.claims(**claims), key, algorithms=None
        )

    def send(self, token: object, **more: Any) -> Any:
        self.puppet.token = {"id_token": token, "access_token": "an access token", **more}
        answer = self.client.get(
            f"{self.setup.path('callback')}?{urlencode({'state': self.state, 'code': 'c'})}"
        )
        assert ("_auth_user_id" in self.client.session) == (answer.status_code == 302)
        return answer


@pytest.fixture
def attempt(setup, puppet) -> Attempt:
    return Attempt(setup, puppet)


def test_the_right_token_is_accepted(attempt):
    """Each test below changes one thing of this, so each can fail."""
    assert attempt.send(attempt.token()).status_code == 302
    verifier = attempt.puppet.form["code_verifier"][0]
    assert (len(verifier) >= 43, attempt.puppet.form["redirect_uri"]) == (
        True,
        [f"http://testserver{attempt.setup.path('callback')}"],
    )


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None])
def test_no_signature_is_no_token(attempt, alg):
    for tail in ("", part(b"x")):
        header = {"alg": alg} if alg is not None else {}
        token = f"{part(header)}.{part(attempt.claims())}.{tail}"
        answer = Attempt(attempt.setup, attempt.puppet).send(token)
        assert answer.status_code == 403


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_no_secret(attempt, alg):
    public = KEY.raw_value.public_key() if hasattr(KEY.raw_value, "public_key") else KEY.raw_value
    secrets_ = [
        public.public_bytes(encoding, form)
        for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER)
        for form in (serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1)
    ]
    secrets_ += [b"a secret", b"", json.dumps(KEY.as_dict(private=False)).encode()]
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[alg]
    for secret in secrets_:
        one = Attempt(attempt.setup, attempt.puppet)
        assert one.send(mac({"alg": alg, "kid": "one"}, one.claims(), secret, digest)).status_code == 403


def test_a_shared_key_that_the_provider_publishes_is_none(attempt, setup, puppet):
    secret = OctKey.generate_key(256, {"kid": "oct"})
    puppet.keys = [secret.as_dict(private=True), KEY.as_dict(private=False)]
    with open_tenant(setup.tenant.pk):
        IdentityProvider.objects.update(keys={"keys": puppet.keys})
    one = Attempt(setup, puppet)
    assert one.send(mac({"alg": "HS256", "kid": "oct"}, one.claims(), secret.raw_value)).status_code == 403


def test_a_key_in_the_header_has_no_say(attempt):
    evil = RSAKey.generate_key(2048, {"kid": "one"})
    for header in (
        {"jwk": evil.as_dict(private=False)},
        {"jku": "http://127.0.0.1:1/keys"},
        {"x5u": "http://127.0.0.1:1/cert"},
        {},
    ):
        one = Attempt(attempt.setup, attempt.puppet)
        signed = f"{part({'alg': 'RS256', 'kid': 'one', **header})}.{part(one.claims())}"
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        signature = evil.raw_value.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        assert one.send(f"{signed}.{part(signature)}").status_code == 403


@pytest.mark.parametrize(
    "kid",
    ["../../../../dev/null", "' or 1=1 --", "\x00", "x" * 5000, "another", 7, ["one"], {"a": 1}, "one\n", ""],
    ids=lambda kid: repr(kid)[:20],
)
def test_a_kid_is_a_name_and_nothing_more(attempt, kid):
    claims = attempt.claims()
    signed = f"{part({'alg': 'RS256', 'kid': kid})}.{part(claims)}"
    assert attempt.send(f"{signed}.{part(b'x' * 256)}").status_code == 403


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://somebody-else.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": None},
        {"aud": ["me", "another"]},
        {"aud": ["me", "another"], "azp": "another"},
        {"azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": ["x"]},
        {"exp": None},
        {"exp": 1},
        {"exp": "2100-01-01"},
        {"exp": True},
        {"exp": Later(-120)},
        {"iat": None},
        {"iat": Later(600)},
        {"iat": Later(-86400)},
        {"nbf": Later(600)},
        {"nbf": "soon"},
        {"sub": ""},
        {"sub": None},
        {"sub": 7},
        {"sub": "x" * 256},
        {"at_hash": "bm90IGl0"},
        {"email": None},
        {"email": ["ada@x"]},
        {"email_verified": False},
        {"email_verified": "false"},
    ],
    ids=lambda lie: str(lie)[:40],
)
def test_a_signed_lie_is_refused(attempt, lie):
    now = int(time.time())
    said = {name: now + value.seconds if isinstance(value, Later) else value for name, value in lie.items()}
    assert attempt.send(attempt.token(**said)).status_code == 403


def test_an_audience_of_several_with_ours_as_the_authorized_one_is_accepted(attempt):
    assert attempt.send(attempt.token(aud=["me", "api"], azp="me")).status_code == 302


def test_the_access_tokens_hash_is_compared(attempt):
    digest = hashlib.sha256(b"an access token").digest()
    assert attempt.send(attempt.token(at_hash=part(digest[:16]))).status_code == 302


@pytest.mark.parametrize(
    "token",
    ["", None, "x", "a.b", "a.b.c", "....", "e30.e30.", "x" * 100_000, 7, ["x"]],
    ids=lambda t: str(t)[:9],
)
def test_garbage_gets_an_answer_and_no_error(attempt, token):
    assert attempt.send(token).status_code == 403


def test_userinfo_about_somebody_else_is_refused(attempt):
    attempt.puppet.info = {"sub": "somebody else", "email": attempt.setup.address("boss")}
    assert attempt.send(attempt.token(email=None)).status_code == 403


@pytest.mark.parametrize(
    ("algorithm", "make"),
    [
        ("ES256", lambda: ECKey.generate_key("P-256", {"kid": "k"})),
        ("PS256", lambda: RSAKey.generate_key(2048, {"kid": "k"})),
    ],
)
def test_other_good_signatures_are_accepted(setup, puppet, algorithm, make):
    key = make()
    puppet.keys = [key.as_dict(private=False)]
    with open_tenant(setup.tenant.pk):
        IdentityProvider.objects.update(keys={"keys": puppet.keys})
    one = Attempt(setup, puppet)
    token = jwt.encode({"alg": algorithm, "kid": "k"}, one.claims(), key, algorithms=[algorithm])
    assert one.send(token).status_code == 302


def test_a_signature_by_one_algorithm_is_none_by_another(attempt):
    token = attempt.token()
    head, body, signature = token.split(".")
    assert attempt.send(f"{part({'alg': 'PS256', 'kid': 'one'})}.{body}.{signature}").status_code == 403
    assert head


def test_unknown_keys_let_us_ask_the_provider_once_in_a_while(setup, puppet):
    before = puppet.keys_asked
    for _ in range(3):
        one = Attempt(setup, puppet)
        assert one.send(one.token(header={"kid": secrets.token_hex(4)})).status_code == 403
    assert puppet.keys_asked - before <= 1


def test_weak_keys_of_a_provider_are_left_out(setup, puppet, client_for):
    from tests.accounts.factories import make_ready_person

    weak = {"kty": "RSA", "kid": "weak", "e": "AQAB", "n": part(secrets.token_bytes(128))}
    puppet.keys = [weak]
    client = client_for(make_ready_person(tenant=setup.tenant))
    answer = client.post(
        f"/single-sign-on/providers/{setup.provider.pk}/set-up/", {"issuer": puppet.url, "client_id": "me"}
    )
    assert (answer.status_code, b"no key that is accepted" in answer.content) == (422, True)


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://somebody-else.example"},
        {"issuer": None},
        {"token_endpoint": ""},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "http://user@127.0.0.1/"},
    ],
    ids=str,
)
def test_a_discovery_document_that_is_not_the_issuers_own_is_refused(setup, puppet, client_for, discovery):
    from tests.accounts.factories import make_ready_person

    puppet.discovery = discovery
    client = client_for(make_ready_person(tenant=setup.tenant))
    answer = client.post(
        f"/single-sign-on/providers/{setup.provider.pk}/set-up/", {"issuer": puppet.url, "client_id": "me"}
    )
    assert answer.status_code == 422
    assert re.search(rb"notice is-error", answer.content)
