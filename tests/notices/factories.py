"""Makers of business associates with covered entities upstream, and of notices between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import Person, Tenant
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import Occurrence, Partnership, Timer
from assessments.notices.breaches import open_breach
from assessments.notices.kinds import Kind
from assessments.notices.sending import Draft, list_recipients, send_notices
from assessments.timers.services import run_timer
from tasks.timers import HANDLERS
from tests.factories import make_member, make_tenant
from tests.partnerships.factories import make_partnership


@dataclass(frozen=True)
class Parties:
    """A business associate with its owner, and covered entities with their owners."""

    associate: Tenant
    sender: Person
    hospitals: list[Tenant]
    owners: list[Person]
    partnerships: list[Partnership]


def make_parties(hospitals: int = 1) -> Parties:
    associate = make_tenant(name="Cedar Billing", kind="business_associate")
    upstream = [make_tenant() for _ in range(hospitals)]
    partnerships = [make_partnership(each, associate) for each in upstream]
    owners = [make_member(each, Role.OWNER) for each in upstream]
    return Parties(associate, make_member(associate, Role.OWNER), upstream, owners, partnerships)


def a_draft(**fields: Any) -> Draft:
    """A contingency plan activated just now, unless said otherwise."""
    return Draft(
        **{
            "kind": Kind.CONTINGENCY, "drill": False, "title": "Claims system is down", "details": "Use paper.",
            "discovered_at": timezone.now() - timedelta(minutes=1), "zone": "America/New_York", **fields,
        }
    )  # fmt: skip


def send(parties: Parties, **fields: Any) -> Occurrence:
    """Sends to everybody upstream."""
    with open_tenant(parties.associate.pk):
        draft = a_draft(**fields)
        known = list_recipients(kind=draft.kind, discovered_at=draft.discovered_at, zone=draft.zone)
        return send_notices(draft=draft, to={each.id for each in known}, by=parties.sender)


def make_occurrences(tenant: Tenant, by: Person) -> tuple[Occurrence, Occurrence]:
    """A notice that the tenant sent to everybody upstream, and a breach of its own with its duties."""
    with open_tenant(tenant.pk):
        draft = a_draft(kind=Kind.BREACH, individuals=640, most_in_one_state=600)
        known = list_recipients(kind=draft.kind, discovered_at=draft.discovered_at, zone=draft.zone)
        return send_notices(draft=draft, to={each.id for each in known}, by=by), open_breach(
            draft=draft, by=by
        )


def ring(tenant: Tenant, kind: str, row_id: UUID) -> bool:
    """Lets a timer act if it is due."""
    with open_tenant(tenant.pk):
        timer = Timer.objects.get(kind=kind, row_id=row_id)
    return run_timer(tenant_id=tenant.pk, timer_id=timer.pk, handlers=HANDLERS)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]
