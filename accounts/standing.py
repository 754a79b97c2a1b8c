"""Whether a session may act for a tenant that isn't the one it works in, as the middleware asks for each request."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest

from accounts.errors import Forbidden
from accounts.models import Membership, Tenant
from accounts.permissions import Permission, Role, allows
from accounts.proof import PHISHING_RESISTANT, session_factor
from accounts.requests import signed_in_person, within_reach
from accounts.sessions import TENANT
from accounts.sso.policy import check_way_in
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import MembershipFound, memberships_of

__all__ = ["MembershipFound", "enter_to_act", "tenants_to_act_for"]


def tenants_to_act_for(request: HttpRequest, permission: Permission) -> list[MembershipFound]:
    """The person's tenants in which their role includes the permission, within the session's reach."""
    mine = within_reach(request, memberships_of(signed_in_person(request).pk))
    return [found for found in mine if allows(Role(found.role), permission)]


def enter_to_act(request: HttpRequest, tenant_id: UUID) -> None:
    """Takes the session to a tenant of the person's, in which it may be by the tenant's own policy of signing in.

    Raises Forbidden (SingleSignOnNeeded, LinkEnded), FirstUseOfBreakGlass. No tenant is open before and after.
    """
    request.session[TENANT] = str(tenant_id)
    with open_tenant(tenant_id):
        tenant = Tenant.objects.get(pk=tenant_id)
        membership = Membership.objects.get(person=request.user.pk)
        check_way_in(request, tenant, membership)
    if tenant.require_passkey and session_factor(request) not in PHISHING_RESISTANT:
        raise Forbidden(f"{tenant} requires a passkey. Sign in with one, then open the link again.")
