"""OpenID Connect Core 1.0 as a relying party: authorization code with PKCE (RFC 7636), and nothing else.

Knows no database. All requests go through accounts.outbound, since a tenant names the provider.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from accounts.errors import InvalidInput
from accounts.outbound import UnreachableError, check_url, fetch
from accounts.sso.facts import SKEW, Asserted, RefusedAssertion, moment, words

SECONDS = 8.0
SCOPES = "openid email profile"
OLDEST_TOKEN = timedelta(minutes=10)
LONGEST_TOKEN = 64 << 10
SMALLEST_RSA_BITS = 2048
LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0 section 2
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}
_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC"}
ALGORITHMS = tuple(f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in _HASHES)
"""Signatures that are believed: asymmetric ones alone, so that no public key can serve as a secret."""
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Client:
    """This portal as the provider knows it."""

    issuer: str
    client_id: str
    secret: str
    redirect_uri: str
    endpoints: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint gave."""

    id_token: str
    access_token: str


class UnknownKeyError(RefusedAssertion):
    """The token is signed by a key that isn't in the set: the provider may have changed its keys."""


def discover(issuer: str) -> dict[str, Any]:
    """The provider's endpoints, as OpenID Connect Discovery 1.0 tells them.

    Raises InvalidInput where the document isn't the issuer's own, UnsafeAddressError, UnreachableError.
    """
    said = _document(issuer)
    endpoints = {name: str(said.get(name, "")) for name in (*ENDPOINTS, "userinfo_endpoint")}
    for name in ENDPOINTS:
        if not endpoints[name]:
            raise InvalidInput(f"The provider's document lacks its {name}.", field="issuer")
    for url in filter(None, endpoints.values()):
        check_url(url)
    methods = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    sends_issuer = said.get("authorization_response_iss_parameter_supported") is True
    return {**endpoints, "token_endpoint_auth_methods": words(methods), "sends_issuer": sends_issuer}


def issuer_keys(issuer: str) -> dict[str, Any]:
    """The keys of an issuer that signs in nobody, such as a CI system: no other endpoint is asked for.

    Raises InvalidInput, UnsafeAddressError, UnreachableError.
    """
    url = str(_document(issuer).get("jwks_uri") or "")
    check_url(url)
    return fetch_keys({"jwks_uri": url})


def fetch_keys(endpoints: Mapping[str, Any]) -> dict[str, Any]:
    """The provider's JWK set, without what is no public key for signatures."""
    keys = _json(str(endpoints["jwks_uri"])).get("keys")
    if not isinstance(keys, list):
        raise UnreachableError("The provider's keys are no JWK set (RFC 7517).")
    return {"keys": [key for key in keys if isinstance(key, dict) and _is_for_signatures(key)]}


def authorization_url(
    client: Client, *, state: str, nonce: str, verifier: str, again: bool = False, hint: str = ""
) -> str:
    """Where to send the browser. `again` asks the person to prove themselves anew; `hint` is their address."""
    challenge = _unpadded(hashlib.sha256(verifier.encode()).digest())
    query = {
        "response_type": "code", "client_id": client.client_id, "redirect_uri": client.redirect_uri,
        "scope": SCOPES, "state": state, "nonce": nonce, "code_challenge": challenge, "code_challenge_method": "S256",
        **({"prompt": "login", "max_age": "0"} if again else {}), **({"login_hint": hint} if hint else {}),
    }  # fmt: skip
    endpoint = str(client.endpoints["authorization_endpoint"])
    return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"


def redeem(client: Client, *, code: str, verifier: str) -> Tokens:
    """Exchanges the code. Raises RefusedAssertion where the provider refuses, UnreachableError."""
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": client.redirect_uri,
        "code_verifier": verifier, "client_id": client.client_id,
    }  # fmt: skip
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    methods = client.endpoints.get("token_endpoint_auth_methods") or ()
    if client.secret and ("client_secret_basic" in methods or "client_secret_post" not in methods):
        pair = f"{quote(client.client_id, safe='')}:{quote(client.secret, safe='')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    elif client.secret:
        form["client_secret"] = client.secret
    answer = fetch(
        str(client.endpoints["token_endpoint"]),
        method="POST",
        headers=headers,
        content=urlencode(form).encode(),
        seconds=SECONDS,
    )
    said = _object(answer.body)
    if answer.status != 200:  # noqa: PLR2004 (HTTP's own)
        raise RefusedAssertion(f"The provider refused the exchange of the code: {_error_of(said)}.")
    return Tokens(str(said.get("id_token") or ""), str(said.get("access_token") or ""))


