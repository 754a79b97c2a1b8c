"""A person's own name, password, second factor, recovery codes, sessions and theme."""

from __future__ import annotations

import time

from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import verified
from accounts.audit.events import Act, ActOutcome
from accounts.errors import InvalidInput
from accounts.forms import NameForm, PasswordForm, RefusableForm, StepUpForm
from accounts.models import Person, RecoveryCodeDevice, Session, TotpDevice
from accounts.requests import client_address, signed_in_person
from accounts.services.people import change_name, change_password, end_sessions
from accounts.services.person_log import record_for_person
from accounts.services.second_factor import create_recovery_codes, match_code, second_factor_wait
from accounts.sessions import RENEWAL_UNTIL, session_digest
from accounts.throttle import begin_try, clear_tries
from accounts.views.pages import form_page, safe_path, say

RENEWAL_SECONDS = 10 * 60
THEMES = ("auto", "light", "dark")
THEME_COOKIE = "theme"


@verified
@require_safe
def profile(request: HttpRequest) -> HttpResponse:
    person = signed_in_person(request)
    return _page(request, NameForm({"name": person.name}))


@verified
@require_POST
def name(request: HttpRequest) -> HttpResponse:
    form = NameForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    change_name(person=signed_in_person(request), name=form.cleaned_data["name"])
    say(request, "Your name is changed.")
    return redirect("profile")


@verified
@sensitive_post_parameters("current", "password")
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        person = signed_in_person(request)
        try:
            _require_patience(request, person)
            change_password(
                person=person, current=form.cleaned_data["current"], new=form.cleaned_data["password"],
                keep_session=_own_session(request),
            )  # fmt: skip
        except InvalidInput as error:
            form.show(error)
        else:
            clear_tries(person.email, client_address(request))
            update_session_auth_hash(request, person)
            say(request, "Your password is changed, and your other sessions are ended.")
            return redirect("profile")
    return form_page(request, "accounts/profile_password.html", form)


@verified
@sensitive_post_parameters("current", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Asks password and code again; then a new authenticator app can be set up for ten minutes."""
    form = StepUpForm(request.POST if request.method == "POST" else None)
    if _proves_both_factors(request, form):
        request.session[RENEWAL_UNTIL] = int(time.time()) + RENEWAL_SECONDS
        return redirect("second-factor-set-up")
    lead = "The present app goes on working until the new one has shown its first code."
    return _step_up_page(request, form, "Replace the authenticator app", lead)


@verified
@sensitive_post_parameters("current", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Asks password and code again, then shows ten new recovery codes once."""
    form = StepUpForm(request.POST if request.method == "POST" else None)
    if _proves_both_factors(request, form):
        codes = create_recovery_codes(person=signed_in_person(request))
        return TemplateResponse(
            request, "accounts/recovery_codes.html", {"codes": codes, "wanted": "/profile"}
        )
    lead = "The present codes end as soon as the new ones are shown."
    return _step_up_page(request, form, "New recovery codes", lead)


@verified
@require_POST
def end_session(request: HttpRequest, handle: str) -> HttpResponse:
    person = signed_in_person(request)
    if not Session.objects.filter(person=person, session_key=handle).exists():
        raise Http404
    record_for_person(person.pk, Act.SESSION_REVOKE, session=handle)
    Session.objects.filter(person=person, session_key=handle).delete()
    if handle == _own_session(request):
        return redirect("sign-in")
    say(request, "The session is ended.")
    return redirect("profile")


@verified
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    person = signed_in_person(request)
    record_for_person(person.pk, Act.SESSION_REVOKE, session="all others")
    ended = end_sessions(person=person, keep=_own_session(request))
    say(request, f"{ended} other session{'' if ended == 1 else 's'} ended.")
    return redirect("profile")


@verified
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("theme", "")
    if chosen not in THEMES:
        raise InvalidInput("Choose light, dark or auto.", field="theme")
    response = HttpResponseRedirect(
        safe_path(request, request.headers.get("Referer", ""), fallback="profile")
    )
    response.set_cookie(
        THEME_COOKIE, chosen, max_age=365 * 86400, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )
    return response


def _proves_both_factors(request: HttpRequest, form: RefusableForm) -> bool:
    if request.method != "POST" or not form.is_valid():
        return False
    person = signed_in_person(request)
    try:
        _require_patience(request, person)
        _require_both_factors(person, form.cleaned_data["current"], form.cleaned_data["code"])
    except InvalidInput as error:
        form.show(error)
        return False
    clear_tries(person.email, client_address(request))
    return True


def _require_both_factors(person: Person, current: str, code: str) -> None:
    # The password first: a code must not be used up, nor its count of failures rise, for a wrong password.
    if not person.check_password(current):
        record_for_person(person.pk, Act.SECOND_FACTOR, outcome=ActOutcome.FAILED, step_up=True)
        raise InvalidInput("This isn't your current password.", field="current")
    if match_code(person=person, code=code) is None:
        record_for_person(person.pk, Act.SECOND_FACTOR, outcome=ActOutcome.FAILED, step_up=True)
        wait = second_factor_wait(person)
        left = f" Wait {round((wait - timezone.now()).total_seconds()) + 1} s." if wait else ""
        raise InvalidInput(f"This code isn't right, or was used before.{left}", field="code")


def _require_patience(request: HttpRequest, person: Person) -> None:
    """Guessing the password from a session that was left open is slowed like signing in."""
    until = begin_try(person.email, client_address(request))
    if until:
        seconds = round((until - timezone.now()).total_seconds()) + 1
        raise InvalidInput(f"Too many tries failed. Wait {seconds} seconds, then try again.", field="current")


def _step_up_page(request: HttpRequest, form: RefusableForm, title: str, lead: str) -> HttpResponse:
    return form_page(request, "accounts/profile_step_up.html", form, title=title, lead=lead)


def _page(request: HttpRequest, form: NameForm) -> HttpResponse:
    person = signed_in_person(request)
    sheet = RecoveryCodeDevice.objects.filter(user=person).first()
    living = Session.objects.filter(person=person, expire_date__gt=timezone.now()).order_by("-seen_at")
    return form_page(
        request,
        "accounts/profile.html",
        form,
        person=person,
        sessions=living,
        own_session=_own_session(request),
        device=TotpDevice.objects.filter(user=person, confirmed=True).first(),
        codes_left=sheet.left() if sheet else 0,
        themes=(("light", "Light"), ("dark", "Dark"), ("auto", "As the device")),
        theme=request.COOKIES.get(THEME_COOKIE, "auto"),
    )


def _own_session(request: HttpRequest) -> str:
    return session_digest(request.session.session_key)
