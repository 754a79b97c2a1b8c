"""Passkeys: the options of their ceremonies, signing in by one, adding, removing, and where a tenant requires one."""

from __future__ import annotations

import hashlib
import secrets

import django_otp
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import after_password, freshly_verified, public, verified
from accounts.audit.events import Act
from accounts.ceremony import VALID_SECONDS, Ceremony, Purpose
from accounts.errors import Conflict, InvalidInput
from accounts.forms import PasskeyForm, SignInForm
from accounts.models import Passkey, Person
from accounts.proof import Factor, has_fresh_proof, note_proof, session_factor
from accounts.requests import actor_of, is_verified, signed_in_person
from accounts.services import passkeys as service
from accounts.services.person_log import record_for_person
from accounts.services.policy import requires_passkey
from accounts.services.second_factor import has_second_factor
from accounts.sessions import session_digest
from accounts.views.entry import begin_session, open_session
from accounts.views.pages import form_page, remember_browser, safe_path, say

MAY_CHANGE_FACTORS = frozenset({Factor.PASSKEY, Factor.RECOVERY_CODE})


@public
@require_POST
def sign_in_options(request: HttpRequest) -> HttpResponse:
    """What the browser needs to look for a passkey of whoever sits before it."""
    nonce = request.COOKIES.get(settings.CEREMONY_COOKIE_NAME) or secrets.token_urlsafe(24)
    response = _json(service.use_options(person=None, ceremony=_strangers(nonce)))
    response.set_cookie(
        settings.CEREMONY_COOKIE_NAME, nonce, max_age=VALID_SECONDS, httponly=True, samesite="Strict",
        secure=settings.SESSION_COOKIE_SECURE,
    )  # fmt: skip
    return response


@public
@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    """Signs in by a passkey alone: possession and user verification are both factors."""
    if request.user.is_authenticated:
        return redirect("second-factor")
    ceremony = _strangers(request.COOKIES.get(settings.CEREMONY_COOKIE_NAME, ""))
    try:
        passkey = service.use_passkey(
            person=None, answer=request.POST.get("credential", ""), ceremony=ceremony
        )
    except InvalidInput as error:
        form = SignInForm()
        context = {"problem": str(error), "next": request.POST.get("next", "")}
        return form_page(request, "accounts/sign_in.html", form, status=422, **context)
    person = Person.objects.get(pk=passkey.user_id)
    record_for_person(
        person.pk, Act.SIGN_IN, actor=actor_of(request, person), factor=Factor.PASSKEY.value, device=passkey.name
    )  # fmt: skip
    begin_session(request, person, wanted=request.POST.get("next", ""))
    return remember_browser(HttpResponseRedirect(open_session(request, person, passkey)), person)


@after_password
@require_POST
def confirm_options(request: HttpRequest) -> HttpResponse:
    """What the browser needs to use a passkey of the person who is signed in."""
    return _json(
        service.use_options(person=signed_in_person(request), ceremony=_own(request, Purpose.CONFIRM))
    )


@after_password
@require_POST
def creation_options(request: HttpRequest) -> HttpResponse:
    """What the browser needs to make a passkey: at the first set-up, and afterwards with a fresh proof."""
    person = signed_in_person(request)
    if has_second_factor(person) and not is_verified(request):
        return redirect("second-factor")
    if has_second_factor(person) and not has_fresh_proof(request):
        return redirect("step-up")
    return _json(service.creation_options(person=person, ceremony=_own(request, Purpose.CREATE)))


