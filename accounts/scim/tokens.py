"""Tokens of provisioning: made by an owner, shown once, two at a time so that they can be exchanged."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound, TooManyRequests, Unauthenticated
from accounts.models import Membership, ScimToken, Tenant
from accounts.tenancy.scope import current_tenant_id, open_tenant
from accounts.tenancy.unscoped import scim_tenant

PREFIX = "surety_scim_"
"""How a token begins, so that scanners for leaked secrets know one."""
MOST_LIVE = 2
LONGEST_DAYS = 366
_MINUTE = timedelta(minutes=1)


class TokenFound(NamedTuple):
    """A token and where it belongs."""

    tenant_id: UUID
    token: ScimToken


@dataclass(frozen=True, slots=True)
class TokenMade:
    """A new token and its text, which is kept nowhere."""

    token: ScimToken
    text: str


def create_token(*, name: str, days: int, by: Membership) -> TokenMade:
    """Makes a token that lives for some days, 366 at most.

    Raises InvalidInput, or Conflict where two are live already.
    """
    if not name.strip():
        raise InvalidInput("Say what the token is for.", field="name")
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(f"Choose between 1 and {LONGEST_DAYS} days.", field="days")
    now = timezone.now()
    Tenant.objects.select_for_update().get(pk=current_tenant_id())
    if ScimToken.objects.filter(revoked_at=None, expires_at__gt=now).count() >= MOST_LIVE:
        raise Conflict("Two tokens are live already. Revoke the one that is no longer used.")
    text = PREFIX + secrets.token_urlsafe(32)
    token = ScimToken.objects.create(
        name=name.strip(), token_digest=_digest(text), created_by_id=by.person_id,
        expires_at=now + timedelta(days=days),
    )  # fmt: skip
    record(
        Act.PROVISIONING_TOKEN_CREATE,
        object_type="scim_token",
        object_id=token.pk,
        name=token.name,
        days=days,
    )
    return TokenMade(token, text)


def revoke_token(*, token_id: UUID) -> None:
    """Ends a token; its next request is refused. Raises NotFound, or Conflict where it is revoked already."""
    token = ScimToken.objects.filter(pk=token_id).select_for_update().first()
    if token is None:
        raise NotFound("There is no such token.")
    if token.revoked_at:
        raise Conflict("This token is revoked already.")
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at"])
    record(Act.PROVISIONING_TOKEN_REVOKE, object_type="scim_token", object_id=token.pk, name=token.name)


def find_token(text: str) -> TokenFound | None:
    """The token of a text, in whatever tenant and state it is."""
    tenant_id = scim_tenant(_digest(text))
    if tenant_id is None:
        return None
    with open_tenant(tenant_id):
        token = ScimToken.objects.filter(token_digest=_digest(text)).first()
        return TokenFound(tenant_id, token) if token else None


def use_token(found: TokenFound) -> None:
    """Counts a request in a transaction of its own, so that a refused request counts as well.

    Raises Unauthenticated for a token that is revoked or over, TooManyRequests beyond
    settings.SCIM_REQUESTS_PER_MINUTE.
    """
    now = timezone.now()
    with open_tenant(found.tenant_id):
        row = ScimToken.objects.select_for_update().get(pk=found.token.pk)
        if not row.is_live(now):
            raise Unauthenticated("This token was revoked or is over.")
        if row.minute_began_at is None or now - row.minute_began_at >= _MINUTE:
            row.minute_began_at, row.minute_requests = now, 0
        left = row.minute_began_at + _MINUTE - now
        row.minute_requests = min(row.minute_requests + 1, 2**31 - 1)
        row.last_used_at = now
        row.save(update_fields=["minute_began_at", "minute_requests", "last_used_at"])
    if row.minute_requests > settings.SCIM_REQUESTS_PER_MINUTE:
        raise TooManyRequests(max(1, round(left.total_seconds())))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
