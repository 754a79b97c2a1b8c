"""A person's own name, password, second factor, recovery codes, sessions and theme."""

from __future__ import annotations

import django_otp
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import freshly_verified, verified, verified_or_sso
from accounts.audit.events import Act
from accounts.audit.log import one_act
from accounts.errors import Conflict, InvalidInput
from accounts.forms import FirstCodeForm, NameForm, PasswordForm
from accounts.models import RecoveryCodeDevice, Session, TotpDevice
from accounts.proof import Factor, session_factor
from accounts.requests import client_address, is_sso, signed_in_person
from accounts.services.passkeys import passkeys_of
from accounts.services.people import change_name, change_password, end_sessions
from accounts.services.person_log import record_for_person
from accounts.services.second_factor import confirm_totp, create_recovery_codes, remove_totp
from accounts.sessions import session_digest
from accounts.throttle import clear_tries, network_of
from accounts.views.pages import form_page, safe_path, say, totp_seed
from accounts.views.passkeys import ask_for_passkey, may_change_factors
from accounts.views.step_up import require_patience

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "theme"


@verified_or_sso
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


@freshly_verified
@sensitive_post_parameters("current", "password")
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        person = signed_in_person(request)
        try:
            require_patience(request, person)
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


@freshly_verified
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Sets up an authenticator app, in place of the present one where there is one."""
    person = signed_in_person(request)
    if not may_change_factors(request, person):
        return ask_for_passkey(request)
    form = FirstCodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            device = confirm_totp(person=person, code=form.cleaned_data["code"], replace=True)
        except InvalidInput as error:
            form.show(error)
        except Conflict:
            return redirect("profile-second-factor")
        else:
            if session_factor(request) is not Factor.PASSKEY:
                django_otp.login(request, device)  # the session stood on the app that is gone
            # Whoever had the old device may sit in another session.
            end_sessions(person=person, keep=_own_session(request))
            say(request, "The new authenticator app is set up, and your other sessions are ended.")
            return redirect("profile")
    return form_page(request, "accounts/profile_second_factor.html", form, **totp_seed(person))


@freshly_verified
@require_POST
def remove_app(request: HttpRequest) -> HttpResponse:
    person = signed_in_person(request)
    if not may_change_factors(request, person):
        return ask_for_passkey(request)
    remove_totp(person=person)
    say(request, "The authenticator app is removed.")
    return redirect("profile")


@freshly_verified
@require_http_methods(["GET", "HEAD", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Asks once more, then shows ten new recovery codes once."""
    person = signed_in_person(request)
    if not may_change_factors(request, person):
        return ask_for_passkey(request)
    if request.method != "POST":
        return TemplateResponse(request, "accounts/profile_recovery_codes.html")
    codes = create_recovery_codes(person=person)
    return TemplateResponse(request, "accounts/recovery_codes.html", {"codes": codes, "wanted": "/profile/"})


@verified
@require_POST
def end_session(request: HttpRequest, handle: str) -> HttpResponse:
    person = signed_in_person(request)
    if not Session.objects.filter(person=person, session_key=handle).exists():
        raise Http404
    with one_act():
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
    with one_act():
        record_for_person(person.pk, Act.SESSION_REVOKE, session="all others")
        ended = end_sessions(person=person, keep=_own_session(request))
    say(request, f"{ended} other session{'' if ended == 1 else 's'} ended.")
    return redirect("profile")


@verified_or_sso
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


def _page(request: HttpRequest, form: NameForm) -> HttpResponse:
    person = signed_in_person(request)
    sheet = RecoveryCodeDevice.objects.filter(user=person).first()
    living = Session.objects.filter(person=person, expire_date__gt=timezone.now()).order_by("-seen_at")
    if is_sso(request):
        living = living.filter(
            pk=_own_session(request)
        )  # others may be in tenants that this one knows nothing of
    return form_page(
        request,
        "accounts/profile.html",
        form,
        person=person,
        sessions=living,
        own_session=_own_session(request),
        own_network=network_of(client_address(request)),
        device=TotpDevice.objects.filter(user=person, confirmed=True).first(),
        passkeys=passkeys_of(person),
        codes_left=sheet.left() if sheet else 0,
        themes=(("light", "Light"), ("dark", "Dark"), ("auto", "As the device")),
        theme=request.COOKIES.get(THEME_COOKIE, "auto"),
    )


def _own_session(request: HttpRequest) -> str:
    return session_digest(request.session.session_key)
