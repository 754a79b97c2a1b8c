"""Access tokens of API clients: signed, for 15 minutes, bound to tenant, client, secret or proof, and scopes.

A token says who; whether that one still may is looked up at each request, so that revoking a client or its secret
or trust holds from the next request on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.utils import timezone

from accounts.clients.scopes import WORDS, Reach, Scope
from accounts.errors import Forbidden, TooManyRequests, Unauthenticated
from accounts.models import ApiClient, ApiSecret, ClientTrust
from accounts.tenancy.scope import open_tenant

PREFIX = "surety_at_"
"""How a token begins, so that scanners for leaked secrets know one."""
TOKEN_SECONDS = 15 * 60
_MINUTE = timedelta(minutes=1)
_signer = signing.TimestampSigner(sep=".", salt="api access token")


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a client's minute, as RateLimit header fields say it (draft-ietf-httpapi-ratelimit-headers)."""

    limit: int
    left: int
    seconds: int

    def headers(self) -> dict[str, str]:
        """The two fields."""
        return {
            "RateLimit-Policy": f'"client";q={self.limit};w=60',
            "RateLimit": f'"client";r={self.left};t={self.seconds}',
        }


@dataclass(frozen=True, slots=True)
class ClientFound:
    """A client that a genuine token names, with what the token allows it now.

    `stands`: what the token was got by, a secret or a trust, wasn't revoked. `proven`: who was proved by a trust.
    """

    tenant_id: UUID
    client: ApiClient
    scopes: frozenset[Scope]
    stands: bool
    proven: str = ""

    @property
    def reach(self) -> Reach:
        """To what the client is narrowed."""
        return Reach(frozenset(self.client.safeguards), frozenset(self.client.connections))


def sign_token(
    *, tenant_id: UUID, by: ApiSecret | ClientTrust, scopes: frozenset[Scope], proven: str = ""
) -> str:
    """A new token of the client whose secret or trust it is; `proven` is the subject of the proof."""
    way = {"k": by.pk.hex, "u": proven} if isinstance(by, ClientTrust) else {"s": by.pk.hex}
    said = {"t": tenant_id.hex, "c": by.client_id.hex, **way, "p": sorted(scopes)}
    return PREFIX + _signer.sign_object(said)


def find_client(token: str) -> ClientFound | None:
    """The client of a token; None for one that we didn't sign, or that is older than 15 minutes."""
    try:
        said = _signer.unsign_object(token.removeprefix(PREFIX), max_age=TOKEN_SECONDS)
    except signing.BadSignature:
        return None
    tenant_id = UUID(said["t"])
    ways: type[ClientTrust | ApiSecret] = ClientTrust if "k" in said else ApiSecret
    with open_tenant(tenant_id):
        client = ApiClient.objects.filter(pk=said["c"]).first()
        way = ways.objects.filter(pk=said.get("k") or said["s"], client=said["c"], revoked_at=None)
        stands = way.exists()
    if client is None:
        return None
    scopes = frozenset(scope for scope in WORDS if scope in said["p"] and scope in client.scopes)
    return ClientFound(tenant_id, client, scopes, stands, said.get("u", ""))


def use_client(found: ClientFound, *, address: str) -> Quota:
    """Counts a request in a transaction of its own, so that a refused request counts as well.

    Raises Unauthenticated for a client, a secret or a trust that is revoked or over, Forbidden from another address
    than allowed, TooManyRequests beyond settings.API_REQUESTS_PER_MINUTE.
    """
    now = timezone.now()
    with open_tenant(found.tenant_id):
        row = ApiClient.objects.select_for_update().get(pk=found.client.pk)
        if not (found.stands and row.is_live(now)):
            raise Unauthenticated("This client, or what it came in by, was revoked or is over.")
        check_address(row, address)
        quota = _count(row, now)
        row.last_used_at, row.last_address = now, address or None
        row.save(update_fields=["minute_began_at", "minute_requests", "last_used_at", "last_address"])
    if row.minute_requests > quota.limit:
        raise TooManyRequests(quota.seconds, quota.headers())
    return quota


def check_address(client: ApiClient, address: str) -> None:
    """Raises Forbidden where the client may not be used from the address."""
    if not client.networks:
        return
    here = ip_address(address) if address else None
    here = getattr(here, "ipv4_mapped", None) or here
    if here is None or not any(here in ip_network(network) for network in client.networks):
        raise Forbidden("This client may not be used from this address.")


def _count(row: ApiClient, now: datetime) -> Quota:
    limit = settings.API_REQUESTS_PER_MINUTE
    if row.minute_began_at is None or now - row.minute_began_at >= _MINUTE:
        row.minute_began_at, row.minute_requests = now, 0
    row.minute_requests = min(row.minute_requests + 1, 2**31 - 1)
    seconds = max(1, round((row.minute_began_at + _MINUTE - now).total_seconds()))
    return Quota(limit, max(0, limit - row.minute_requests), seconds)
