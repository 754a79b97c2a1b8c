"""Clients of the interface are made, given a further secret, and revoked."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.clients.scopes import PERMISSIONS, Reach, Scope, unfit_scopes
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import ApiClient, ApiSecret, Membership, Tenant
from accounts.permissions import Permission, Role, allows
from accounts.tenancy.scope import current_tenant_id

SECRET_PREFIX = "surety_secret_"  # noqa: S105 (how one begins)
MOST_SECRETS, MOST_CLIENTS, MOST_NETWORKS = 2, 200, 50
LONGEST_DAYS = 366
_AUDITORS = frozenset({Scope.ENGAGEMENT_AUDIT})


@dataclass(frozen=True, slots=True)
class Audited:
    """The engagement of an auditors' client, and when access to it ends."""

    id: UUID
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class SecretMade:
    """A new secret and its text, which is kept nowhere."""

    client: ApiClient
    secret: ApiSecret
    text: str


def create_client(
    *,
    name: str,
    scopes: frozenset[Scope],
    reach: Reach,
    networks: Iterable[str],
    days: int,
    by: Membership,
    audited: Audited | None = None,
) -> SecretMade:
    """Makes a client that lives for some days, 366 at most, with its first secret. Raises InvalidInput, Conflict."""
    client = create_keyless_client(
        name=name, scopes=scopes, reach=reach, networks=networks, days=days, by=by, audited=audited
    )
    return _new_secret(client, by)


def create_keyless_client(
    *,
    name: str,
    scopes: frozenset[Scope],
    reach: Reach,
    networks: Iterable[str],
    days: int,
    by: Membership,
    audited: Audited | None = None,
) -> ApiClient:
    """As `create_client`, without a secret: whom it may prove to be is to be said (accounts.clients.keyless.trusts)."""
    _check(name, scopes, reach, days, by)
    _check_audited(scopes, audited, by)
    Tenant.objects.select_for_update().get(pk=current_tenant_id())
    now = timezone.now()
    if ApiClient.objects.filter(revoked_at=None, expires_at__gt=now).count() >= MOST_CLIENTS:
        raise Conflict(f"A tenant has at most {MOST_CLIENTS} clients. Revoke one that is no longer used.")
    client: ApiClient = ApiClient.objects.create(
        name=name.strip(), scopes=sorted(scopes), safeguards=sorted(reach.safeguards),
        connections=sorted(reach.connections), networks=read_networks(networks), created_by_id=by.person_id,
        expires_at=_ends(now + timedelta(days=days), audited), engagement=audited.id if audited else None,
    )  # fmt: skip
    record(
        Act.API_CLIENT_CREATE, object_type="api_client", object_id=client.pk, name=client.name, scopes=client.scopes,
        safeguards=client.safeguards, connections=[str(pk) for pk in client.connections], networks=client.networks,
        days=days, engagement=str(audited.id) if audited else "",
    )  # fmt: skip
    return client


def add_secret(*, client_id: UUID, by: Membership) -> SecretMade:
    """Gives a client its second secret, so that the first can be exchanged without a gap.

    Raises NotFound, or Conflict where two live already or the client is over.
    """
    client = lock_client(client_id)
    if not client.is_live(timezone.now()):
        raise Conflict("This client is revoked or over.")
    if client.secrets.filter(revoked_at=None).count() >= MOST_SECRETS:
        raise Conflict("Two secrets are live already. Revoke the one that is no longer used.")
    made = _new_secret(client, by)
    record(Act.API_CLIENT_SECRET, object_type="api_client", object_id=client.pk, ending=made.secret.ending)
    return made


