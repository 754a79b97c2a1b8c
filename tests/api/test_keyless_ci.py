"""A CI job's token in place of a secret: what lets a machine in, and every lie that doesn't."""

from __future__ import annotations

import json
import secrets
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from django.conf import settings as portal_settings
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import RSAKey

from accounts.clients.keyless.patterns import account_of, check_subject, matches
from accounts.clients.keyless.trusts import revoke_trust, trust_issuer
from accounts.errors import InvalidInput
from accounts.models import ApiClient, AuditEntry, ClientTrust, Membership, SpentProof
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import make_ready_person, sign_in
from tests.accounts.sso.puppet import KEY, Puppet, mac, part
from tests.api.kit import JWT, ApiMachine, exchange, last_refusal, make_machine

pytestmark = pytest.mark.django_db(transaction=True)

SUBJECT = "repo:mercy/records:ref:refs/heads/main"


@pytest.fixture(scope="module")
def issuer():
    server = Puppet()
    # A CI system signs in nobody: its discovery document names keys alone.
    server.discovery = dict.fromkeys(("authorization_endpoint", "token_endpoint", "userinfo_endpoint"))
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def machine(transactional_db, issuer):
    issuer.keys = [KEY.as_dict(private=False)]
    made = make_machine()
    trust(made, issuer)
    return made


def trust(machine: ApiMachine, issuer: Puppet, subject: str = SUBJECT, audience: str = "") -> ClientTrust:
    with open_tenant(machine.tenant.pk):
        return trust_issuer(
            client_id=machine.made.client.pk, issuer=issuer.url, audience=audience, subject=subject, by=Membership.objects.get()
        )  # fmt: skip


def claims(issuer: Puppet, **other: Any) -> dict[str, Any]:
    now = int(time.time())
    right = {
        "iss": issuer.url, "sub": SUBJECT, "aud": portal_settings.SITE_URL, "iat": now, "nbf": now, "exp": now + 300,
        "jti": secrets.token_hex(8),
    }  # fmt: skip
    return {name: value for name, value in {**right, **other}.items() if value is not None}


def job(issuer: Puppet, key: Any = KEY, header: dict[str, Any] | None = None, **other: Any) -> str:
    return jwt.encode(
        {"alg": "RS256", "kid": "one", **(header or {})}, claims(issuer, **other), key, algorithms=None
    )


def ask(machine: ApiMachine, proof: str, **more: str) -> Any:
    return exchange(machine.made.client.pk, JWT, proof, **more)


