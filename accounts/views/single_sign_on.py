"""Signing in by the organisation's identity provider: there, back, and proving oneself again."""

from __future__ import annotations

import time
from typing import cast
from uuid import UUID

import structlog
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import sessions
from accounts.access import public, verified_or_sso
from accounts.addresses import normalize_email
from accounts.audit.events import Act, ActOutcome
from accounts.audit.log import record
from accounts.errors import InvalidInput, PortalError, Unavailable
from accounts.forms import CodeForm
from accounts.models import Person
from accounts.proof import Factor, after_step_up, note_proof
from accounts.requests import actor_of, is_sso, signed_in_person
from accounts.services.second_factor import match_code
from accounts.sso import saml
from accounts.sso.admission import admit, foresee
from accounts.sso.domains import domain_of
from accounts.sso.facts import FlowOver, RefusedAssertion
from accounts.sso.flows import Begun, Finished, answer_saml, begin_flow, finish_oidc, finish_saml
from accounts.sso.forms import OrganisationForm
from accounts.sso.models import ExternalIdentity, IdentityProvider, Purpose
from accounts.sso.policy import proves_second_factor
from accounts.sso.providers import find_provider, parties_of
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import domain_holder, sso_provider_tenant
from accounts.views.entry import begin_session
from accounts.views.pages import form_page, safe_path, say

COOKIE_SECONDS = 600
NOT_FOUND_BY_ADDRESS = (
    "No sign-in page of an organisation belongs to this address. Check it, use the link that your organisation gave"
    " you, or sign in with your password."
)

logger = structlog.get_logger()


@public
@require_http_methods(["GET", "HEAD", "POST"])
def organisation(request: HttpRequest) -> HttpResponse:
    """Asks for the address, whose domain leads to the provider.

    An unknown domain, one that nobody proved, one without a provider, and one whose tenant isn't listed all get the
    same answer. That a known one leads away can't be hidden: the provider's page is what was asked for.
    """
    form = OrganisationForm(request.POST if request.method == "POST" else None)
    wanted = request.POST.get("next", "") or request.GET.get("next", "")
    if request.method == "POST" and form.is_valid():
        begun = _begin_by_address(request, form.cleaned_data["email"], wanted)
        if begun:
            return leave(request, begun)
        form.add_error("email", NOT_FOUND_BY_ADDRESS)
    return form_page(request, "accounts/sso_organisation.html", form, next=wanted)


@public
@require_safe
def start(request: HttpRequest, entrance: UUID) -> HttpResponse:
    """A provider's own way in, for bookmarks and for the provider's list of applications."""
    with open_tenant(_tenant_of(entrance)):
        provider = _enabled(find_provider(entrance))
        begun = begin_flow(provider=provider, purpose=Purpose.SIGN_IN, wanted=_wanted(request))
    return leave(request, begun)


@public
@require_safe
def callback(request: HttpRequest, entrance: UUID) -> HttpResponse:
    """OIDC's redirect URI."""
    tenant_id, said = _tenant_of(entrance), request.GET
    try:
        finished = finish_oidc(
            tenant_id=tenant_id, provider_id=entrance, state=said.get("state", ""), cookie=_cookie(request),
            code=said.get("code", ""), error=said.get("error", ""), issuer=said.get("iss", ""),
        )  # fmt: skip
        return _go_on(request, tenant_id, finished)
    except (RefusedAssertion, FlowOver, Unavailable) as error:
        return _refused(request, tenant_id, entrance, error)


@csrf_exempt
@public
@sensitive_post_parameters("SAMLResponse")
@require_POST
def acs(request: HttpRequest, entrance: UUID) -> HttpResponse:
    """SAML's assertion consumer. The browser sends no cookie with this form, so it fetches the result by `finish`."""
    tenant_id = _tenant_of(entrance)
    try:
        with open_tenant(tenant_id):
            answer_saml(provider=find_provider(entrance), encoded=request.POST.get("SAMLResponse", ""))
    except (RefusedAssertion, FlowOver) as error:
        return _refused(request, tenant_id, entrance, error)
    return redirect("sso-finish", entrance, preserve_request=False)


@public
@require_safe
def finish(request: HttpRequest, entrance: UUID) -> HttpResponse:
    """The second half of a SAML sign-in, in the browser that began it."""
    tenant_id = _tenant_of(entrance)
    try:
        return _go_on(
            request,
            tenant_id,
            finish_saml(tenant_id=tenant_id, provider_id=entrance, cookie=_cookie(request)),
        )
    except (RefusedAssertion, FlowOver) as error:
        return _refused(request, tenant_id, entrance, error)


