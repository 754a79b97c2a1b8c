"""Notices by e-mail that something waits in an engagement. They name no safeguard and quote nothing."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, Person, Tenant
from accounts.permissions import Role
from accounts.tenancy.scope import after_commit
from assessments.models import Engagement, EvidenceRequest

ANSWERING = (Role.OWNER, Role.SECURITY_OFFICIAL)


def tell_tenant(request: EvidenceRequest, tenant: Tenant) -> None:
    """Tells who answers the request, or as long as nobody does, the owners and security officials."""
    people = [request.owner_id] if request.owner_id else _officials()
    path = reverse("engagement-request", args=[request.engagement_id, request.pk])
    _send(people, tenant, path)


def tell_auditor(request: EvidenceRequest, tenant: Tenant) -> None:
    """Tells the auditor who asked."""
    _send([request.asked_by_id], tenant, reverse("auditor-request", args=[request.engagement_id, request.pk]))


def tell_new_auditor(engagement: Engagement, person_id: UUID, tenant: Tenant) -> None:
    """Tells an auditor, who knows the tenant already, of another engagement."""
    _send([person_id], tenant, reverse("auditor-engagement", args=[engagement.pk]))


def _officials() -> list[UUID]:
    living = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    return list(Membership.objects.filter(living, role__in=ANSWERING).values_list("person_id", flat=True))


def _send(people: Iterable[UUID | None], tenant: Tenant, path: str) -> None:
    url = settings.SITE_URL.rstrip("/") + path
    body = render_to_string("engagements/notice_mail.txt", {"tenant": tenant, "url": url})
    addresses = Person.objects.filter(pk__in=[each for each in people if each], is_active=True)
    for address in addresses.values_list("email", flat=True):
        message = EmailMessage("Something waits for you in Surety", body, to=[address])
        after_commit(message.send)
