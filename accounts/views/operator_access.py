"""The tenant's word on the operator's staff: who asked, who looks, and the end of it. For owners."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.forms import RefusableForm
from accounts.models import OperatorWindow
from accounts.operators.windows import close_window, grant_window, switch_emergency_access
from accounts.permissions import Permission
from accounts.views.pages import say

SHOWN = 100


class GrantForm(RefusableForm):
    with_evidence = forms.BooleanField(label="Show evidence too", required=False)


class EmergencyForm(RefusableForm):
    allowed = forms.BooleanField(label="Allow emergency access", required=False)


@requires(Permission.TENANT_CHANGE)
@require_safe
def operator_access(request: TenantRequest) -> HttpResponse:
    record(Act.OPERATOR_ACCESS_READ, object_type="page", object_id="operator-access")
    now = timezone.now()
    windows = OperatorWindow.objects.select_related("asked_by", "approved_by", "granted_by", "closed_by")
    listed = [(window, window.state(now)) for window in windows.order_by("-asked_at")[:SHOWN]]
    return TemplateResponse(request, "accounts/operator_access.html", {"listed": listed})


@requires(Permission.TENANT_CHANGE, act=Act.OPERATOR_GRANT, step_up=True)
@require_POST
def window_grant(request: TenantRequest, window_id: UUID) -> HttpResponse:
    form = GrantForm(request.POST)
    form.is_valid()
    window = grant_window(
        window_id=window_id, by=request.membership, with_evidence=form.cleaned_data["with_evidence"]
    )
    say(request, f"{window.asked_by} can look for {window.hours} h.")
    return redirect("operator-access")


@requires(Permission.TENANT_CHANGE, act=Act.OPERATOR_CLOSE)
@require_POST
def window_close(request: TenantRequest, window_id: UUID) -> HttpResponse:
    """Asks for no fresh proof: to end a visit must be quick."""
    close_window(window_id=window_id, by=request.membership)
    say(request, "It is closed.")
    return redirect("operator-access")


@requires(Permission.TENANT_CHANGE, act=Act.OPERATOR_ACCESS_CHANGE, step_up=True)
@require_POST
def emergency_access(request: TenantRequest) -> HttpResponse:
    form = EmergencyForm(request.POST)
    form.is_valid()
    allowed = form.cleaned_data["allowed"]
    switch_emergency_access(allowed=allowed)
    say(request, "Emergency access is allowed." if allowed else "Emergency access is switched off.")
    return redirect("operator-access")
