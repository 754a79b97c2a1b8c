"""A hospital and a vendor with people who sign in, and the ways between them as tests use them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.core import mail
from django.test import Client

from accounts.models import AuditEntry, Person, Tenant
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import BusinessAssociate
from assessments.partnerships.services import invite_associate
from tests.accounts.factories import make_ready_person, sign_in
from tests.factories import make_tenant
from tests.partnerships.factories import make_associate

SIGN_UP = {"organisation": "Cedar Billing", "name": "Nell", "password": "four plain words here"}


@dataclass(frozen=True)
class Hospital:
    """The upstream party, with an entry for the vendor."""

    tenant: Tenant
    official: Person
    client: Client
    associate: BusinessAssociate

    @property
    def page(self) -> str:
        return f"/business-associates/{self.associate.pk}/"


@dataclass(frozen=True)
class Vendor:
    """The downstream party."""

    tenant: Tenant
    official: Person
    client: Client


def make_hospital() -> Hospital:
    tenant = make_tenant()
    official = make_ready_person(Role.SECURITY_OFFICIAL, tenant)
    return Hospital(tenant, official, sign_in(official), make_associate(tenant))


def make_vendor(role: Role = Role.OWNER) -> Vendor:
    tenant = make_tenant(kind="business_associate")
    official = make_ready_person(role, tenant)
    return Vendor(tenant, official, sign_in(official))


def send_link(hospital: Hospital, email: str) -> str:
    """Invites by the page; the path of the link in the message."""
    mail.outbox.clear()
    assert hospital.client.post(f"{hospital.page}invite/", {"email": email}).status_code == 302
    (message,) = mail.outbox
    assert message.to == [email]
    return re.search(r"https?://[^/]+(/partnerships/invitations/\S+)", message.body)[1]  # type: ignore[index]


def make_token(hospital: Hospital, email: str) -> str:
    with open_tenant(hospital.tenant.pk):
        return invite_associate(associate_id=hospital.associate.pk, email=email, by=hospital.official).token


def accept(vendor: Vendor, path: str) -> Any:
    return vendor.client.post(path, {"tenant": str(vendor.tenant.pk)})


def join(hospital: Hospital, vendor: Vendor) -> str:
    """Makes them partners by invitation; the path of the vendor's page of the hospital."""
    answer = accept(vendor, send_link(hospital, vendor.official.email))
    assert answer.status_code == 302, answer.content
    mail.outbox.clear()
    return str(answer.url)


def acts(tenant: Tenant, about: object) -> list[tuple[str, str, str]]:
    """What the tenant's log says of an object: act, outcome, kind of actor."""
    with open_tenant(tenant.pk):
        found = AuditEntry.objects.filter(object_id=str(about)).order_by("occurred_at", "id")
        return list(found.values_list("act", "outcome", "actor_kind"))