def test_a_jobs_token_gives_a_token_that_stands_for_the_job(machine, issuer):
    answer = ask(machine, job(issuer), scope="findings:read")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store"), answer.content
    said = answer.json()
    assert said["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    assert (said["token_type"], said["expires_in"], said["scope"]) == ("Bearer", 900, "findings:read")
    machine.token = said["access_token"]
    assert machine.ask("GET", "findings").status_code == 200
    assert machine.ask("GET", "audit-entries").status_code == 403
    with open_tenant(machine.tenant.pk):
        mine = AuditEntry.objects.filter(actor_id=str(machine.made.client.pk))
        assert [json.loads(bytes(entry.body))["details"]["proven"] for entry in mine] == [SUBJECT] * 3
        used = ClientTrust.objects.get()
        assert (used.last_proven, used.last_used_at is not None) == (SUBJECT, True)
        revoke_trust(client_id=machine.made.client.pk, trust_id=used.pk)
    assert machine.ask("GET", "findings").status_code == 401
    assert (ask(machine, job(issuer)).status_code, last_refusal(machine)) == (400, "no trust")
    assert machine.fetch().status_code == 200  # its secret is another way in


def test_a_signed_lie_is_refused_and_logged(machine, issuer):
    now = int(time.time())
    for lie, why in (
        ({"iss": "https://somebody-else.example"}, "issuer"), ({"iss": None}, "issuer"), ({"iss": [1]}, "issuer"),
        ({"aud": "https://github.com/mercy"}, "audience"), ({"aud": None}, "audience"), ({"aud": ""}, "audience"),
        ({"aud": [portal_settings.SITE_URL, "https://another.example"]}, "audience"),
        ({"sub": "repo:mercy/records:ref:refs/heads/other"}, "subject"), ({"sub": "repo:evil/records:ref:refs/heads/main"}, "subject"),
        ({"sub": f"{SUBJECT}\n"}, "subject"), ({"sub": None}, "subject"), ({"sub": SUBJECT * 20}, "subject"),
        ({"exp": now - 120}, "expired"), ({"exp": None}, "malformed"), ({"exp": "soon"}, "malformed"),
        ({"iat": now - 3700, "nbf": now - 3700, "exp": now + 900}, "too old"), ({"iat": None}, "malformed"),
        ({"iat": now + 900, "exp": now + 1900}, "not yet valid"), ({"nbf": now + 900}, "not yet valid"), ({"nbf": "x"}, "not yet valid"),
    ):  # fmt: skip
        answer = ask(machine, job(issuer, **lie))
        assert (answer.status_code, answer.json()["error"], last_refusal(machine)) == (
            400,
            "invalid_request",
            why,
        ), lie


def test_a_forged_signature_is_refused_and_logged(machine, issuer):
    evil = RSAKey.generate_key(2048, {"kid": "one"})
    public = KEY.raw_value.public_key() if hasattr(KEY.raw_value, "public_key") else KEY.raw_value
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    said = claims(issuer)
    head, body, signature = job(issuer).split(".")
    for proof, why in (
        (f"{part({'alg': 'none', 'kid': 'one'})}.{part(said)}.", "algorithm"),
        (f"{part({'kid': 'one'})}.{part(said)}.{signature}", "algorithm"),
        (mac({"alg": "HS256", "kid": "one"}, said, pem), "algorithm"),
        (job(issuer, evil), "signature"), (f"{head}.{part(said)}.{signature}", "signature"), (f"{head}.{body}.", "signature"),
        (job(issuer, evil, {"jwk": evil.as_dict(private=False)}), "signature"),
        (f"{part({'alg': 'RS256', 'kid': 7})}.{part(said)}.{signature}", "key id"), (f"{part({'alg': 'RS256'})}.{part(said)}.{signature}", "key id"),
        (job(issuer, header={"kid": "../../dev/null"}), "key id"), ("", "malformed"), ("a.b.c", "malformed"), ("é.é.é", "malformed"),
        (f"{part({'alg': 'RS256', 'kid': 'one'})}.{'[' * 5000}", "malformed"), (job(issuer, more="x" * 20000), "malformed"),
    ):  # fmt: skip
        answer = ask(machine, proof)
        assert (answer.status_code, last_refusal(machine)) == (400, why), proof[:60]


def test_a_token_counts_once_for_whichever_client(machine, issuer):
    other = make_machine()
    trust(other, issuer)
    for proof in (job(issuer), job(issuer, jti=None)):
        assert ask(machine, proof).status_code == 200
        assert (ask(machine, proof).status_code, last_refusal(machine)) == (400, "replay")
        assert (ask(other, proof).status_code, last_refusal(other)) == (400, "replay")
    # The same bytes written otherwise are the same token.
    proof = job(issuer, jti=None, run="another")
    assert ask(machine, proof).status_code == 200
    assert ask(machine, f"{proof}==").status_code == 400
    assert SpentProof.objects.filter(expires_at__gt=timezone.now() + timedelta(hours=1)).exists()


def test_an_audience_and_subjects_are_each_clients_own(machine, issuer):
    trust(machine, issuer, "repo:mercy/other:*", "urn:mercy")
    assert (
        ask(machine, job(issuer, aud="urn:mercy", sub="repo:mercy/other:environment:prod")).status_code == 200
    )
    assert (
        ask(machine, job(issuer, aud=["urn:mercy"], sub="repo:mercy/other:pull_request")).status_code == 200
    )
    # The subject of one trust doesn't go with the audience of another.
    assert ask(machine, job(issuer, aud="urn:mercy")).status_code == 400
    assert last_refusal(machine) == "subject"
    stranger = make_machine()
    assert (ask(stranger, job(issuer)).status_code, last_refusal(stranger)) == (400, "no trust")


def test_new_keys_of_an_issuer_are_fetched_but_not_at_every_strangers_word(machine, issuer):
    before = issuer.keys_asked
    with time_machine.travel(timezone.now(), tick=False):
        for _ in range(3):
            assert ask(machine, job(issuer, header={"kid": secrets.token_hex(4)})).status_code == 400
    assert issuer.keys_asked == before + 1
    fresh = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
    issuer.keys = [fresh.as_dict(private=False)]
    with open_tenant(machine.tenant.pk):
        ClientTrust.objects.update(keys_asked_at=timezone.now() + timedelta(hours=1))
    assert (ask(machine, job(issuer, fresh, {"kid": "two"})).status_code, last_refusal(machine)) == (
        400,
        "key id",
    )
    with open_tenant(machine.tenant.pk):
        ClientTrust.objects.update(keys_asked_at=timezone.now() - timedelta(minutes=2))
    assert ask(machine, job(issuer, fresh, {"kid": "two"})).status_code == 200
    with open_tenant(machine.tenant.pk):
        ClientTrust.objects.update(keys_asked_at=timezone.now() + timedelta(hours=1))
    assert (ask(machine, job(issuer)).status_code, last_refusal(machine)) == (400, "key id")
    # Keys are asked for again before they are old, and the old ones serve while the issuer doesn't answer.
    issuer.keys = []
    with open_tenant(machine.tenant.pk):
        ClientTrust.objects.update(keys_asked_at=None, keys_fetched_at=timezone.now() - timedelta(hours=2))
    assert ask(machine, job(issuer, fresh, {"kid": "two"})).status_code == 200
    with open_tenant(machine.tenant.pk):
        ClientTrust.objects.update(keys_asked_at=None, keys_fetched_at=timezone.now() - timedelta(days=2))
    answer = ask(machine, job(issuer, fresh, {"kid": "two"}))
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert last_refusal(machine) == "unreachable"


def test_an_exchange_that_is_none_gets_the_standards_error(machine, issuer):
    for more, error in (
        ({"subject_token_type": "urn:x"}, "invalid_request"), ({"actor_token": "x"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"audience": "https://elsewhere.example"}, "invalid_target"), ({"scope": "everything:write"}, "invalid_scope"),
    ):  # fmt: skip
        answer = ask(machine, job(issuer), **more)
        assert (answer.status_code, answer.json()["error"]) == (400, error), more
    for client_id in ("x", "", "0198c0de-0000-7000-8000-000000000000"):
        answer = exchange(client_id, JWT, job(issuer))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")
    with open_tenant(machine.tenant.pk):
        ApiClient.objects.update(networks=["192.0.2.0/24"])
    assert ask(machine, job(issuer)).status_code == 403
    assert ask(machine, job(issuer), address="192.0.2.7").status_code == 200
    answers = [ask(machine, "x", address="192.0.2.8").status_code for _ in range(12)]
    assert (answers[0], answers[-1]) == (400, 429)
    assert ask(machine, job(issuer), address="192.0.2.8").status_code == 200


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("repo:m/r:ref:refs/heads/main", ["repo:m/r:ref:refs/heads/main"], ["repo:m/r:ref:refs/heads/main2", "Repo:m/r:ref:refs/heads/main"]),
        ("repo:m/*:ref:refs/heads/main", ["repo:m/x:ref:refs/heads/main"], ["repo:m/x:environment:a:ref:refs/heads/main", "repo:n/x:ref:refs/heads/main"]),
        ("repo:m/r:*", ["repo:m/r:pull_request", "repo:m/r:environment:a:b"], ["repo:m/rr:pull_request"]),
        ("a.c", ["a.c"], ["abc"]), ("a[b]*", ["a[b]c"], ["ab"]),
    ],
)  # fmt: skip
def test_a_star_stands_within_a_part(pattern, yes, no):
    assert [matches(pattern, said) for said in (*yes, *no)] == [True] * len(yes) + [False] * len(no)