@freshly_verified
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Adds a passkey; the session counts as opened by it from then on."""
    person = signed_in_person(request)
    if not may_change_factors(request, person):
        return ask_for_passkey(request)
    form = PasskeyForm(request.POST if request.method == "POST" else None, initial=first_name_for(person))
    if request.method == "POST" and form.is_valid():
        try:
            passkey = create(request, person, form)
        except (InvalidInput, Conflict) as error:
            form.show(error if isinstance(error, InvalidInput) else InvalidInput(str(error)))
        else:
            django_otp.login(request, passkey)
            note_proof(request, Factor.PASSKEY)
            say(request, f"The passkey “{passkey.name}” is added.")
            return redirect("profile")
    return form_page(request, "accounts/passkey_new.html", form)


@freshly_verified
@require_POST
def remove(request: HttpRequest, passkey: str) -> HttpResponse:
    person = signed_in_person(request)
    if not may_change_factors(request, person):
        return ask_for_passkey(request)
    service.remove_passkey(person=person, handle=passkey)
    say(request, "The passkey is removed. Remove it in your device or password manager too.")
    return redirect("profile")


@verified
@require_http_methods(["GET", "HEAD", "POST"])
def needed(request: HttpRequest) -> HttpResponse:
    """For a member of a tenant that requires a passkey: use one now, or add the first."""
    person = signed_in_person(request)
    wanted = safe_path(
        request, request.POST.get("next", request.GET.get("next", "")), fallback=settings.LOGIN_REDIRECT_URL
    )
    problem = ""
    if request.method == "POST":
        try:
            confirm(request, person)
        except InvalidInput as error:
            problem = str(error)
        else:
            return HttpResponseRedirect(wanted)
    context = {"passkeys": service.passkeys_of(person), "next": wanted, "problem": problem}
    return form_page(
        request, "accounts/passkey_needed.html", PasskeyForm(), status=422 if problem else 200, **context
    )


def create(request: HttpRequest, person: Person, form: PasskeyForm) -> Passkey:
    """Keeps the passkey that a form brings. Raises InvalidInput, Conflict."""
    return service.add_passkey(
        person=person, answer=form.cleaned_data["credential"], name=form.cleaned_data["name"],
        ceremony=_own(request, Purpose.CREATE),
    )  # fmt: skip


def use(request: HttpRequest, person: Person) -> Passkey:
    """The passkey of the person whose answer a form brings. Raises InvalidInput."""
    answer = request.POST.get("credential", "")
    return service.use_passkey(person=person, answer=answer, ceremony=_own(request, Purpose.CONFIRM))


def confirm(request: HttpRequest, person: Person) -> None:
    """Proves both factors of a session again by a passkey; it counts as opened by it. Raises InvalidInput."""
    passkey = use(request, person)
    record_for_person(person.pk, Act.STEP_UP, factor=Factor.PASSKEY.value)
    django_otp.login(request, passkey)
    note_proof(request, Factor.PASSKEY)


def may_change_factors(request: HttpRequest, person: Person) -> bool:
    """False where a tenant requires passkeys, and whoever sits there has shown nothing as strong.

    Else whoever phished password and code could add a passkey of their own. A lost passkey is replaced after
    signing in by a recovery code; the first one of all is added by whoever is let in without.
    """
    if session_factor(request) in MAY_CHANGE_FACTORS or not service.passkeys_of(person):
        return True
    return not requires_passkey(person)


def ask_for_passkey(request: HttpRequest) -> HttpResponse:
    """Sends to the page that asks for a passkey, and back."""
    back = request.get_full_path() if request.method == "GET" else reverse("profile")
    return HttpResponseRedirect(f"{reverse('passkey-needed')}?{urlencode({'next': back})}")


def first_name_for(person: Person) -> dict[str, str]:
    """A name to begin with."""
    return {"name": f"Passkey {len(service.passkeys_of(person)) + 1}"}


def _own(request: HttpRequest, purpose: Purpose) -> Ceremony:
    return Ceremony(purpose, str(request.user.pk), session_digest(request.session.session_key))


def _strangers(nonce: str) -> Ceremony:
    return Ceremony(Purpose.SIGN_IN, "", hashlib.sha256(nonce.encode()).hexdigest())


def _json(options: str) -> HttpResponse:
    return HttpResponse(options, content_type="application/json")
