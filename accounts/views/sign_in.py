"""Signing in: e-mail and password, then a code; the set-up of the code at the first time; signing out."""

from __future__ import annotations

from functools import partial

import structlog
from django.contrib.auth import authenticate, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_otp.models import Device

from accounts.access import after_password, public
from accounts.addresses import email_digest
from accounts.after_answer import AnsweredFirst
from accounts.audit.events import Act, ActOutcome
from accounts.audit.log import Actor, one_act
from accounts.errors import Conflict, Forbidden, InvalidInput
from accounts.forms import CodeForm, FirstCodeForm, PasskeyForm, RefusableForm, SignInForm
from accounts.models import Person, RecoveryCodeDevice
from accounts.requests import actor_of, client_address, is_sso, is_verified, signed_in_person
from accounts.services.passkeys import passkeys_of
from accounts.services.person_log import record_for_person
from accounts.services.second_factor import (
    confirm_totp,
    create_recovery_codes,
    has_app,
    has_second_factor,
    match_code,
    second_factor_wait,
)
from accounts.throttle import begin_try, clear_tries
from accounts.views import passkeys
from accounts.views.entry import begin_session, complete_sign_in, wanted_path
from accounts.views.pages import (
    UNFIT,
    form_page,
    is_known_browser,
    remember_browser,
    say,
    too_many_tries,
    totp_seed,
)

WRONG = "The e-mail address or the password isn't right."

logger = structlog.get_logger()


@public
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("second-factor")
    form = SignInForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return form_page(request, "accounts/sign_in.html", form, next=request.GET.get("next", ""))
    email, address = form.cleaned_data["email"], client_address(request)
    known = is_known_browser(request, email)
    until = begin_try(email, address, known_browser=known)
    if until:
        return _ask_to_wait(request, form, (until - timezone.now()).total_seconds())
    person = authenticate(request, username=email, password=form.cleaned_data["password"])
    if not isinstance(person, Person):
        return _refuse(request, form)
    clear_tries(email, address, known_browser=known)
    record_for_person(person.pk, Act.SIGN_IN, actor=actor_of(request, person))
    begin_session(request, person, wanted=request.POST.get("next", ""))
    return redirect("second-factor")


def _refuse(request: HttpRequest, form: SignInForm) -> HttpResponse:
    form.add_error(None, WRONG)
    context = {"form": form, "focus": "password", "next": request.POST.get("next", "")}
    # Recording takes longer for an address that somebody has, and the time of an answer shall not tell that.
    response = AnsweredFirst(request, "accounts/sign_in.html", context, status=UNFIT)
    response.work = partial(_record_failure, form.cleaned_data["email"], actor_of(request))
    return response


def _ask_to_wait(request: HttpRequest, form: CodeForm | SignInForm, seconds: float) -> HttpResponse:
    template = "accounts/sign_in.html" if isinstance(form, SignInForm) else "accounts/second_factor.html"
    return too_many_tries(request, template, form, seconds, next=request.POST.get("next", ""))


def _record_failure(email: str, actor: Actor) -> None:
    logger.info("sign_in.failed", email=email_digest(email), address=actor.address)
    person = Person.objects.filter(email=email.strip().lower()).first()
    if person:
        record_for_person(
            person.pk, Act.SIGN_IN, outcome=ActOutcome.FAILED, actor=actor, disabled=not person.is_active
        )


@after_password
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    person = signed_in_person(request)
    if is_verified(request):
        return HttpResponseRedirect(wanted_path(request))
    if not has_second_factor(person):
        return redirect("second-factor-set-up")
    return (
        _second_factor_by_passkey(request, person)
        if "credential" in request.POST
        else _by_code(request, person)
    )


def _by_code(request: HttpRequest, person: Person) -> HttpResponse:
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _code_page(request, person, form)
    waited_for = second_factor_wait(person)
    device = match_code(person=person, code=form.cleaned_data["code"])
    if device:
        return _let_in(request, person, device)
    if waited_for:
        return _ask_to_wait(request, form, (waited_for - timezone.now()).total_seconds())
    record_for_person(person.pk, Act.SECOND_FACTOR, outcome=ActOutcome.FAILED)
    form.add_error("code", "This code isn't right, or was used before. Enter the one that the app shows now.")
    return _code_page(request, person, form)


def _second_factor_by_passkey(request: HttpRequest, person: Person) -> HttpResponse:
    with one_act():
        try:
            passkey = passkeys.use(request, person)
        except InvalidInput as error:
            record_for_person(person.pk, Act.SECOND_FACTOR, outcome=ActOutcome.FAILED)
            return _code_page(request, person, CodeForm(), problem=str(error))
        return _let_in(request, person, passkey)


def _code_page(request: HttpRequest, person: Person, form: CodeForm, problem: str = "") -> HttpResponse:
    context = {"passkeys": passkeys_of(person), "has_app": has_app(person), "problem": problem}
    status = UNFIT if problem else None
    return form_page(request, "accounts/second_factor.html", form, status=status, **context)


def _let_in(request: HttpRequest, person: Person, device: Device) -> HttpResponse:
    wanted = complete_sign_in(request, person, device)
    if isinstance(device, RecoveryCodeDevice):
        say(request, "A recovery code was used up. Make new ones in your profile before they run out.")
    return remember_browser(HttpResponseRedirect(wanted), person)


@after_password
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def set_up_second_factor(request: HttpRequest) -> HttpResponse:
    """The first factor beside the password: a passkey, or else an authenticator app."""
    person = signed_in_person(request)
    if has_second_factor(person):
        return redirect("second-factor")
    if is_sso(request) and person.has_usable_password():
        raise Forbidden(
            "Set up your second factor first: sign out, and sign in with your own password once. Your organisation's"
            " sign-in can't do it for you."
        )
    by_passkey = "credential" in request.POST
    passkey_form = PasskeyForm(
        request.POST if by_passkey else None, initial=passkeys.first_name_for(person), auto_id="passkey_%s"
    )
    form = FirstCodeForm(request.POST if request.method == "POST" and not by_passkey else None)
    bound: RefusableForm = passkey_form if by_passkey else form
    if request.method == "POST" and bound.is_valid():
        with one_act():
            answer = _try_first_device(request, person, bound)
        if answer:
            return answer
    context = {"passkey_form": passkey_form, "app_form": form, **totp_seed(person)}
    return form_page(request, "accounts/second_factor_set_up.html", bound, **context)


def _try_first_device(request: HttpRequest, person: Person, form: RefusableForm) -> HttpResponse | None:
    try:
        device = (
            passkeys.create(request, person, form)
            if isinstance(form, PasskeyForm)
            else confirm_totp(person=person, code=form.cleaned_data["code"])
        )
    except InvalidInput as error:
        form.show(error)
        return None
    except Conflict:
        return redirect("second-factor-set-up")
    return _confirmed(request, person, device)


def _confirmed(request: HttpRequest, person: Person, device: Device) -> HttpResponse:
    codes = create_recovery_codes(person=person)
    wanted = complete_sign_in(request, person, device)
    page = TemplateResponse(request, "accounts/recovery_codes.html", {"codes": codes, "wanted": wanted})
    return remember_browser(page, person)


@public
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        record_for_person(request.user.pk, Act.SIGN_OUT)
        logout(request)
    response = redirect("sign-in")
    # Not "cookies": the session's is gone with logout, and the chosen theme may stay.
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response
