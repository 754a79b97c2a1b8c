"""Access tokens of API clients: signed, for 15 minutes, bound to tenant, client, secret or proof, and scopes.

A token says who; whether that one still may is looked up at each request, so that revoking a client or its secret
or trust holds from the next request on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.utils import timezone

from accounts.clients.scopes import WORDS, Reach, Scope
from accounts.errors import Forbidden, TooManyRequests, Unauthenticated
from accounts.models import ApiClient, ApiSecret, ClientTrust
from accounts.tenancy.scope import DEFAULT, execute_alone

PREFIX = "surety_at_"
"""How a token begins, so that scanners for leaked secrets know one."""
TOKEN_SECONDS = 15 * 60
_MINUTE = timedelta(minutes=1)
_signer = signing.TimestampSigner(sep=".", salt="api access token")


class _Way(StrEnum):
    """What a token was got by: the table that tells whether it stands."""

    SECRET = "accounts_apisecret"  # noqa: S105 (a table)
    TRUST = "accounts_clienttrust"


# By hand, since every request of a client begins with these two statements, each of them one round trip.
_COLUMNS = [str(each.column) for each in ApiClient._meta.concrete_fields]
_STANDS = (
    "EXISTS (SELECT FROM {way} way WHERE way.tenant_id = client.tenant_id AND way.id = %s"
    " AND way.client_id = client.id AND way.revoked_at IS NULL)"
)
_FIND = (
    f"SELECT {', '.join(_COLUMNS)}, {_STANDS} FROM accounts_apiclient client"  # noqa: S608 (the model's own columns)
    " WHERE client.tenant_id = %s AND client.id = %s"
)
_OVER = "client.minute_began_at IS NULL OR client.minute_began_at <= %s"
_COUNT = (
    f"UPDATE accounts_apiclient client SET last_used_at = %s, last_address = %s,"  # noqa: S608 (nobody's words)
    f" minute_began_at = CASE WHEN {_OVER} THEN %s ELSE client.minute_began_at END,"
    f" minute_requests = CASE WHEN {_OVER} THEN 1 ELSE least(client.minute_requests, 2147483646) + 1 END"
    f" WHERE {_STANDS} AND client.tenant_id = %s AND client.id = %s AND client.revoked_at IS NULL"
    " AND client.expires_at > %s RETURNING client.minute_began_at, client.minute_requests"
)


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
    way: _Way
    way_id: UUID
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
    way, way_id = (_Way.TRUST, UUID(said["k"])) if "k" in said else (_Way.SECRET, UUID(said["s"]))
    tenant_id = UUID(said["t"])
    rows = execute_alone(tenant_id, _FIND.format(way=way), [way_id, tenant_id, UUID(said["c"])])
    if not rows:
        return None
    *columns, stands = rows[0]
    client = ApiClient.from_db(DEFAULT, _COLUMNS, columns)
    scopes = frozenset(scope for scope in WORDS if scope in said["p"] and scope in client.scopes)
    return ClientFound(tenant_id, client, scopes, stands, way, way_id, said.get("u", ""))


def use_client(found: ClientFound, *, address: str) -> Quota:
    """Counts a request in a transaction of its own, so that a refused request counts as well.

    Raises Unauthenticated for a client, a secret or a trust that is revoked or over, Forbidden from another address
    than allowed, TooManyRequests beyond settings.API_REQUESTS_PER_MINUTE.
    """
    now = timezone.now()
    if found.stands and found.client.is_live(now):
        check_address(found.client, address)
        given = [now, address or None, now - _MINUTE, now, now - _MINUTE, found.way_id, found.tenant_id]
        # A count may be lost in a crash: waiting for the disk, one client's requests would queue at its row.
        rows = execute_alone(
            found.tenant_id, _COUNT.format(way=found.way), [*given, found.client.pk, now], durable=False
        )
        if rows:
            began_at, requests = rows[0]
            return _quota(began_at, requests, now)
    raise Unauthenticated("This client, or what it came in by, was revoked or is over.")


def check_address(client: ApiClient, address: str) -> None:
    """Raises Forbidden where the client may not be used from the address."""
    if not client.networks:
        return
    here = ip_address(address) if address else None
    here = getattr(here, "ipv4_mapped", None) or here
    if here is None or not any(here in ip_network(network) for network in client.networks):
        raise Forbidden("This client may not be used from this address.")


def _quota(began_at: datetime, requests: int, now: datetime) -> Quota:
    """What is left once this request is counted. Raises TooManyRequests."""
    limit = settings.API_REQUESTS_PER_MINUTE
    seconds = max(1, round((began_at + _MINUTE - now).total_seconds()))
    quota = Quota(limit, max(0, limit - requests), seconds)
    if requests > limit:
        raise TooManyRequests(seconds, quota.headers())
    return quota
