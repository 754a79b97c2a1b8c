"""A machine's own identity instead of a stored secret."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import parse_qsl

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import Session
from surety import (
    AwsIdentity,
    Client,
    FileToken,
    GitHubToken,
    IdentityMissing,
    OidcToken,
    TokenRefused,
    TokenSource,
    VariableToken,
)

from tests.clients.portal import CLIENT, CUT, RESET, Answer

JWT, STS = "urn:ietf:params:oauth:token-type:jwt", "urn:surety:token-type:aws-sts-request"


@pytest.fixture
def github(portal, monkeypatch):
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{portal.origin}/ci/token?api=2.0")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner")


def exchanged(portal) -> list[dict[str, str]]:
    return [dict(parse_qsl(seen.body.decode())) for seen in portal.asked("oauth/token")]


def push(portal, tokens: TokenSource, retry, tmp_path) -> None:
    (tmp_path / "x.txt").write_text("x")
    with Client(portal.origin, token_source=tokens, retry=retry) as client:
        client.push(tmp_path / "x.txt")


def test_github_actions_tells_the_portal_who_runs(kept, portal, github, retry, tmp_path):
    tokens = kept(
        OidcToken(portal.origin, CLIENT, GitHubToken(retry=retry), scope=["submissions:push"], retry=retry)
    )
    push(portal, tokens, retry, tmp_path)
    assert exchanged(portal) == [
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "client_id": CLIENT,
            "subject_token_type": JWT,
            "subject_token": f"jwt for {portal.origin} in 2.0",
            "scope": "submissions:push",
        }
    ]
    assert "authorization" not in portal.asked("oauth/token")[0].headers
    assert tokens.scopes == ("submissions:push",)


def test_a_proof_is_made_anew_for_each_attempt(kept, portal, github, retry, tmp_path):
    portal.fail("token", Answer(200, {"value": "first"}), CUT)
    push(
        portal, kept(OidcToken(portal.origin, CLIENT, GitHubToken(retry=retry), retry=retry)), retry, tmp_path
    )
    assert len(portal.asked("/ci/token")) == len(exchanged(portal)) == 2


def test_a_job_without_an_identity_says_what_it_needs(kept, portal, github, retry, monkeypatch):
    tokens = kept(OidcToken(portal.origin, CLIENT, GitHubToken(retry=retry), retry=retry))
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "other")
    with pytest.raises(IdentityMissing, match="401"):
        tokens.token()
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    with pytest.raises(IdentityMissing, match="id-token: write"):
        tokens.token()
    with pytest.raises(IdentityMissing, match=f"SURETY_ID_TOKEN: aud: {re.escape(portal.origin)}"):
        kept(OidcToken(portal.origin, CLIENT, VariableToken(), retry=retry)).token()


def test_gitlabs_variable_and_a_file_are_read_when_they_are_needed(
    kept, portal, retry, monkeypatch, tmp_path
):
    file = tmp_path / "token"
    tokens = kept(OidcToken(portal.origin, CLIENT, FileToken(file), retry=retry))
    with pytest.raises(IdentityMissing, match="No such file"):
        tokens.token()
    for text in ("one\n", "two\n"):
        file.write_text(text)
        tokens.forget()
        tokens.token()
    monkeypatch.setenv("SURETY_ID_TOKEN", "three")
    kept(OidcToken(portal.origin, CLIENT, VariableToken(), retry=retry)).token()
    assert [form["subject_token"] for form in exchanged(portal)] == ["one", "two", "three"]


def test_what_the_portal_refuses_is_said_in_its_words(kept, portal, retry, monkeypatch, waits):
    monkeypatch.setenv("SURETY_ID_TOKEN", "header.payload.signature")
    tokens = kept(OidcToken(portal.origin, CLIENT, VariableToken(), retry=retry))
    refusal = {"error": "invalid_request", "error_description": "The token is for another audience (aud)."}
    portal.fail("token", Answer(400, refusal))
    with pytest.raises(TokenRefused, match=r"invalid_request: The token is for another audience") as raised:
        tokens.token()
    assert waits == []
    portal.fail("token", *[Answer(503, {"error": "temporarily_unavailable"})] * 7)
    with pytest.raises(TokenRefused, match="temporarily_unavailable"):
        tokens.token()
    assert len(waits) == 6
    assert "signature" not in f"{tokens!r} {raised.value!r}"


@pytest.fixture
def role() -> Session:
    session = Session()
    session.set_credentials(
        "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "session-token"
    )
    return session


def test_an_aws_role_signs_a_request_for_this_portal_and_this_nonce_alone(
    kept, portal, retry, role, tmp_path
):
    tokens = kept(AwsIdentity(portal.origin, CLIENT, region="eu-central-1", session=role, retry=retry))
    push(portal, tokens, retry, tmp_path)
    [form] = exchanged(portal)
    assert (form["subject_token_type"], form["client_id"]) == (STS, CLIENT)
    text = form["subject_token"]
    signed = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    assert (signed["method"], signed["url"]) == ("POST", "https://sts.eu-central-1.amazonaws.com/")
    assert signed["body"] == "Action=GetCallerIdentity&Version=2011-06-15"
    assert signed["headers"]["X-Surety-Audience"] == portal.origin
    assert [signed["headers"]["X-Surety-Nonce"]] == portal.nonces
    assert "x-surety-audience;x-surety-nonce" in signed["headers"]["Authorization"]
    assert signature_of(signed, role) == signed["headers"]["Authorization"]
    assert "EXAMPLEKEY" not in f"{signed} {tokens!r} {vars(tokens)}"


def signature_of(signed: dict, role: Session) -> str:
    """What AWS reckons from the request as it is sent on."""
    request = AWSRequest(
        method=signed["method"], url=signed["url"], headers=signed["headers"], data=signed["body"]
    )
    request.context["timestamp"] = signed["headers"]["X-Amz-Date"]
    signer = SigV4Auth(role.get_credentials(), "sts", "eu-central-1")
    del request.headers["Authorization"]
    given = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    names = signer.signed_headers(signer.headers_to_sign(request))
    return f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, Signature={given}"


def test_a_lost_answer_costs_a_nonce_and_not_the_push(kept, portal, retry, role, tmp_path):
    portal.fail("token", RESET)
    push(
        portal,
        kept(AwsIdentity(portal.origin, CLIENT, region="us-east-1", session=role, retry=retry)),
        retry,
        tmp_path,
    )
    first, second = (form["subject_token"] for form in exchanged(portal))
    assert first != second and len(set(portal.nonces)) == 2


def test_a_machine_without_a_role_says_so(kept, portal, retry, monkeypatch):
    tokens = kept(AwsIdentity(portal.origin, CLIENT, region="us-east-1", session=NoRole(), retry=retry))
    with pytest.raises(IdentityMissing, match="No AWS identity"):
        tokens.token()
    assert not exchanged(portal)


class NoRole(Session):
    def get_credentials(self) -> None:
        return None
