"""Members of the tenant, their roles, and invitations. Only for who may change members."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput
from accounts.forms import InvitationForm, RoleForm
from accounts.invitation_mail import send_after_commit
from accounts.models import Invitation, Membership
from accounts.permissions import MEMBER_ROLES, Permission
from accounts.services.invitations import invite, revoke_invitation
from accounts.services.members import change_role, grantable_roles, remove_member
from accounts.views.pages import form_page, say


@requires(Permission.MEMBER_READ)
@require_safe
def member_list(request: TenantRequest) -> HttpResponse:
    record(Act.MEMBER_LIST)
    return _page(request, InvitationForm(roles=grantable_roles(request.role)))


@requires(Permission.MEMBER_CHANGE, act=Act.INVITATION_CREATE, step_up=True)
@require_POST
def invite_member(request: TenantRequest) -> HttpResponse:
    form = InvitationForm(request.POST, roles=grantable_roles(request.role))
    if not form.is_valid():
        return _page(request, form)
    try:
        made = invite(
            email=form.cleaned_data["email"], role=form.chosen(), by=request.membership,
            membership_ends_at=form.cleaned_data["ends_on"],
        )  # fmt: skip
    except (InvalidInput, Conflict) as error:
        form.show(error if isinstance(error, InvalidInput) else InvalidInput(str(error), field="email"))
        return _page(request, form)
    send_after_commit(request, made)
    say(request, f"{made.invitation.email} is invited. The link in the message is good for seven days.")
    return redirect("member-list")


@requires(Permission.MEMBER_CHANGE, act=Act.INVITATION_REVOKE, step_up=True)
@require_POST
def invitation_revoke(request: TenantRequest, invitation_id: UUID) -> HttpResponse:
    revoke_invitation(invitation_id=invitation_id, by=request.membership)
    say(request, "The invitation is withdrawn.")
    return redirect("member-list")


@requires(Permission.MEMBER_CHANGE, act=Act.MEMBER_ROLE_CHANGE, step_up=True)
@require_POST
def member_role(request: TenantRequest, membership_id: UUID) -> HttpResponse:
    form = RoleForm(request.POST, roles=list(MEMBER_ROLES))
    if not form.is_valid():
        raise InvalidInput("Choose one of the roles.", field="role")
    member = change_role(membership_id=membership_id, role=form.chosen(), by=request.membership)
    say(request, f"{member.person} is now {form.chosen().label.lower()}.")
    return redirect("member-list")


@requires(Permission.MEMBER_CHANGE, act=Act.MEMBER_REMOVE, step_up=True)
@require_POST
def member_remove(request: TenantRequest, membership_id: UUID) -> HttpResponse:
    remove_member(membership_id=membership_id, by=request.membership)
    say(request, "The member is removed.")
    return redirect("tenant-list" if membership_id == request.membership.pk else "member-list")


def _page(request: TenantRequest, form: InvitationForm) -> HttpResponse:
    now = timezone.now()
    living = Q(ends_at=None) | Q(ends_at__gt=now)
    roles = grantable_roles(request.role)
    members = (
        Membership.objects.filter(living).select_related("person").order_by("person__name", "person__email")
    )
    waiting = Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=now)
    return form_page(
        request, "accounts/member_list.html", form, members=members, roles=roles, own=request.membership.pk,
        invitations=waiting.select_related("invited_by").order_by("-created_at"),
        may_change=request.may(Permission.MEMBER_CHANGE),
    )  # fmt: skip
