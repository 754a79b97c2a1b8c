"""Makers of two tenants that work together."""

from __future__ import annotations

import secrets
from typing import Any

from accounts.models import Tenant
from accounts.tenancy.scope import open_tenant
from assessments.models import BusinessAssociate, Partnership
from tests.factories import make_tenant


def make_associate(tenant: Tenant, **fields: Any) -> BusinessAssociate:
    """An entry in the tenant's register."""
    with open_tenant(tenant.pk):
        return BusinessAssociate.objects.create(
            **{"reference": secrets.token_hex(4), "name": "Cloud Billing", "maintains": True, **fields}
        )


def make_partnership(
    upstream: Tenant | None = None, downstream: Tenant | None = None, **fields: Any
) -> Partnership:
    """A relation that stands: the first is the covered entity, the second works for it."""
    upstream = upstream or make_tenant()
    downstream = downstream or make_tenant(kind="business_associate")
    associate = fields.pop("associate", None) or make_associate(upstream, name=downstream.name)
    with open_tenant(upstream.pk):
        return Partnership.objects.create(
            **{
                "associate": associate,
                "viewer": downstream,
                "upstream_name": upstream.name,
                "downstream_name": downstream.name,
                **fields,
            }
        )