def test_a_pattern_that_strangers_could_meet_is_refused():
    github, gitlab = "https://token.actions.githubusercontent.com", "https://gitlab.com"
    for pattern, issuer in (
        ("*", "https://ci.example"), ("**", "https://ci.example"), ("*:main", "https://ci.example"), ("a*b*c*d*e*", "https://ci.example"),
        ("repo:*", github), ("repo:mercy*", github), ("repo:mercy", github), ("ref:refs/heads/main", github), ("repository_owner:mercy*", github),
        ("project_path:*", gitlab), ("project_path:mercy*", gitlab),
    ):  # fmt: skip
        with pytest.raises(InvalidInput):
            check_subject(pattern, issuer)
    for pattern, issuer in (
        ("repo:mercy/*", github), ("repo:mercy/r:environment:prod", github), ("repository_owner:mercy:*", github),
        ("project_path:mercy/r:ref_type:branch:ref:*", gitlab), ("system:serviceaccount:ns:*", "https://ci.example"),
    ):  # fmt: skip
        check_subject(pattern, issuer)
    assert account_of("arn:aws:iam::111122223333:role/push-*") == "111122223333"
    for arn in (
        "*", "arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:root", "arn:aws:iam::*:role/x", "arn:aws:iam::111122223333:user/*",
        "arn:aws:iam::111122223333:role/team/push", "arn:aws:sts::111122223333:assumed-role/x/y", "arn:aws:iam::111122223333:user/*/x",
    ):  # fmt: skip
        with pytest.raises(InvalidInput):
            account_of(arn)


