"""Whom a client may prove to be is said, and taken back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.clients.keyless.ci import fetch_keys
from accounts.clients.keyless.patterns import account_of, check_subject
from accounts.clients.services import lock_client
from accounts.errors import Conflict, NotFound
from accounts.models import ApiClient, ClientTrust, Membership, TrustKind
from accounts.outbound import check_url

MOST_TRUSTS = 10


def trust_aws(*, client_id: UUID, arn: str, by: Membership) -> ClientTrust:
    """Lets a client in that AWS knows as the role or user; the last part may hold `*`.

    Raises NotFound, InvalidInput, Conflict.
    """
    arn = arn.strip()
    return _add(client_id, by, kind=TrustKind.AWS, account=account_of(arn), arn=arn)


def trust_issuer(*, client_id: UUID, issuer: str, audience: str, subject: str, by: Membership) -> ClientTrust:
    """Lets a client in by tokens of a CI system; asks the issuer for its keys, so that a wrong address shows now.

    An empty audience is this portal's address. Raises NotFound, InvalidInput, Conflict, UnreachableError.
    """
    issuer, subject = issuer.strip(), subject.strip()
    check_url(issuer)
    check_subject(subject, issuer)
    return _add(
        client_id, by, kind=TrustKind.OIDC, issuer=issuer, audience=audience.strip(), subject=subject,
        keys=fetch_keys(issuer), keys_fetched_at=timezone.now(),
    )  # fmt: skip


def revoke_trust(*, client_id: UUID, trust_id: UUID) -> ClientTrust:
    """Ends a trust and every token that was got by it, from the next request on. Raises NotFound, Conflict."""
    client = lock_client(client_id)
    trust: ClientTrust | None = client.trusts.filter(pk=trust_id).first()
    if trust is None:
        raise NotFound("There is no such trust.")
    if trust.revoked_at:
        raise Conflict("This trust is revoked already.")
    trust.revoked_at = timezone.now()
    trust.save(update_fields=["revoked_at"])
    _record(Act.API_CLIENT_TRUST_REVOKE, client, trust)
    return trust


def _add(client_id: UUID, by: Membership, **fields: Any) -> ClientTrust:
    client = lock_client(client_id)
    if not client.is_live(timezone.now()):
        raise Conflict("This client is revoked or over.")
    if client.trusts.filter(revoked_at=None).count() >= MOST_TRUSTS:
        raise Conflict(f"A client has at most {MOST_TRUSTS} trusts. Revoke one that is no longer used.")
    trust: ClientTrust = client.trusts.create(created_by_id=by.person_id, **fields)
    _record(Act.API_CLIENT_TRUST, client, trust)
    return trust


def _record(act: Act, client: ApiClient, trust: ClientTrust) -> None:
    record(
        act, object_type="api_client", object_id=client.pk, trust=str(trust.pk), kind=trust.kind, arn=trust.arn,
        issuer=trust.issuer, audience=trust.audience, subject=trust.subject,
    )  # fmt: skip
