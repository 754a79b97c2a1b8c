"""The upstream party invites, withdraws invitations, and ends partnerships."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.permissions import Permission
from accounts.views.pages import form_page, say
from assessments.partners.services import find_business_associate
from assessments.partnerships import services
from assessments.partnerships.forms import EndForm, InviteForm

TAB = "partnership"
"""The slug of the tab on the business associate's page."""


@requires(Permission.PARTNER_CHANGE, act=Act.PARTNERSHIP_INVITE, step_up=True)
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: TenantRequest, associate_id: UUID) -> HttpResponse:
    associate = find_business_associate(associate_id=associate_id)
    known = associate.official_email or associate.contact_email
    form = InviteForm(request.POST if request.method == "POST" else None, initial={"email": known})
    if request.method == "POST" and form.is_valid():
        try:
            sent = services.invite_associate(
                associate_id=associate_id, email=form.cleaned_data["email"], by=request.user
            )
        except (InvalidInput, Conflict) as error:
            form.show(error if isinstance(error, InvalidInput) else InvalidInput(str(error)))
        else:
            say(request, f"{sent.invitation.email} is invited. The link in the message is good for 14 days.")
            return redirect("business-associate-tab", associate_id, TAB)
    return form_page(request, "partnerships/invite.html", form, associate=associate)


@requires(Permission.PARTNER_CHANGE, act=Act.PARTNERSHIP_INVITATION_REVOKE, step_up=True)
@require_POST
def revoke(request: TenantRequest, associate_id: UUID, offer_id: UUID) -> HttpResponse:
    services.revoke_offer(associate_id=associate_id, offer_id=offer_id)
    say(request, "The invitation is withdrawn.")
    return redirect("business-associate-tab", associate_id, TAB)


@requires(Permission.PARTNER_CHANGE, act=Act.PARTNERSHIP_END, step_up=True)
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: TenantRequest, associate_id: UUID) -> HttpResponse:
    associate = find_business_associate(associate_id=associate_id)
    partnership = services.standing_partnership(associate)
    if partnership is None:
        raise NotFound("There is no partnership to end.")
    form = EndForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        services.end_partnership(associate_id=associate_id, reason=form.cleaned_data["reason"])
        say(
            request, f"The partnership is ended. {partnership.downstream_name} reads nothing of you any more."
        )
        return redirect("business-associate-tab", associate_id, TAB)
    return form_page(request, "partnerships/end.html", form, associate=associate, partnership=partnership)