def revoke_secret(*, client_id: UUID, secret_id: UUID) -> ApiSecret:
    """Ends a secret and every token that was got by it, from the next request on. Raises NotFound, Conflict."""
    client = lock_client(client_id)
    secret: ApiSecret | None = client.secrets.filter(pk=secret_id).first()
    if secret is None:
        raise NotFound("There is no such secret.")
    if secret.revoked_at:
        raise Conflict("This secret is revoked already.")
    secret.revoked_at = timezone.now()
    secret.save(update_fields=["revoked_at"])
    record(Act.API_CLIENT_SECRET_REVOKE, object_type="api_client", object_id=client.pk, ending=secret.ending)
    return secret


def revoke_client(*, client_id: UUID) -> ApiClient:
    """Ends a client from its next request on. Raises NotFound, Conflict."""
    client = lock_client(client_id)
    if client.revoked_at:
        raise Conflict("This client is revoked already.")
    client.revoked_at = timezone.now()
    client.save(update_fields=["revoked_at"])
    record(Act.API_CLIENT_REVOKE, object_type="api_client", object_id=client.pk, name=client.name)
    return client


def lock_client(client_id: UUID) -> ApiClient:
    """A client of the open tenant, to be changed in this transaction. Raises NotFound."""
    client: ApiClient | None = ApiClient.objects.select_for_update().filter(pk=client_id).first()
    if client is None:
        raise NotFound("There is no such client.")
    return client


def read_networks(given: Iterable[str]) -> list[str]:
    """Networks in CIDR form, each once; an address alone is a network of itself. Raises InvalidInput."""
    found: list[str] = []
    for text in given:
        try:
            network = str(ip_network(text.strip()))
        except ValueError as error:
            raise InvalidInput(
                f"{text.strip()[:60]} is no network, such as 192.0.2.0/24.", field="networks"
            ) from error
        found += [] if network in found else [network]
    if len(found) > MOST_NETWORKS:
        raise InvalidInput(f"Give at most {MOST_NETWORKS} networks.", field="networks")
    return found


def secret_digest(text: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(text.encode()).digest()


def _check(name: str, scopes: frozenset[Scope], reach: Reach, days: int, by: Membership) -> None:
    if not name.strip():
        raise InvalidInput("Say what the client is.", field="name")
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(f"Choose between 1 and {LONGEST_DAYS} days.", field="days")
    if not scopes or not scopes <= set(PERMISSIONS):
        raise InvalidInput("Choose at least one scope.", field="scopes")
    beyond = [scope for scope in scopes - _AUDITORS if not allows(Role(by.role), PERMISSIONS[scope])]
    if beyond:
        raise InvalidInput("You can't give what your own role doesn't include.", field="scopes")
    unfit = unfit_scopes(scopes, reach)
    if unfit:
        raise InvalidInput(
            f"{', '.join(unfit)}: what these read can't be told apart by what you narrow the client to.",
            field="scopes",
        )


def _check_audited(scopes: frozenset[Scope], audited: Audited | None, by: Membership) -> None:
    """Auditors' clients have their one scope, and no other client has it."""
    if audited is None:
        if scopes & _AUDITORS:
            raise InvalidInput(
                f"{Scope.ENGAGEMENT_AUDIT} is for auditors: choose their engagement.", field="scopes"
            )
        return
    if not allows(Role(by.role), Permission.ENGAGEMENT_CHANGE):
        raise InvalidInput("Your role opens no engagement to auditors.", field="engagement")
    if scopes != _AUDITORS:
        raise InvalidInput(
            f"A client of auditors has {Scope.ENGAGEMENT_AUDIT} and nothing else.", field="scopes"
        )
    if audited.closes_at <= timezone.now():
        raise InvalidInput("The access of this engagement's auditors is over.", field="engagement")


def _ends(at: datetime, audited: Audited | None) -> datetime:
    return min(at, audited.closes_at) if audited else at


def _new_secret(client: ApiClient, by: Membership) -> SecretMade:
    text = SECRET_PREFIX + secrets.token_urlsafe(32)
    row = ApiSecret.objects.create(
        client=client, secret_digest=secret_digest(text), ending=text[-4:], created_by_id=by.person_id
    )
    return SecretMade(client, row, text)
