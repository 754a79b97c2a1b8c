"""What links in e-mails lead to: a new password, a new address, and the undoing of a new address."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.access import freshly_verified, public, verified
from accounts.after_answer import AnsweredFirst
from accounts.errors import InvalidInput
from accounts.forms import EmailForm, ForgottenForm, NewPasswordForm
from accounts.requests import client_address, signed_in_person
from accounts.services.email_change import (
    ask_email_change,
    confirm_email_change,
    find_email_change,
    find_undoing,
    undo_email_change,
)
from accounts.services.password_reset import find_password_reset, reset_password, send_password_reset
from accounts.sessions import session_digest
from accounts.throttle import begin_network_try
from accounts.views.pages import form_page, say, too_many_tries


@public
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Answers the same for every address, and sends the link, where there is somebody, after the answer."""
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return form_page(request, "accounts/forgotten.html", form)
    until = begin_network_try(client_address(request))
    if until:
        return too_many_tries(
            request, "accounts/forgotten.html", form, (until - timezone.now()).total_seconds()
        )
    answer = AnsweredFirst(request, "accounts/forgotten_sent.html")
    answer.work = partial(send_password_reset, email=form.cleaned_data["email"])
    return answer


@public
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: HttpRequest, token: str) -> HttpResponse:
    """Takes the new password. It opens nothing: signing in with both factors follows."""
    find_password_reset(token=token)
    form = NewPasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            reset_password(token=token, new=form.cleaned_data["password"])
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, "Your password is changed, and your sessions are ended. Sign in with the new one.")
            return redirect("sign-in")
    return form_page(request, "accounts/reset.html", form)


@freshly_verified
@require_http_methods(["GET", "HEAD", "POST"])
def email(request: HttpRequest) -> HttpResponse:
    """Asks for the new address; nothing changes before its link is opened."""
    form = EmailForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            ask_email_change(person=signed_in_person(request), email=form.cleaned_data["email"])
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, "A link is on its way to the new address. Your address changes when you open it.")
            return redirect("profile")
    return form_page(request, "accounts/profile_email.html", form)


@verified
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_email(request: HttpRequest, token: str) -> HttpResponse:
    """From the new address, by its person alone. A button, since mail programs open links by themselves."""
    person = signed_in_person(request)
    change = find_email_change(person=person, token=token)
    if request.method != "POST":
        return TemplateResponse(request, "accounts/email_confirm.html", {"change": change})
    keep = session_digest(request.session.session_key)
    confirm_email_change(person=person, token=token, keep_session=keep)
    say(request, "Your address is changed, and your other sessions are ended.")
    return redirect("profile")


@public
@require_http_methods(["GET", "HEAD", "POST"])
def undo_email(request: HttpRequest, token: str) -> HttpResponse:
    """From the old address, by whoever has it: signing in may be what a thief has prevented."""
    change = find_undoing(token=token)
    if request.method != "POST":
        return TemplateResponse(request, "accounts/email_undo.html", {"change": change})
    undo_email_change(token=token)
    say(request, "The change is undone, and all sessions are ended. Change your password now.")
    return redirect("password-forgotten")
