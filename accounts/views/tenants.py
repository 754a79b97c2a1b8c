"""Choosing the tenant to work in, among those that the person belongs to."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST, require_safe

from accounts.access import verified_act, verified_or_sso
from accounts.audit.events import Act
from accounts.operators.gate import is_operator, owe_attempt
from accounts.requests import signed_in_person, within_reach
from accounts.sessions import TENANT
from accounts.tenancy.unscoped import memberships_of


@verified_or_sso
@require_safe
def tenant_list(request: HttpRequest) -> HttpResponse:
    mine = within_reach(request, memberships_of(signed_in_person(request).pk))
    return TemplateResponse(request, "accounts/tenant_list.html", {"memberships": mine})


@verified_act(Act.TENANT_SWITCH, sso=True)
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """A tenant that isn't there and one that the person doesn't belong to get the same answer."""
    wanted = request.POST.get("tenant", "")
    if is_operator(request) and _is_uuid(wanted):
        owe_attempt(request, UUID(wanted))
    mine = within_reach(request, memberships_of(signed_in_person(request).pk))
    if wanted not in {str(found.tenant_id) for found in mine}:
        raise Http404
    request.session[TENANT] = wanted
    return redirect("overview")


def _is_uuid(said: str) -> bool:
    try:
        return str(UUID(said)) == said
    except ValueError:
        return False