@public
@require_safe
def metadata(request: HttpRequest, entrance: UUID) -> HttpResponse:  # noqa: ARG001 (a view's)
    """This portal as a SAML service provider, for one provider of a tenant."""
    with open_tenant(_tenant_of(entrance)):
        provider = find_provider(entrance)
        if provider.is_oidc:
            raise Http404
        document = saml.our_metadata(parties_of(provider))
    return HttpResponse(document, content_type="application/samlmetadata+xml")


@verified_or_sso
@require_safe
def step_up(request: HttpRequest) -> HttpResponse:
    """Begins a fresh authentication at the provider that the session came from."""
    tenant_id = request.session.get(sessions.SSO_TENANT)
    if not tenant_id:
        raise Http404
    person = signed_in_person(request)
    with open_tenant(UUID(tenant_id)):
        provider = _enabled(find_provider(UUID(request.session[sessions.SSO_PROVIDER])))
        begun = begin_flow(provider=provider, purpose=Purpose.STEP_UP, person=person, hint=person.email)
    return leave(request, begun)


@verified_or_sso
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def step_up_code(request: HttpRequest) -> HttpResponse:
    """Our own second factor after the provider's first one, where its word isn't taken for both."""
    proved_at = request.session.get(sessions.SSO_PROVED_AT, 0)
    if not is_sso(request) or time.time() - proved_at > COOKIE_SECONDS:
        return redirect("step-up")
    person, form = signed_in_person(request), CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if match_code(person=person, code=form.cleaned_data["code"]):
            return _proved_again(request, person)
        _record_step_up(request, person, ActOutcome.FAILED)
        form.add_error(
            "code", "This code isn't right, or was used before. Enter the one that the app shows now."
        )
    return form_page(request, "accounts/sso_code.html", form)


def leave(request: HttpRequest, begun: Begun) -> HttpResponse:
    """Sends the browser to the provider by a page that goes on by itself.

    A redirect would do, but browsers hold a form's redirects to the page's form-action, which is this site alone.
    """
    response = TemplateResponse(request, "accounts/sso_leave.html", {"url": begun.url})
    response.set_cookie(
        _cookie_name(), begun.cookie, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )  # fmt: skip
    return response


def _begin_by_address(request: HttpRequest, email: str, wanted: str) -> Begun | None:
    try:
        address = normalize_email(email)
    except InvalidInput:
        return None
    holder = domain_holder(domain_of(address))
    if holder is None:
        return None
    with open_tenant(holder.tenant_id):
        listed = IdentityProvider.objects.filter(enabled=True, listed=True).order_by("created_at").first()
        if listed is None:
            return None
        path = safe_path(request, wanted, fallback=settings.LOGIN_REDIRECT_URL)
        return begin_flow(provider=listed, purpose=Purpose.SIGN_IN, wanted=path, hint=address)


def _go_on(request: HttpRequest, tenant_id: UUID, finished: Finished) -> HttpResponse:
    match Purpose(finished.flow.purpose):
        case Purpose.TEST:
            return _tested(request, tenant_id, finished)
        case Purpose.STEP_UP:
            return _stepped_up(request, tenant_id, finished)
        case Purpose.SIGN_IN:
            return _sign_in(request, tenant_id, finished)


def _sign_in(request: HttpRequest, tenant_id: UUID, finished: Finished) -> HttpResponse:
    with open_tenant(tenant_id):
        provider = _enabled(find_provider(finished.flow.provider_id))
        proved = proves_second_factor(provider, finished.asserted)

        def signing_in(person: Person) -> None:
            record(
                Act.SIGN_IN, object_type="person", object_id=person.pk, actor=actor_of(request, person),
                by="single sign-on", provider=str(provider.pk), second_factor=proved,
                methods=list(finished.asserted.methods)[:20],
            )  # fmt: skip

        person = admit(provider=provider, asserted=finished.asserted, signing_in=signing_in)
    # Nothing of a session that was there before may last into one that is bound to the tenant.
    request.session.flush()
    begin_session(request, person, wanted=finished.flow.wanted)
    request.session[sessions.SSO_TENANT] = request.session[sessions.TENANT] = str(tenant_id)
    request.session[sessions.SSO_PROVIDER] = str(provider.pk)
    request.session[sessions.REAUTHENTICATE_AT] = reverse("sso-step-up")
    if not proved:
        return redirect("second-factor")
    request.session[sessions.SSO_VERIFIED] = True
    note_proof(request, Factor.SSO)
    return HttpResponseRedirect(request.session.pop(sessions.NEXT))