def verify_id_token(
    client: Client, tokens: Tokens, keys: Mapping[str, Any], *, nonce: str, now: datetime
) -> dict[str, Any]:
    """The claims of an ID token that holds in every respect (OpenID Connect Core 1.0 section 3.1.3.7).

    Raises UnknownKeyError where the keys should be fetched anew, RefusedAssertion.
    """
    if not tokens.id_token or len(tokens.id_token) > LONGEST_TOKEN:
        raise RefusedAssertion("The provider gave no ID token.")
    header = header_of(tokens.id_token)
    algorithm = str(header.get("alg"))
    if algorithm not in ALGORITHMS:
        raise RefusedAssertion(f"The ID token is signed by {algorithm[:20]!r}, which isn't accepted.")
    key = key_for(header, algorithm, keys)
    try:
        claims = jwt.decode(tokens.id_token, key, algorithms=[algorithm]).claims
    except (JoseError, ValueError) as error:
        raise RefusedAssertion("The signature of the ID token doesn't hold.") from error
    _check_parties(client, claims, nonce)
    _check_times(claims, now)
    _check_access_token(claims, tokens.access_token, algorithm)
    return claims


def userinfo(client: Client, tokens: Tokens, subject: str) -> dict[str, Any]:
    """The claims of the UserInfo endpoint, which must be about the same subject; {} where there is none."""
    endpoint = str(client.endpoints.get("userinfo_endpoint") or "")
    if not endpoint or not tokens.access_token:
        return {}
    answer = fetch(endpoint, headers={"Authorization": f"Bearer {tokens.access_token}"}, seconds=SECONDS)
    said = _object(answer.body)
    if answer.status != 200 or said.get("sub") != subject:  # noqa: PLR2004 (HTTP's own)
        raise RefusedAssertion("The provider's UserInfo isn't about the person of the ID token.")
    return said


def asserted(claims: Mapping[str, Any], *, email_claim: str, groups_claim: str) -> Asserted:
    """What the claims say of the person. An address that the provider calls unverified is none."""
    email = _claim(claims, email_claim)
    if claims.get("email_verified") in {False, "false"} and email_claim == "email":
        raise RefusedAssertion("The provider says that the e-mail address isn't verified.")
    given = f"{_text(claims, 'given_name')} {_text(claims, 'family_name')}".strip()
    return Asserted(
        subject=_text(claims, "sub"),
        email=email if isinstance(email, str) else "",
        name=(_text(claims, "name") or given)[:200],
        groups=words(_claim(claims, groups_claim)) if groups_claim else (),
        methods=(*words(claims.get("amr")), *words(claims.get("acr"))),
        authenticated_at=moment(claims.get("auth_time")),
    )


def _check_parties(client: Client, claims: Mapping[str, Any], nonce: str) -> None:
    audience = words(claims.get("aud"))
    if claims.get("iss") != client.issuer:
        raise RefusedAssertion("The ID token is another issuer's.")
    if client.client_id not in audience:
        raise RefusedAssertion("The ID token is for another client.")
    if (len(audience) > 1 or "azp" in claims) and claims.get("azp") != client.client_id:
        raise RefusedAssertion("The ID token was given to another party (azp).")
    if not hmac.compare_digest(_text(claims, "nonce").encode(), nonce.encode()):
        raise RefusedAssertion("The ID token answers another request (nonce).")
    if not 0 < len(_text(claims, "sub")) <= LONGEST_SUBJECT:
        raise RefusedAssertion("The ID token names no subject.")


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    ends, issued = moment(claims.get("exp")), moment(claims.get("iat"))
    if ends is None or issued is None:
        raise RefusedAssertion("The ID token lacks its times (exp, iat).")
    if ends <= now - SKEW:
        raise RefusedAssertion("The ID token has expired.")
    if issued > now + SKEW or issued < now - OLDEST_TOKEN:
        raise RefusedAssertion("The ID token wasn't made now: check the provider's clock.")
    begins = claims.get("nbf")
    if begins is not None and ((since := moment(begins)) is None or since > now + SKEW):
        raise RefusedAssertion("The ID token doesn't hold yet.")