def test_an_owner_makes_a_keyless_client_and_ends_what_it_trusts(machine, issuer):
    browser = sign_in(make_ready_person(Role.OWNER, machine.tenant))
    form = {"name": "Pipeline", "scopes": ["findings:read"], "days": 30, "networks": "", "keyless": "on"}
    page = browser.post("/api-clients/new/", form)["Location"]
    client_id = page.split("/")[2]
    with open_tenant(machine.tenant.pk):
        assert not ApiClient.objects.get(pk=client_id).secrets.exists()
    for given in (
        {"issuer": issuer.url, "subject": "*"}, {"issuer": "http://127.0.0.1:1", "subject": "a"}, {"issuer": "file:///etc", "subject": "a"},
        {"issuer": "http://[", "subject": "a"}, {"issuer": f"{issuer.url}/", "subject": "a"}, {},
    ):  # fmt: skip
        assert browser.post(f"{page}trusts/ci/", given).status_code == 422, given
    made = browser.post(
        f"{page}trusts/ci/", {"issuer": issuer.url, "subject": "project_path:mercy/records:*"}
    )
    assert made.status_code == 302, made.content
    shown = browser.get(made["Location"]).content.decode()
    assert all(said in shown for said in (client_id, "SURETY_ID_TOKEN", portal_settings.SITE_URL, "never"))
    answer = exchange(client_id, JWT, job(issuer, sub="project_path:mercy/records:ref:main"))
    assert answer.json()["scope"] == "findings:read"
    assert "project_path:mercy/records:ref:main" in browser.get(page).content.decode()
    assert browser.post(f"{made['Location']}revoke/").status_code == 302
    assert browser.post(f"{made['Location']}revoke/").status_code == 409
    assert exchange(client_id, JWT, job(issuer)).status_code == 400
    role = browser.post(f"{page}trusts/aws/", {"arn": "arn:aws:iam::111122223333:role/push"})
    assert "SigV4Auth" in browser.get(role["Location"]).content.decode()
    assert browser.post(f"{page}trusts/aws/", {"arn": "arn:aws:iam::111122223333:root"}).status_code == 422
