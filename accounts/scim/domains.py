"""Whose addresses a tenant may provision: those of the mail domains that it holds (accounts.sso)."""

from __future__ import annotations

from accounts.errors import Forbidden
from accounts.tenancy.scope import current_tenant_id
from accounts.tenancy.unscoped import domain_holder


def require_own_domain(email: str) -> None:
    """Raises Forbidden for an address of a mail domain that the open tenant didn't prove to be its own."""
    domain = email.rpartition("@")[2]
    holder = domain_holder(domain)
    if holder is None or holder.tenant_id != current_tenant_id():
        raise Forbidden(f"{domain} isn't a verified domain of this tenant.")
