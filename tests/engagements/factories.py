"""Makers of engagements for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Person, Tenant
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import Engagement, EngagementAuditor
from tests.accounts.factories import make_ready_person
from tests.factories import make_person


def make_auditor(tenant: Tenant) -> Person:
    """A person whose role in the tenant is the auditor's, named in no engagement yet."""
    return make_ready_person(Role.AUDITOR, tenant)


def make_engagement(tenant: Tenant, *auditors: Person, **terms: Any) -> Engagement:
    """An engagement that is open now, over everything of the last 30 days unless told otherwise."""
    now = timezone.now()
    values: dict[str, Any] = {
        "title": "Examination 2026", "firm": "Haddad & Partners", "period_from": (now - timedelta(days=30)).date(),
        "period_to": now.date(), "opens_at": now - timedelta(days=1), "closes_at": now + timedelta(days=30), **terms,
    }  # fmt: skip
    with open_tenant(tenant.pk):
        engagement = Engagement.objects.create(
            **{"created_by": terms.get("created_by") or make_person(), **values}
        )
        for person in auditors:
            name_in(engagement, person)
    return engagement


def name_in(engagement: Engagement, person: Person, **fields: Any) -> EngagementAuditor:
    return EngagementAuditor.objects.create(
        engagement=engagement, person=person, email=person.email, name=person.name, **fields
    )


def midnight(days_ago: int) -> datetime:
    """The beginning of a day in UTC."""
    day = timezone.now().date() - timedelta(days=days_ago)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