def _check_access_token(claims: Mapping[str, Any], access_token: str, algorithm: str) -> None:
    said = claims.get("at_hash")
    if said is None:
        return
    digest = _HASHES[algorithm[2:]](access_token.encode()).digest()
    if not hmac.compare_digest(_unpadded(digest[: len(digest) // 2]).encode(), str(said).encode()):
        raise RefusedAssertion("The access token isn't the one of the ID token (at_hash).")


def key_for(header: Mapping[str, Any], algorithm: str, keys: Mapping[str, Any]) -> RSAKey | ECKey:
    """The one key of the set that the token can be signed by. Nothing else in the header has a say.

    Raises UnknownKeyError, RefusedAssertion.
    """
    kid = header.get("kid")
    fitting = [
        key
        for key in keys.get("keys", ())
        if key.get("kty") == _KEY_TYPES[algorithm[:2]]
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]
    if len(fitting) != 1:
        raise UnknownKeyError("The ID token is signed by a key that the provider doesn't publish.")
    try:
        key = JWKRegistry.import_key(fitting[0])
    except (JoseError, ValueError, TypeError) as error:
        raise RefusedAssertion("The provider's key can't be read.") from error
    if not isinstance(key, RSAKey | ECKey):
        raise RefusedAssertion("The provider's key is of a kind that isn't accepted.")
    return key


def _is_for_signatures(key: Mapping[str, Any]) -> bool:
    if key.get("kty") not in _KEY_TYPES.values() or key.get("use", "sig") != "sig":
        return False
    return key["kty"] != "RSA" or _bits(str(key.get("n", ""))) >= SMALLEST_RSA_BITS


def _bits(number: str) -> int:
    return int.from_bytes(_decoded(number), "big").bit_length()


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def header_of(token: str) -> dict[str, Any]:
    """What a token says of itself. Raises RefusedAssertion."""
    try:
        return _object(_decoded(token.partition(".")[0]))
    except (ValueError, UnreachableError) as error:
        raise RefusedAssertion("The ID token can't be read.") from error


def unverified_claims(token: str) -> dict[str, Any]:
    """What a token claims before anything of it is believed. Raises RefusedAssertion."""
    try:
        return _object(_decoded(token.split(".")[1]))
    except (IndexError, ValueError, UnreachableError) as error:
        raise RefusedAssertion("The token can't be read.") from error


def _document(issuer: str) -> dict[str, Any]:
    parts = urlsplit(issuer)
    check_url(issuer)
    if parts.query or parts.fragment:
        raise InvalidInput("An issuer has no query and no fragment.", field="issuer")
    said = _json(issuer.rstrip("/") + "/.well-known/openid-configuration")
    if said.get("issuer") != issuer:
        own = str(said.get("issuer", ""))[:200]
        raise InvalidInput(f"The provider there calls itself {own!r}: enter exactly this.", field="issuer")
    return said


def _claim(claims: Mapping[str, Any], name: str) -> object:
    """A claim by its name, or by its path ("realm_access.roles")."""
    if name in claims:
        return claims[name]
    found: object = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _text(claims: Mapping[str, Any], name: str) -> str:
    said = claims.get(name)
    return said if isinstance(said, str) else ""


def _error_of(said: Mapping[str, Any]) -> str:
    return "".join(sign for sign in _text(said, "error") if sign.isalnum() or sign == "_")[:60] or "no reason"


def _json(url: str) -> dict[str, Any]:
    answer = fetch(url, headers={"Accept": "application/json"}, seconds=SECONDS)
    if answer.status != 200:  # noqa: PLR2004 (HTTP's own)
        raise UnreachableError(f"{url} answers {answer.status}.")
    return _object(answer.body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreachableError("The provider's answer is no JSON.") from error
    if not isinstance(said, dict):
        raise UnreachableError("The provider's answer is no JSON object.")
    return said


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
