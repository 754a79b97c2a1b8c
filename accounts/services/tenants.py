"""Making tenants: the command line's and the demonstration's work, since nobody signs up by themselves."""

from __future__ import annotations

from django.db import IntegrityError

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict
from accounts.models import Tenant, TenantKind
from accounts.tenancy.models import new_id
from accounts.tenancy.scope import open_tenant


def create_tenant(*, name: str, slug: str, kind: str = TenantKind.COVERED_ENTITY) -> Tenant:
    """Creates a tenant and records it in the tenant's own log. Needs no open tenant: it opens the new one.

    Raises Conflict where the slug is taken.
    """
    tenant = Tenant(id=new_id(), name=name, slug=slug, kind=TenantKind(kind))
    try:
        with open_tenant(tenant.id):
            tenant.save(force_insert=True)
            record(
                Act.TENANT_CREATE, object_type="tenant", object_id=tenant.id, name=name, kind=str(tenant.kind)
            )
    except IntegrityError as error:
        raise Conflict(f"There is a tenant with the slug {slug} already; choose another.") from error
    return tenant
