"""The operator's staff: their invitation, the windows they asked for, and the way in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import operator, public
from accounts.audit.events import Act
from accounts.errors import InvalidInput
from accounts.forms import NewPersonForm, RefusableForm
from accounts.operators.gate import owe_attempt, require_passkey
from accounts.operators.models import EMERGENCY_HOURS, LONGEST_HOURS
from accounts.operators.people import find_invited, join
from accounts.operators.windows import approve_window, ask_window, begin_visit, list_asked, tenant_of_window
from accounts.requests import signed_in_person
from accounts.sessions import TENANT
from accounts.views.pages import form_page, say


class AskForm(RefusableForm):
    slug = forms.SlugField(label="Tenant", max_length=63, help_text="Its slug, from the ticket.")
    reason = forms.CharField(label="Reason", max_length=500)
    ticket = forms.CharField(label="Ticket", max_length=64)
    hours = forms.IntegerField(label="Hours", min_value=1, max_value=LONGEST_HOURS, initial=1)
    emergency = forms.BooleanField(
        label="Emergency", required=False,
        help_text=f"Opens for {EMERGENCY_HOURS} hour without an owner, where the tenant allows it; owners are told.",
    )  # fmt: skip


@public
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def operator_join(request: HttpRequest, operator_id: UUID, token: str) -> HttpResponse:
    person = find_invited(person_id=operator_id, token=token)
    form = NewPersonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            join(person_id=operator_id, token=token, **_words(form))
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, "Now sign in, and set up your second factor. Then add a passkey in your profile.")
            return redirect("sign-in")
    return form_page(request, "accounts/operator_join.html", form, person=person)


def _words(form: NewPersonForm) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in ("name", "password")}


@operator
@require_safe
def operator_windows(request: HttpRequest) -> HttpResponse:
    return _page(request, AskForm())


@operator
@require_POST
def operator_ask(request: HttpRequest) -> HttpResponse:
    require_passkey(request)
    form = AskForm(request.POST)
    if form.is_valid():
        try:
            ask_window(by=signed_in_person(request), **form.cleaned_data)
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, "Noted. If there is such a tenant, another operator can approve it now.")
            return redirect("operator-windows")
    return _page(request, form)


@operator
@require_POST
def operator_approve(request: HttpRequest, window_id: UUID) -> HttpResponse:
    owe_attempt(request, tenant_of_window(window_id), Act.OPERATOR_APPROVE)
    require_passkey(request)
    approve_window(window_id=window_id, by=signed_in_person(request))
    say(request, "Approved. The tenant's owners have been told.")
    return redirect("operator-windows")


@operator
@require_POST
def operator_enter(request: HttpRequest, window_id: UUID) -> HttpResponse:
    owe_attempt(request, tenant_of_window(window_id), Act.OPERATOR_ENTER)
    require_passkey(request)
    request.session[TENANT] = str(begin_visit(window_id=window_id, by=signed_in_person(request)))
    return redirect("overview")


@operator
@require_POST
def operator_leave(request: HttpRequest) -> HttpResponse:
    request.session.pop(TENANT, None)
    return redirect("operator-windows")


def _page(request: HttpRequest, form: AskForm) -> HttpResponse:
    return form_page(
        request,
        "accounts/operator_windows.html",
        form,
        listed=list_asked(),
        inside=bool(request.session.get(TENANT)),
    )
