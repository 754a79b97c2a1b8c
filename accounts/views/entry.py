"""How a person enters: the session after the password, and after the second step."""

from __future__ import annotations

import time

import django_otp
from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django_otp.models import Device

from accounts import sessions
from accounts.audit.events import Act
from accounts.models import Person
from accounts.proof import factor_of, note_proof
from accounts.requests import client_address
from accounts.services.person_log import record_for_person
from accounts.tenancy.unscoped import memberships_of
from accounts.views.pages import safe_path

BACKEND = "django.contrib.auth.backends.ModelBackend"


def begin_session(request: HttpRequest, person: Person, *, wanted: str = "") -> None:
    """Signs a person in with a new session key; the second factor is still to come."""
    sessions.forget_ended_sessions()
    login(request, person, backend=BACKEND)
    now = int(time.time())
    request.session[sessions.SIGNED_IN_AT] = request.session[sessions.SEEN_AT] = now
    request.session[sessions.ADDRESS] = client_address(request)
    request.session[sessions.USER_AGENT] = request.headers.get("User-Agent", "")[:256].replace("\x00", "")
    request.session[sessions.NEXT] = safe_path(request, wanted, fallback=settings.LOGIN_REDIRECT_URL)


def complete_sign_in(request: HttpRequest, person: Person, device: Device) -> str:
    """Records the second step and opens the session; the path to go to."""
    record_for_person(person.pk, Act.SECOND_FACTOR, device=device.name)
    return open_session(request, person, device)


def open_session(request: HttpRequest, person: Person, device: Device) -> str:
    """Marks the session as verified, under a new key, and enters the person's first tenant; the path to go to."""
    wanted = wanted_path(request)
    note_proof(request, factor_of(device))
    django_otp.login(request, device)
    request.session.pop(sessions.NEXT, None)
    if sessions.TENANT not in request.session:
        found = memberships_of(person.pk)
        request.session[sessions.TENANT] = str(found[0].tenant_id) if found else ""
    return wanted


def wanted_path(request: HttpRequest) -> str:
    """Where to go after the second step."""
    path: str = request.session.get(sessions.NEXT) or resolve_url(settings.LOGIN_REDIRECT_URL)
    return path
