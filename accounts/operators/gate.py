"""The only way of the operator's staff into a tenant: a window that is open now, to read.

Every request is in the tenant's own log, with the window's ticket as on whose behalf; so is an attempt without a
window, where the tenant is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from accounts.access import SAFE_METHODS, Access, TenantRequest
from accounts.audit.events import Act
from accounts.audit.gathering import Noted, current_request
from accounts.audit.log import acting, current_actor, record_owed
from accounts.errors import Forbidden, NotFound
from accounts.models import OperatorWindow, Tenant
from accounts.permissions import ROLE_PERMISSIONS, Permission, Role
from accounts.proof import PHISHING_RESISTANT, session_factor
from accounts.recording import LONGEST_OBJECT, REFUSED_FROM
from accounts.refusals import NOTHING_HERE
from accounts.sessions import TENANT
from accounts.tenancy.scope import open_tenant

_WITH_EVIDENCE = frozenset({Permission.EVIDENCE_READ, Permission.EVIDENCE_EXPORT})


def require_operator(request: HttpRequest) -> None:
    """Raises NotFound for everybody who isn't the operator's staff."""
    if not is_operator(request):
        raise NotFound(NOTHING_HERE)


def require_passkey(request: HttpRequest) -> None:
    """Raises Forbidden unless the session was opened by a phishing-resistant factor."""
    if session_factor(request) not in PHISHING_RESISTANT:
        raise Forbidden(
            "The operator's staff acts with a passkey. Add one in your profile, and sign in with it."
        )


def is_operator(request: HttpRequest) -> bool:
    """Whether somebody of the operator's staff is signed in."""
    return bool(getattr(request.user, "is_operator", False))


def open_windows() -> list[OperatorWindow]:
    """The windows into the open tenant that are open now, the one that ends first first."""
    now = timezone.now()
    found = OperatorWindow.objects.filter(ends_at__gt=now, opened_at__lte=now, closed_at=None)
    return list(found.select_related("asked_by").order_by("ends_at"))


def answer_operator(
    request: HttpRequest, access: Access, view: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """Runs a view through the staff's open window in the session's tenant, or refuses and says so in its log.

    Raises NotFound where the session is in no tenant. An answer of 400 or more undoes what the view did.
    """
    tenant_id = request.session.get(TENANT)
    if not tenant_id:
        if request.path_info == "/" and request.method == "GET":
            return HttpResponseRedirect(reverse("operator-windows"))
        raise NotFound(NOTHING_HERE)
    with open_tenant(UUID(tenant_id)):
        window = next((each for each in open_windows() if each.asked_by_id == request.user.pk), None)
    with acting(replace(current_actor(), on_behalf_of=_on_behalf_of(window))):
        owe_attempt(request, UUID(tenant_id), access.act_of(str(request.method)))
        return _look(cast("TenantRequest", request), UUID(tenant_id), window, access, view)


def _look(
    request: TenantRequest, tenant_id: UUID, window: OperatorWindow | None,
    access: Access, view: Callable[[], HttpResponseBase],
) -> HttpResponseBase:  # fmt: skip
    if window is None:
        raise NotFound(NOTHING_HERE)
    require_passkey(request)
    with open_tenant(tenant_id):
        enter(request, Tenant.objects.get(pk=tenant_id), window)
        if access.permission is None or not request.may(access.permission) or access.step_up:
            raise Forbidden("The window that the tenant granted doesn't show this.")
        if request.method not in SAFE_METHODS:
            raise Forbidden("Through a window one looks, and changes nothing.")
        response = view()
        if response.status_code >= REFUSED_FROM:
            transaction.set_rollback(True)
        else:
            record_owed()
        return response


def enter(request: TenantRequest, tenant: Tenant, window: OperatorWindow) -> None:
    """Tells the request where it is, and that it is there to look."""
    permitted = ROLE_PERMISSIONS[Role.OPERATOR] | (_WITH_EVIDENCE if window.with_evidence else frozenset())
    request.tenant, request.role, request.window = tenant, Role.OPERATOR, window
    request.windows = [window]
    request.may = lambda permission: permission in permitted  # type: ignore[method-assign]


def owe_attempt(request: HttpRequest, tenant_id: UUID, act: Act = Act.OPERATOR_ENTER) -> None:
    """Has the request stand in the tenant's log, however it ends; without effect where there is no tenant."""
    entries = current_request()
    with open_tenant(tenant_id):
        there = Tenant.objects.filter(pk=tenant_id).exists()
    if entries is not None and there:
        where = request.path_info.replace("\x00", "%00")[:LONGEST_OBJECT]
        entries.owed[tenant_id] = Noted(act, "url", where, details={"method": str(request.method)})


def _on_behalf_of(window: OperatorWindow | None) -> str:
    return f"window {window.pk}: {window.ticket}, {window.reason}" if window else ""