def _stepped_up(request: HttpRequest, tenant_id: UUID, finished: Finished) -> HttpResponse:
    person_id = cast("UUID", finished.flow.person_id)
    with open_tenant(tenant_id):
        provider = _enabled(find_provider(finished.flow.provider_id))
        link = ExternalIdentity.objects.filter(
            provider=provider, subject=finished.asserted.subject, person_id=person_id
        )
        same = link.exists() and request.user.pk == person_id
        proved = proves_second_factor(provider, finished.asserted)
    if not same or request.session.get(sessions.SSO_PROVIDER) != str(provider.pk):
        raise RefusedAssertion("The provider named somebody else than who is signed in here.")
    request.session[sessions.SSO_PROVED_AT] = int(time.time())
    return _proved_again(request, signed_in_person(request)) if proved else redirect("sso-step-up-code")


def _proved_again(request: HttpRequest, person: Person) -> HttpResponse:
    _record_step_up(request, person, ActOutcome.DONE)
    request.session.pop(sessions.SSO_PROVED_AT, None)
    note_proof(request, Factor.SSO)
    return HttpResponseRedirect(after_step_up(request))


def _record_step_up(request: HttpRequest, person: Person, outcome: ActOutcome) -> None:
    with open_tenant(UUID(request.session[sessions.SSO_TENANT])):
        record(
            Act.STEP_UP, object_type="person", object_id=person.pk, outcome=outcome, factor=Factor.SSO.value
        )


def _tested(request: HttpRequest, tenant_id: UUID, finished: Finished) -> HttpResponse:
    """Notes what a sign-in would have done. Nobody is signed in by a test."""
    if request.user.pk != finished.flow.person_id:
        raise FlowOver("The test was begun by somebody else.")
    asserted = finished.asserted
    with open_tenant(tenant_id):
        provider = find_provider(finished.flow.provider_id, lock=True)
        report = {**asserted.as_json(), "second_factor": proves_second_factor(provider, asserted)}
        try:
            foreseen = foresee(provider=provider, asserted=asserted)
        except RefusedAssertion as error:
            report["problem"] = str(error)
        else:
            report |= {"role": foreseen.role.label, "known": foreseen.known}
            provider.tested_at = timezone.now()
        provider.test_report = report
        provider.save(update_fields=["tested_at", "test_report"])
        record(
            Act.SSO_TEST, object_type="provider", object_id=provider.pk,
            outcome=ActOutcome.FAILED if "problem" in report else ActOutcome.DONE,
        )  # fmt: skip
    if "problem" not in report:
        say(request, "The provider's answer holds. This is what a sign-in would do.")
    return redirect("sso-provider", provider.pk)


def _refused(request: HttpRequest, tenant_id: UUID, provider_id: UUID, error: PortalError) -> HttpResponse:
    """The page of a sign-in that failed, and its entry in the tenant's log.

    An answer to nothing that was asked isn't recorded there, or strangers could fill the log.
    """
    if not isinstance(error, FlowOver):
        with open_tenant(tenant_id):
            record(
                Act.SIGN_IN, object_type="provider", object_id=provider_id, outcome=ActOutcome.FAILED,
                reason=str(error)[:300],
            )  # fmt: skip
    logger.info("sso.refused", provider=str(provider_id), reason=error.slug)
    context = {"message": str(error), "start": reverse("sso-start", args=[provider_id])}
    response = TemplateResponse(request, "accounts/sso_refused.html", context, status=error.status)
    response.delete_cookie(_cookie_name(), samesite="Lax")
    return response


def _tenant_of(provider_id: UUID) -> UUID:
    tenant_id = sso_provider_tenant(provider_id)
    if tenant_id is None:
        raise Http404
    return tenant_id


def _enabled(provider: IdentityProvider) -> IdentityProvider:
    if not provider.enabled:
        raise Http404
    return provider


def _wanted(request: HttpRequest) -> str:
    return safe_path(request, request.GET.get("next", ""), fallback=settings.LOGIN_REDIRECT_URL)


def _cookie(request: HttpRequest) -> str:
    return request.COOKIES.get(_cookie_name(), "")


def _cookie_name() -> str:
    return "__Host-sso" if settings.PRODUCTION else "sso"
