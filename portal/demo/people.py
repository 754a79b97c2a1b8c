"""The demonstration's organisations and the people who sign in to them. All of them are made up."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

from accounts.models import Membership, Person, Tenant, TenantKind
from accounts.permissions import Role
from accounts.services import add_member, create_person, create_tenant, prepare_totp
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import tenant_by_slug
from portal import env
from portal.demo import hospital
from portal.embedded.files import write_text

PASSWORD_FILE = "demo-password"


@dataclass(frozen=True, slots=True)
class Organisation:
    """A demonstration tenant, its people, and the account that it connects; "" where it connects none."""

    slug: str
    name: str
    kind: TenantKind
    people: Mapping[Role, str]
    aws_account_id: str = ""


MERCY_LAKES = Organisation(
    "mercy-lakes", "Mercy Lakes Hospital", TenantKind.COVERED_ENTITY,
    MappingProxyType({
        Role.OWNER: "Olivia Grant", Role.SECURITY_OFFICIAL: "Samuel Ortiz", Role.CONTRIBUTOR: "Casey Lin",
        Role.VIEWER: "Vera Holm", Role.AUDITOR: "Amir Haddad",
    }),
    hospital.MERCY_LAKES_ACCOUNT_ID,
)  # fmt: skip
NORTHWIND = Organisation(
    "northwind", "Northwind Imaging", TenantKind.BUSINESS_ASSOCIATE,
    MappingProxyType({
        Role.OWNER: "Nadia Frost", Role.SECURITY_OFFICIAL: "Tomas Reed", Role.CONTRIBUTOR: "Iris Cole",
        Role.VIEWER: "Paul Sand", Role.AUDITOR: "Greta Lind",
    }),
    hospital.NORTHWIND_ACCOUNT_ID,
)  # fmt: skip
CEDAR = Organisation(
    "cedar-billing", "Cedar Billing", TenantKind.BUSINESS_ASSOCIATE,
    MappingProxyType({Role.OWNER: "Ines Calder"}),
)  # fmt: skip
"""A business associate that is late with all that is asked of it."""
ASSESSED = (MERCY_LAKES, NORTHWIND)
ALL = (*ASSESSED, CEDAR)


def make_organisation(organisation: Organisation) -> UUID:
    """The organisation's tenant, made with its people where it isn't there yet."""
    found = tenant_by_slug(organisation.slug)
    return found or _create(organisation).pk


def _create(organisation: Organisation) -> Tenant:
    tenant = create_tenant(name=organisation.name, slug=organisation.slug, kind=organisation.kind)
    password = demo_password(env.state())
    for role, name in organisation.people.items():
        person = create_person(email=address_of(role, organisation), name=name, password=password)
        device = prepare_totp(person=person)
        device.confirmed = True
        device.save()
        with open_tenant(tenant.pk):
            add_member(person=person, role=role)
    return tenant


def person_of(role: Role) -> Person:
    """Who has the role in the open tenant."""
    return Membership.objects.select_related("person").filter(role=role)[0].person


def address_of(role: Role, organisation: Organisation) -> str:
    """The log-in of a demonstration person."""
    return f"{role.value.replace('_', '-')}@{organisation.slug}.example"


def demo_password(state: Path) -> str:
    """The one password of all demonstration people, made at the first start and kept in the state directory."""
    path = state / PASSWORD_FILE
    if not path.exists():
        write_text(path, f"lakes-{secrets.token_hex(3)}-{secrets.token_hex(3)}")
    return path.read_text()
