"""The page on which owners let an identity provider provision: tokens, groups and their roles. For owners."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.conf import settings
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act, ActorKind
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput
from accounts.forms import RefusableForm
from accounts.models import AuditEntry, ScimGroup, ScimGroupMember, ScimToken, VerifiedDomain
from accounts.permissions import PROVISIONED_ROLES, Permission
from accounts.scim.roles import change_default_role, give_group_role
from accounts.scim.tokens import LONGEST_DAYS, TokenMade, create_token, revoke_token
from accounts.views.pages import form_page, say

SHOWN_REQUESTS, SHOWN_GROUPS, SHOWN_TOKENS = 20, 200, 20


class TokenForm(RefusableForm):
    name = forms.CharField(
        label="Name", max_length=100, help_text="Such as the provider's name and the year."
    )
    days = forms.IntegerField(label="Days until it ends", min_value=1, max_value=LONGEST_DAYS, initial=180)


class ProvisionedRoleForm(RefusableForm):
    role = forms.CharField(max_length=32, required=False)


@requires(Permission.TENANT_CHANGE)
@require_safe
def provisioning(request: TenantRequest) -> HttpResponse:
    record(Act.PROVISIONING_READ, object_type="page", object_id="provisioning")
    return _page(request, TokenForm())


@requires(Permission.TENANT_CHANGE, act=Act.PROVISIONING_TOKEN_CREATE, step_up=True)
@require_POST
def token_create(request: TenantRequest) -> HttpResponse:
    """Shows the token this once: it is in no address and nowhere kept."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    try:
        made = create_token(**form.cleaned_data, by=request.membership)
    except (InvalidInput, Conflict) as error:
        form.show(error if isinstance(error, InvalidInput) else InvalidInput(str(error)))
        return _page(request, form)
    return _page(request, TokenForm(), made)


@requires(Permission.TENANT_CHANGE, act=Act.PROVISIONING_TOKEN_REVOKE, step_up=True)
@require_POST
def token_revoke(request: TenantRequest, token_id: UUID) -> HttpResponse:
    revoke_token(token_id=token_id)
    say(request, "The token is revoked.")
    return redirect("provisioning")


@requires(Permission.TENANT_CHANGE, act=Act.PROVISIONING_CHANGE, step_up=True)
@require_POST
def group_role(request: TenantRequest, scim_group_id: UUID) -> HttpResponse:
    group = give_group_role(group_id=scim_group_id, role=_role(request))
    say(
        request,
        f"{group.display_name} gives {group.get_role_display().lower() if group.role else 'no role'}.",
    )
    return redirect("provisioning")


@requires(Permission.TENANT_CHANGE, act=Act.PROVISIONING_CHANGE, step_up=True)
@require_POST
def default_role(request: TenantRequest) -> HttpResponse:
    change_default_role(role=_role(request))
    say(request, "The role without a group is changed.")
    return redirect("provisioning")


def _role(request: TenantRequest) -> str:
    form = ProvisionedRoleForm(request.POST)
    if not form.is_valid():
        raise InvalidInput("Choose one of the roles.", field="role")
    return str(form.cleaned_data["role"])


def _page(request: TenantRequest, form: TokenForm, made: TokenMade | None = None) -> HttpResponse:
    now = timezone.now()
    tokens = ScimToken.objects.select_related("created_by").order_by("-created_at")[:SHOWN_TOKENS]
    requests = AuditEntry.objects.filter(actor_kind=ActorKind.MACHINE, act__startswith="provisioning.")
    return form_page(
        request, "accounts/provisioning.html", form, made=made,
        base_url=settings.SITE_URL.rstrip("/") + reverse("scim").rstrip("/"),
        tokens=[(token, token.is_live(now)) for token in tokens], groups=_groups(), roles=PROVISIONED_ROLES,
        domains=VerifiedDomain.objects.exclude(verified_at=None).order_by("domain"),
        requests=requests.order_by("-occurred_at")[:SHOWN_REQUESTS],
    )  # fmt: skip


def _groups() -> list[ScimGroup]:
    members = ScimGroupMember.objects.filter(group=OuterRef("pk")).order_by().values("group")
    counted = Coalesce(Subquery(members.annotate(n=Count("pk")).values("n")), 0, output_field=IntegerField())
    return list(ScimGroup.objects.annotate(members=counted).order_by("display_name", "id")[:SHOWN_GROUPS])
