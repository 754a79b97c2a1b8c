"""Proving both factors again before an act that needs it, and going on with what was interrupted."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe
from django_otp.models import Device

from accounts import sessions
from accounts.access import verified_or_sso
from accounts.audit.events import Act, ActOutcome
from accounts.audit.log import one_act
from accounts.errors import InvalidInput
from accounts.forms import StepUpForm
from accounts.models import Person
from accounts.proof import after_step_up, factor_of, note_proof, take_interrupted
from accounts.requests import client_address, signed_in_person
from accounts.services.passkeys import passkeys_of
from accounts.services.person_log import record_for_person
from accounts.services.second_factor import match_code, second_factor_wait
from accounts.throttle import begin_try, clear_tries
from accounts.views import passkeys
from accounts.views.pages import UNFIT, form_page, safe_path


@verified_or_sso
@sensitive_post_parameters("current", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def step_up(request: HttpRequest) -> HttpResponse:
    """Asks for both factors; then leads back to the page, or to the form that was interrupted."""
    person = signed_in_person(request)
    if "credential" in request.POST:
        return _by_passkey(request, person)
    form = StepUpForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        request.session[sessions.STEP_UP_NEXT] = safe_path(
            request, request.GET.get("next", ""), fallback="profile"
        )
    elif form.is_valid():
        try:
            _prove(request, person, form)
        except InvalidInput as error:
            form.show(error)
        else:
            return HttpResponseRedirect(after_step_up(request))
    return _page(request, person, form)


def _by_passkey(request: HttpRequest, person: Person) -> HttpResponse:
    with one_act():
        try:
            passkeys.confirm(request, person)
        except InvalidInput as error:
            record_for_person(person.pk, Act.STEP_UP, outcome=ActOutcome.FAILED)
            return _page(request, person, StepUpForm(), problem=str(error))
    return HttpResponseRedirect(after_step_up(request))


def _page(request: HttpRequest, person: Person, form: StepUpForm, problem: str = "") -> HttpResponse:
    return form_page(
        request,
        "accounts/step_up.html",
        form,
        status=UNFIT if problem else None,
        problem=problem,
        passkeys=passkeys_of(person),
        has_password=person.has_usable_password(),
        reauthenticate_at=request.session.get(sessions.REAUTHENTICATE_AT, ""),
    )


@verified_or_sso
@require_safe
def go_on(request: HttpRequest) -> HttpResponse:
    """Shows the form that was interrupted, as a button (pressed by a script where there is one)."""
    kept = take_interrupted(request)
    if kept is None:
        return redirect("profile")
    fields = [(name, value) for name, values in kept["fields"].items() for value in values]
    return TemplateResponse(
        request, "accounts/step_up_continue.html", {"path": kept["path"], "fields": fields}
    )


def _prove(request: HttpRequest, person: Person, form: StepUpForm) -> None:
    require_patience(request, person)
    device = _prove_password_and_code(person, form.cleaned_data["current"], form.cleaned_data["code"])
    clear_tries(person.email, client_address(request))
    record_for_person(person.pk, Act.STEP_UP, factor=factor_of(device).value)
    note_proof(request, factor_of(device))


def _prove_password_and_code(person: Person, current: str, code: str) -> Device:
    # The password first: a code must not be used up, nor its count of failures rise, for a wrong password.
    if not person.check_password(current):
        record_for_person(person.pk, Act.STEP_UP, outcome=ActOutcome.FAILED)
        raise InvalidInput("This isn't your current password.", field="current")
    device = match_code(person=person, code=code)
    if device is None:
        record_for_person(person.pk, Act.STEP_UP, outcome=ActOutcome.FAILED)
        wait = second_factor_wait(person)
        left = f" Wait {round((wait - timezone.now()).total_seconds()) + 1} s." if wait else ""
        raise InvalidInput(f"This code isn't right, or was used before.{left}", field="code")
    return device


def require_patience(request: HttpRequest, person: Person) -> None:
    """Guessing the password from a session that was left open is slowed like signing in. Raises InvalidInput."""
    until = begin_try(person.email, client_address(request))
    if until:
        seconds = round((until - timezone.now()).total_seconds()) + 1
        raise InvalidInput(f"Too many tries failed. Wait {seconds} seconds, then try again.", field="current")
