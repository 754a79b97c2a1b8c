"""The OpenID Connect token of a CI system's job as a proof (RFC 8693; OpenID Connect Core 1.0 section 3.1.3.7).

Signatures and keys are accounts.sso.oidc's: asymmetric algorithms alone, keys from the issuer's own discovery
document, nothing of the token's header but the name of the key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from accounts.clients.keyless.patterns import matches
from accounts.clients.keyless.proofs import LONGEST_PROOF, Proof, RefusedProof, Why, spend
from accounts.errors import InvalidInput, Unavailable
from accounts.models import ClientTrust
from accounts.sso import oidc
from accounts.sso.facts import SKEW, RefusedAssertion, moment, words
from accounts.tenancy.scope import open_tenant

OLDEST = timedelta(hours=1)
"""How long after its making a token is taken, whatever its own end."""
ASKED_AGAIN_AFTER = timedelta(minutes=1)
KEYS_FRESH, KEYS_LAST = timedelta(minutes=10), timedelta(days=1)
MOST_KEYS = 100


def prove_job(tenant_id: UUID, trusts: Sequence[ClientTrust], token: str) -> Proof:
    """Who the token says runs there, once; asks the issuer for its keys. Raises RefusedProof."""
    now = timezone.now()
    try:
        header, issuer = oidc.header_of(token), _text(oidc.unverified_claims(token), "iss")
    except RefusedAssertion as error:
        raise RefusedProof(Why.MALFORMED, "The token can't be read.") from error
    if len(token) > LONGEST_PROOF:
        raise RefusedProof(Why.MALFORMED, f"The token is longer than {LONGEST_PROOF} characters.")
    mine = [trust for trust in trusts if trust.issuer == issuer]
    if not mine:
        raise RefusedProof(Why.ISSUER, "The client trusts another issuer (iss).", issuer=issuer)
    claims = _verified(tenant_id, mine[0], token, header, now)
    _check_times(claims, now)
    trust = _fitting(mine, claims)
    _spend(token, claims, now)
    return Proof(trust, _text(claims, "sub"), {"issuer": issuer})


def fetch_keys(issuer: str) -> dict[str, Any]:
    """The issuer's keys. Raises InvalidInput where it publishes none that is accepted, UnreachableError."""
    keys = oidc.issuer_keys(issuer)
    if not 0 < len(keys["keys"]) <= MOST_KEYS:
        raise InvalidInput("The issuer publishes no key that is accepted.", field="issuer")
    return keys


def _verified(
    tenant_id: UUID, trust: ClientTrust, token: str, header: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in oidc.ALGORITHMS:
        raise RefusedProof(Why.ALGORITHM, "The token's algorithm (alg) is not accepted.", algorithm=algorithm)
    if not isinstance(kid, str) or not kid:
        raise RefusedProof(Why.KEY_ID, "The token doesn't name its key (kid).")
    key = _key(tenant_id, trust, header, str(algorithm), now)
    try:
        return jwt.decode(token, key, algorithms=[str(algorithm)]).claims
    except (JoseError, ValueError) as error:
        raise RefusedProof(Why.SIGNATURE, "The token's signature doesn't hold.", key_id=kid) from error


def _key(
    tenant_id: UUID, trust: ClientTrust, header: Mapping[str, Any], algorithm: str, now: datetime
) -> RSAKey | ECKey:
    """The key that the token names. The issuer is asked again for a name it didn't have, once a minute."""
    kept, age = _find(header, algorithm, trust.keys), now - (trust.keys_fetched_at or now - KEYS_LAST)
    if kept and age < KEYS_FRESH:
        return kept
    if not _may_ask(tenant_id, trust, now):
        if kept and age < KEYS_LAST:
            return kept
        if kept:
            raise RefusedProof(Why.UNREACHABLE, "The issuer's keys are being fetched: try again in a minute.")
        raise _unknown(header)
    try:
        keys = fetch_keys(trust.issuer)
    except (InvalidInput, Unavailable) as error:
        if kept and age < KEYS_LAST:
            return kept
        raise RefusedProof(
            Why.UNREACHABLE, "The issuer's keys can't be fetched now.", issuer=trust.issuer
        ) from error
    with open_tenant(tenant_id):
        ClientTrust.objects.filter(pk=trust.pk).update(keys=keys, keys_fetched_at=now)
    found = _find(header, algorithm, keys)
    if found is None:
        raise _unknown(header)
    return found


def _find(header: Mapping[str, Any], algorithm: str, keys: Mapping[str, Any]) -> RSAKey | ECKey | None:
    try:
        return oidc.key_for(header, algorithm, keys)
    except RefusedAssertion:
        return None


def _unknown(header: Mapping[str, Any]) -> RefusedProof:
    return RefusedProof(Why.KEY_ID, "The issuer publishes no such key (kid).", key_id=header.get("kid"))


def _may_ask(tenant_id: UUID, trust: ClientTrust, now: datetime) -> bool:
    waited = Q(keys_asked_at=None) | Q(keys_asked_at__lt=now - ASKED_AGAIN_AFTER)
    with open_tenant(tenant_id):
        return ClientTrust.objects.filter(waited, pk=trust.pk).update(keys_asked_at=now) == 1


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    ends, issued = moment(claims.get("exp")), moment(claims.get("iat"))
    if ends is None or issued is None:
        raise RefusedProof(Why.MALFORMED, "The token lacks its times (exp, iat).")
    if ends <= now - SKEW:
        raise RefusedProof(Why.EXPIRED, "The token has expired (exp).", expired_at=ends.isoformat())
    if issued < now - OLDEST:
        raise RefusedProof(
            Why.TOO_OLD, "The token is more than an hour old (iat).", made_at=issued.isoformat()
        )
    since = moment(claims.get("nbf", claims["iat"]))
    if since is None or max(since, issued) > now + SKEW:
        raise RefusedProof(Why.NOT_YET, "The token doesn't hold yet (nbf, iat).")


def _fitting(trusts: Sequence[ClientTrust], claims: Mapping[str, Any]) -> ClientTrust:
    """The trust whose audience and subject the token has. One for several audiences could come from any of them."""
    audience, subject = words(claims.get("aud")), _text(claims, "sub")
    ours = settings.SITE_URL.rstrip("/")
    heard = [trust for trust in trusts if audience == (trust.audience or ours,)]
    if not heard:
        raise RefusedProof(
            Why.AUDIENCE,
            "The token is for another audience (aud).",
            audience=" ".join(audience),
            subject=subject,
        )
    for trust in heard:
        if 0 < len(subject) <= oidc.LONGEST_SUBJECT and matches(trust.subject, subject):
            return trust
    raise RefusedProof(Why.SUBJECT, "The client doesn't trust the token's subject (sub).", subject=subject)


def _spend(token: str, claims: Mapping[str, Any], now: datetime) -> None:
    """By the token's own name (jti), else by all that was signed: a signature can be written in more than one way."""
    name = claims.get("jti")
    signed = token.rpartition(".")[0]
    own = f"jti {name}" if isinstance(name, str) and name else hashlib.sha256(signed.encode()).hexdigest()
    spend("oidc", _text(claims, "iss"), own, until=now + OLDEST + 3 * SKEW)


def _text(claims: Mapping[str, Any], name: str) -> str:
    said = claims.get(name)
    return said if isinstance(said, str) else ""
