"""Small helpers that the views share."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Any

import segno
from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe

from accounts.addresses import email_digest
from accounts.forms import RefusableForm
from accounts.models import Person
from accounts.services.second_factor import prepare_totp

UNFIT, TOO_MANY, MINUTE = 422, 429, 60
KNOWN_FOR = timedelta(days=90)
_known_browser = signing.TimestampSigner(salt="known browser")


def form_page(
    request: HttpRequest, template: str, form: RefusableForm, *, status: int | None = None, **context: object
) -> TemplateResponse:
    """A page around a form: 200 as it is asked for, 422 with errors."""
    given = status or (UNFIT if form.is_bound and form.errors else 200)
    return TemplateResponse(
        request, template, {"form": form, "focus": form.first_error(), **context}, status=given
    )


def safe_path(request: HttpRequest, wanted: str, *, fallback: str) -> str:
    """`wanted` where it is a path of this site, else the fallback (a URL name or path)."""
    hosts = {request.get_host()}
    if wanted and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts=hosts, require_https=request.is_secure()
    ):
        return wanted
    return resolve_url(fallback)


def say(request: HttpRequest, text: str) -> None:
    """Shows a message on the next page."""
    messages.success(request, text)


def totp_seed(person: Person) -> dict[str, Any]:
    """What a page shows to set up an authenticator app: `qr` (SVG) and `secret` (base32 in groups)."""
    device = prepare_totp(person=person)
    qr = segno.make(device.uri, error="m").svg_inline(
        scale=5, border=4, dark="#000", light="#fff", omitsize=True
    )
    secret = " ".join(device.secret[at : at + 4] for at in range(0, len(device.secret), 4))
    return {"qr": mark_safe(qr), "secret": secret}  # noqa: S308 (drawn by segno)


def too_many_tries(
    request: HttpRequest, template: str, form: RefusableForm, seconds: float, **context: object
) -> HttpResponse:
    """429 with the form, and after how many seconds to try again."""
    wait = max(1, round(seconds))
    said = f"{wait} seconds" if wait < MINUTE else f"{-(-wait // MINUTE)} minutes"
    form.add_error(None, f"Too many tries failed. Wait {said}, then try again.")
    response = form_page(request, template, form, status=TOO_MANY, **context)
    response["Retry-After"] = str(wait)
    return response


def is_known_browser(request: HttpRequest, email: str) -> bool:
    """Whether the person with this address has signed in with this browser before."""
    said = request.COOKIES.get(settings.KNOWN_BROWSER_COOKIE_NAME, "")
    try:
        known = _known_browser.unsign(said, max_age=KNOWN_FOR)
    except signing.BadSignature:
        return False
    return hmac.compare_digest(known, email_digest(email))


def remember_browser(response: HttpResponse, person: Person) -> HttpResponse:
    """Marks the browser as one in which the person came in with both factors. The cookie opens nothing."""
    response.set_cookie(
        settings.KNOWN_BROWSER_COOKIE_NAME, _known_browser.sign(email_digest(person.email)), httponly=True,
        max_age=int(KNOWN_FOR.total_seconds()), samesite="Lax", secure=settings.SESSION_COOKIE_SECURE,
    )  # fmt: skip
    return response
