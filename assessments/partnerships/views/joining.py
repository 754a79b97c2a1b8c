"""The page of an invitation's link: signing up, signing in, and accepting in an organisation's name."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.access import public
from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import Person
from accounts.operators.gate import is_operator
from accounts.permissions import Permission
from accounts.proof import has_fresh_proof
from accounts.refusals import NOTHING_HERE, ask_step_up
from accounts.requests import is_sso, is_verified, signed_in_person
from accounts.sessions import NEXT, TENANT
from accounts.standing import MembershipFound, enter_to_act, tenants_to_act_for
from accounts.views.entry import begin_session
from accounts.views.pages import form_page, say
from assessments.partnerships import services
from assessments.partnerships.forms import AcceptForm, OrganisationForm, SignUpForm
from assessments.partnerships.services import Offer


@public
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    if is_operator(request):
        raise NotFound(NOTHING_HERE)
    offer = services.find_offer(token=token)
    if request.user.is_authenticated:
        return _for_who_is_signed_in(request, offer, token)
    if offer.has_account:
        sign_in = f"{reverse('sign-in')}?{urlencode({'next': request.path})}"
        return TemplateResponse(request, "partnerships/sign_in.html", {"offer": offer, "sign_in": sign_in})
    return _for_who_is_new(request, offer, token)


def _for_who_is_new(request: HttpRequest, offer: Offer, token: str) -> HttpResponse:
    form = SignUpForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            person, tenant = services.sign_up(token=token, **form.cleaned_data)
        except (InvalidInput, Conflict) as error:
            form.show(error if isinstance(error, InvalidInput) else InvalidInput(str(error)))
        else:
            begin_session(request, person, wanted=request.path)
            request.session[TENANT] = str(tenant.pk)
            return redirect("second-factor-set-up")
    return form_page(request, "partnerships/sign_up.html", form, offer=offer)


def _for_who_is_signed_in(request: HttpRequest, offer: Offer, token: str) -> HttpResponse:
    person = signed_in_person(request)
    if person.email != offer.email:
        return TemplateResponse(request, "partnerships/another_address.html", {"offer": offer}, status=409)
    if not is_verified(request):
        request.session[NEXT] = request.path
        return redirect("second-factor")
    if request.method == "POST" and not has_fresh_proof(request):
        return ask_step_up(request)
    found = tenants_to_act_for(request, Permission.PARTNER_CHANGE)
    able = [each for each in found if each.tenant_id != offer.upstream_id]
    if able:
        return _for_who_decides(request, offer, token, able)
    return _for_who_decides_nowhere(request, offer, token, person)


def _for_who_decides(
    request: HttpRequest, offer: Offer, token: str, able: list[MembershipFound]
) -> HttpResponse:
    form = AcceptForm(request.POST if request.method == "POST" else None, tenants=able)
    if request.method != "POST" or not form.is_valid():
        return form_page(request, "partnerships/accept.html", form, offer=offer, able=able)
    enter_to_act(request, form.chosen())
    made = services.accept_offer(token=token, person=signed_in_person(request), tenant_id=form.chosen())
    return _accepted(request, offer, made.pk)


def _for_who_decides_nowhere(request: HttpRequest, offer: Offer, token: str, person: Person) -> HttpResponse:
    """They have an account, and no organisation that could accept: they found it here."""
    if is_sso(request):
        raise Forbidden(
            "You came by your organisation's sign-in, and your role there can't accept this. Ask an owner or security"
            " official of your organisation to be invited."
        )
    form = OrganisationForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return form_page(request, "partnerships/found.html", form, offer=offer)
    made, tenant = services.found_and_accept(
        token=token, person=person, organisation=form.cleaned_data["organisation"]
    )
    request.session[TENANT] = str(tenant.pk)
    return _accepted(request, offer, made.pk)


def _accepted(request: HttpRequest, offer: Offer, partnership_id: object) -> HttpResponse:
    say(request, f"You work with {offer.upstream_name} here now. They see nothing before you share it.")
    return redirect("covered-entity", partnership_id)
