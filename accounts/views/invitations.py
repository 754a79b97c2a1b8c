"""Taking up an invitation: as who is signed in, or as a new person."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.access import public
from accounts.audit.log import acting
from accounts.errors import Conflict, Forbidden, InvalidInput
from accounts.forms import NewPersonForm
from accounts.requests import actor_of, is_sso, is_verified, signed_in_person
from accounts.services.invitations import InvitationOffer, accept_invitation, find_invitation
from accounts.services.people import create_person
from accounts.sessions import NEXT, TENANT
from accounts.tenancy.scope import open_tenant
from accounts.views.entry import begin_session
from accounts.views.pages import form_page, say


@public
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    offer = find_invitation(token=token)
    if request.user.is_authenticated:
        return _for_who_is_signed_in(request, offer, token)
    if offer.person:
        return _ask_to_sign_in(request, offer)
    form = NewPersonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            return _join_as_new_person(request, offer, token, form)
        except (InvalidInput, Conflict) as error:
            form.show(error if isinstance(error, InvalidInput) else InvalidInput(str(error)))
    return form_page(request, "accounts/invitation_new.html", form, offer=offer)


def _for_who_is_signed_in(request: HttpRequest, offer: InvitationOffer, token: str) -> HttpResponse:
    person = signed_in_person(request)
    if person.email != offer.email:
        return TemplateResponse(request, "accounts/invitation_other.html", {"offer": offer}, status=409)
    if is_sso(request) and request.session.get(TENANT) != str(offer.tenant.pk):
        raise Forbidden(
            "You came by your organisation's sign-in, which opens that tenant alone. Sign out, then take up the"
            " invitation."
        )
    if not is_verified(request):
        request.session[NEXT] = request.path
        return redirect("second-factor")
    if request.method != "POST":
        return TemplateResponse(request, "accounts/invitation_accept.html", {"offer": offer})
    accept_invitation(token=token, person=person)
    request.session[TENANT] = str(offer.tenant.pk)
    say(request, f"You are now a member of {offer.tenant}.")
    return redirect("overview")


def _ask_to_sign_in(request: HttpRequest, offer: InvitationOffer) -> HttpResponse:
    sign_in = f"{reverse('sign-in')}?{urlencode({'next': request.path})}"
    return TemplateResponse(request, "accounts/invitation_sign_in.html", {"offer": offer, "sign_in": sign_in})


def _join_as_new_person(
    request: HttpRequest, offer: InvitationOffer, token: str, form: NewPersonForm
) -> HttpResponse:
    # One transaction: a person without membership would be left over when the invitation is taken meanwhile.
    with open_tenant(offer.tenant.pk):
        person = create_person(
            email=offer.email, name=form.cleaned_data["name"], password=form.cleaned_data["password"]
        )
        with acting(actor_of(request, person)):
            accept_invitation(token=token, person=person)
    begin_session(request, person)
    request.session[TENANT] = str(offer.tenant.pk)
    return redirect("second-factor-set-up")
