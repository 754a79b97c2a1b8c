"""Round trips to an identity provider: begun by a browser, answered once, finished by the same browser.

A round trip is a row, and the browser holds a random value in a cookie whose digest the row keeps. So an answer
that an attacker got for their own account can't be put into somebody else's browser (login CSRF), and none is
used twice. Requests to the provider happen between transactions, never inside one.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Person
from accounts.sso import oidc, saml
from accounts.sso.facts import SKEW, Asserted, FlowOver, RefusedAssertion
from accounts.sso.models import IdentityProvider, Purpose, SeenAssertion, SsoFlow
from accounts.sso.providers import client_of, find_provider, parties_of, renew_keys
from accounts.tenancy.scope import open_tenant

LASTS = timedelta(minutes=10)
KEYS_ANEW_AFTER = timedelta(seconds=10)
"""How soon an unknown key's name makes the keys be fetched again: strangers could else let us fetch all day."""
_OVER = "This sign-in was finished, took longer than ten minutes, or began in another browser. Begin again."


@dataclass(frozen=True, slots=True)
class Begun:
    """A round trip that begins: where the browser goes, and what its cookie holds."""

    url: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A round trip that ended well."""

    flow: SsoFlow
    asserted: Asserted


def begin_flow(
    *,
    provider: IdentityProvider,
    purpose: Purpose,
    wanted: str = "",
    person: Person | None = None,
    hint: str = "",
) -> Begun:
    """Begins a round trip; inside the tenant."""
    now, cookie, again = timezone.now(), secrets.token_urlsafe(32), purpose is Purpose.STEP_UP
    nonce, verifier, handle = secrets.token_urlsafe(32), secrets.token_urlsafe(48), secrets.token_urlsafe(32)
    if provider.is_oidc:
        url = oidc.authorization_url(
            client_of(provider), state=handle, nonce=nonce, verifier=verifier, again=again, hint=hint
        )
    else:
        begun = saml.begin(parties_of(provider), again=again)
        url, handle = begun.url, begun.request_id
    SsoFlow.objects.filter(expires_at__lt=now).delete()
    SsoFlow.objects.create(
        provider=provider, purpose=purpose, handle=handle, browser=_digest(cookie), nonce=nonce, verifier=verifier,
        wanted=wanted[:2000], person=person, created_at=now, expires_at=now + LASTS,
    )  # fmt: skip
    return Begun(url, cookie)


def finish_oidc(
    *, tenant_id: UUID, provider_id: UUID, state: str, cookie: str, code: str, error: str, issuer: str
) -> Finished:
    """What an OIDC provider's answer by redirect is worth; opens the tenant itself.

    `error` and `issuer` as the provider sent them (RFC 6749, RFC 9207). Raises FlowOver, RefusedAssertion,
    UnreachableError.
    """
    with open_tenant(tenant_id):
        provider = find_provider(provider_id)
        flow = _take(SsoFlow.objects.filter(provider=provider, handle=state), cookie)
    if error or not code:
        said = "".join(sign for sign in error if sign.isalnum() or sign == "_")[:60] or "no code"
        raise RefusedAssertion(f"The provider refused the sign-in: {said}.")
    if (issuer or provider.endpoints.get("sends_issuer")) and issuer != provider.issuer:
        raise RefusedAssertion("The answer comes from another provider (RFC 9207).")
    client = client_of(provider)
    tokens = oidc.redeem(client, code=code, verifier=flow.verifier)
    claims = _claims(provider, client, tokens, flow.nonce)
    if provider.email_claim not in claims or (provider.groups_claim and provider.groups_claim not in claims):
        # What the ID token says was signed, so it stands over what the UserInfo adds.
        claims = {**oidc.userinfo(client, tokens, claims["sub"]), **claims}
    asserted = oidc.asserted(claims, email_claim=provider.email_claim, groups_claim=provider.groups_claim)
    _require_fresh(flow, asserted)
    return Finished(flow, asserted)


def answer_saml(*, provider: IdentityProvider, encoded: str) -> None:
    """Verifies a SAML response and keeps it for the browser to fetch; inside the tenant.

    Raises RefusedAssertion; FlowOver for an answer to nothing that was asked, which strangers can send as they like.
    """
    now = timezone.now()
    try:
        request_id = saml.request_of(encoded)
    except RefusedAssertion as error:
        raise FlowOver(str(error)) from error
    flow = SsoFlow.objects.select_for_update().filter(provider=provider, handle=request_id).first()
    if flow is None or not flow.is_open(now) or flow.answered_at:
        raise FlowOver(_OVER)
    verified = saml.verify(
        parties_of(provider),
        encoded,
        request_id=request_id,
        email_attribute=provider.email_claim,
        groups_attribute=provider.groups_claim,
        now=now,
    )
    _require_fresh(flow, verified.asserted)
    _note_assertion(provider, verified, now)
    flow.answered_at, flow.asserted = now, verified.asserted.as_json()
    flow.save(update_fields=["answered_at", "asserted"])


def finish_saml(*, tenant_id: UUID, provider_id: UUID, cookie: str) -> Finished:
    """What the browser's SAML round trip brought; opens the tenant itself. Raises FlowOver."""
    with open_tenant(tenant_id):
        provider = find_provider(provider_id)
        flow = _take(SsoFlow.objects.filter(provider=provider).exclude(answered_at=None), cookie)
    return Finished(flow, Asserted.from_json(flow.asserted or {}))


def _take(among: Any, cookie: str) -> SsoFlow:
    """The one round trip of the browser, which is over with this."""
    flow: SsoFlow | None = among.filter(browser=_digest(cookie)).select_for_update().first()
    if not cookie or flow is None or not flow.is_open(timezone.now()):
        raise FlowOver(_OVER)
    flow.finished_at = timezone.now()
    flow.save(update_fields=["finished_at"])
    return flow


def _claims(
    provider: IdentityProvider, client: oidc.Client, tokens: oidc.Tokens, nonce: str
) -> dict[str, Any]:
    now = timezone.now()
    try:
        return oidc.verify_id_token(client, tokens, provider.keys, nonce=nonce, now=now)
    except oidc.UnknownKeyError:
        if provider.keys_fetched_at and now - provider.keys_fetched_at < KEYS_ANEW_AFTER:
            raise
    keys = oidc.fetch_keys(provider.endpoints)
    with open_tenant(cast("UUID", provider.tenant_id)):
        renew_keys(provider=provider, keys=keys)
    return oidc.verify_id_token(client, tokens, keys, nonce=nonce, now=now)


def _require_fresh(flow: SsoFlow, asserted: Asserted) -> None:
    """A step-up counts only where the provider says that the person proved themselves after it was asked."""
    if flow.purpose != Purpose.STEP_UP:
        return
    at: datetime | None = asserted.authenticated_at
    if at is None or at < flow.created_at - SKEW:
        raise RefusedAssertion(
            "The provider didn't ask you to prove yourself again (auth_time, AuthnInstant)."
        )


def _note_assertion(provider: IdentityProvider, verified: saml.Verified, now: datetime) -> None:
    SeenAssertion.objects.filter(expires_at__lt=now - LASTS).delete()
    try:
        with transaction.atomic():
            SeenAssertion.objects.create(
                provider=provider,
                digest=_digest(verified.assertion_id),
                subject=verified.asserted.subject,
                expires_at=verified.ends_at + SKEW,
            )
    except IntegrityError as error:
        raise RefusedAssertion("This assertion was used before.") from error


def _digest(said: str) -> bytes:
    return hashlib.sha256(said.encode()).digest()
