"""The few questions that are asked before a tenant is known, each answered by one function in the database.

The functions are SECURITY DEFINER, owned by portal_lookup, which can read only the tables they name and cannot
log in. Users: sign-in, the tenant switch, who acts for another of their tenants, and the requests' entries
(memberships_of), invitations (invitation_tenant, partnership_invitation_tenant), the command line (tenant_by_slug,
tenants), the sweeper (due_work), single sign-on (domain_holder, sso_provider_tenant), machines (scim_tenant,
api_client_tenant), the operator's staff (operator_windows, tenant_by_slug), guests who answer a questionnaire
(guest_link_tenant), calendar programs (calendar_feed_tenant).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection


class MembershipFound(NamedTuple):
    """A tenant that a person belongs to now."""

    tenant_id: UUID
    tenant_name: str
    tenant_kind: str
    role: str


class WindowFound(NamedTuple):
    """A window that somebody of the operator's staff asked for."""

    window_id: UUID
    tenant_id: UUID
    tenant_name: str


class DueWork(NamedTuple):
    """A row that waits for a worker: kind is "unit", "evaluation", "schedule" or "probe"."""

    kind: str
    tenant_id: UUID
    row_id: UUID


class DomainHolder(NamedTuple):
    """The tenant whose proof of a mail domain holds, and the value that proves it in DNS."""

    tenant_id: UUID
    challenge: str


def memberships_of(person_id: UUID) -> list[MembershipFound]:
    """The tenants of a person, by name; without memberships that have ended."""
    return [MembershipFound(*row) for row in _rows("select * from portal_memberships_of(%s)", [person_id])]


def tenant_by_slug(slug: str) -> UUID | None:
    """The tenant's id, for the command line."""
    rows = _rows("select portal_tenant_by_slug(%s)", [slug])
    return rows[0][0] if rows else None


def invitation_tenant(token_digest: bytes) -> UUID | None:
    """The tenant of an invitation, by the SHA-256 of its token."""
    rows = _rows("select portal_invitation_tenant(%s)", [token_digest])
    return rows[0][0] if rows else None


def domain_holder(domain: str) -> DomainHolder | None:
    """Who holds a mail domain: the tenant with the newest proof. A domain has one holder at most."""
    rows = _rows("select * from portal_domain_holder(%s)", [domain])
    return DomainHolder(*rows[0]) if rows else None


def sso_provider_tenant(provider_id: UUID) -> UUID | None:
    """The tenant of an identity provider, which sends its answers without knowing of tenants."""
    rows = _rows("select portal_sso_provider_tenant(%s)", [provider_id])
    return rows[0][0] if rows else None


def scim_tenant(token_digest: bytes) -> UUID | None:
    """The tenant of a provisioning token, by the token's SHA-256; also for one that is revoked or over."""
    rows = _rows("select portal_scim_tenant(%s)", [token_digest])
    return rows[0][0] if rows else None


def api_client_tenant(client_id: UUID) -> UUID | None:
    """Whose client of the interface it is."""
    rows = _rows("select portal_api_client_tenant(%s)", [client_id])
    return rows[0][0] if rows else None


def operator_windows(since: datetime) -> list[WindowFound]:
    """The windows that the operator's staff asked for since a time, newest first, 200 at most."""
    return [WindowFound(*row) for row in _rows("select * from portal_operator_windows(%s)", [since])]


def due_work(at: datetime, limit: int = 500) -> list[DueWork]:
    """What waits for a worker at a time, oldest first.

    Units without a living lease, finished runs without an evaluation, connections whose next run or probe is due.
    """
    return [DueWork(*row) for row in _rows("select * from portal_due_work(%s, %s)", [at, limit])]


def due_streams(at: datetime, limit: int = 500) -> list[tuple[UUID, UUID]]:
    """The streams of audit logs that have something to send at a time and nobody who sends it: (tenant, stream)."""
    return [(row[0], row[1]) for row in _rows("select * from portal_due_streams(%s, %s)", [at, limit])]


def due_webhooks(at: datetime, limit: int = 500) -> list[DueWork]:
    """What webhooks wait for at a time.

    Kinds: "delivery" to be tried, "handover" of an event to another tenant, "old" for a tenant with messages to remove.
    """
    return [DueWork(*row) for row in _rows("select * from portal_due_webhooks(%s, %s)", [at, limit])]


def due_packages(at: datetime, limit: int = 100) -> list[tuple[UUID, UUID]]:
    """Packages that wait for a worker at a time, or to be removed: (tenant, row)."""
    return [(row[0], row[1]) for row in _rows("select * from portal_due_packages(%s, %s)", [at, limit])]


def due_submissions(at: datetime, limit: int = 500) -> list[tuple[UUID, UUID]]:
    """Submitted documents that wait for a worker at a time, or whose worker died: (tenant, row)."""
    return [(row[0], row[1]) for row in _rows("select * from portal_due_submissions(%s, %s)", [at, limit])]


def due_timers(at: datetime, limit: int = 500) -> list[tuple[UUID, UUID]]:
    """Timers whose time has come: (tenant, row)."""
    return [(row[0], row[1]) for row in _rows("select * from portal_due_timers(%s, %s)", [at, limit])]


def due_chains(at: datetime, limit: int = 500) -> list[UUID]:
    """Tenants who must compute anew what they tell of subcontractors: something of theirs, or told to them, changed."""
    return [row[0] for row in _rows("select portal_due_chains(%s, %s)", [at, limit])]


def partnership_invitation_tenant(token_digest: bytes) -> UUID | None:
    """Who invited by a link to a partnership, by the SHA-256 of its token."""
    rows = _rows("select portal_partnership_invitation_tenant(%s)", [token_digest])
    return rows[0][0] if rows else None


def guest_link_tenant(token_digest: bytes) -> UUID | None:
    """Who sent a link to answer a questionnaire as a guest, by the SHA-256 of its token."""
    rows = _rows("select portal_guest_link_tenant(%s)", [token_digest])
    return rows[0][0] if rows else None


def due_notices(at: datetime, limit: int = 500) -> list[tuple[UUID, UUID]]:
    """Notices whose receivers' people were not told of their newest revision: (receiving tenant, row)."""
    return [(row[0], row[1]) for row in _rows("select * from portal_due_notices(%s, %s)", [at, limit])]


def outside_notice_tenant(token_digest: bytes) -> UUID | None:
    """Who sent a notice by a link in an e-mail, by the SHA-256 of its token."""
    rows = _rows("select portal_outside_notice_tenant(%s)", [token_digest])
    return rows[0][0] if rows else None


def calendar_feed_tenant(token_digest: bytes, roles: Sequence[str]) -> UUID | None:
    """Where a calendar link's member is one now, in one of the roles, by the SHA-256 of its token; not once revoked."""
    rows = _rows("select portal_calendar_feed_tenant(%s, %s)", [token_digest, list(roles)])
    return rows[0][0] if rows else None


def _rows(sql: str, arguments: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return [row for row in cursor.fetchall() if any(value is not None for value in row)]
