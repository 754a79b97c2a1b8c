"""Makers of rows for tests: each gives a fresh, self-contained thing with random names."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import psycopg
from django.db import connection

from accounts.models import Membership, Person, Tenant
from accounts.permissions import Role
from accounts.tenancy.models import new_id
from accounts.tenancy.scope import open_tenant
from evidence.models import AwsConnection, CollectionRun, ConnectionState
from tests.conftest import superuser_dsn


def make_tenant(name: str = "", kind: str = "covered_entity") -> Tenant:
    token = secrets.token_hex(6)
    tenant = Tenant(id=new_id(), name=name or f"Hospital {token}", slug=f"hospital-{token}", kind=kind)
    with open_tenant(tenant.id):
        tenant.save(force_insert=True)
    return tenant


def make_onlooker() -> Tenant:
    """A tenant that takes part in nothing, made while another may be open: somebody to show a row to."""
    onlooker = Tenant(id=new_id(), name="Onlooker", slug=f"o-{secrets.token_hex(8)}", kind="covered_entity")
    with psycopg.connect(superuser_dsn(connection.settings_dict["NAME"]), autocommit=True) as database:
        database.execute(
            "insert into accounts_tenant (id, name, slug, kind, created_at, sso_required, provisioned_role,"
            " emergency_access) values (%s, %s, %s, %s, now(), false, 'viewer', false)",
            [onlooker.pk, onlooker.name, onlooker.slug, onlooker.kind],
        )
    return onlooker


def make_person(name: str = "Ada Moss", password: str | None = None) -> Person:
    return Person.objects.create_user(f"{secrets.token_hex(6)}@example.org", password, name=name)


def make_member(tenant: Tenant, role: Role = Role.OWNER, **person: str) -> Person:
    someone = make_person(**person)
    with open_tenant(tenant.id):
        Membership.objects.create(person=someone, role=role)
    return someone


def make_connection(tenant: Tenant, **fields: object) -> AwsConnection:
    values = {
        "name": "Clinical systems",
        "aws_account_id": str(secrets.randbelow(9 * 10**11) + 10**11),
        "regions": ["us-east-1"],
        "state": ConnectionState.VERIFIED,
        **fields,
    }
    with open_tenant(tenant.id):
        return AwsConnection.objects.create(**values)


def make_run(tenant: Tenant, connection: AwsConnection, **fields: object) -> CollectionRun:
    with open_tenant(tenant.id):
        return CollectionRun.objects.create(
            **{"connection": connection, "trigger": "person", "started_at": datetime.now(UTC), **fields}
        )
