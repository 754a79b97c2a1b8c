"""Small helpers that the views share."""

from __future__ import annotations

from typing import Any

import segno
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe

from accounts.forms import RefusableForm
from accounts.models import Person
from accounts.services.second_factor import prepare_totp

UNFIT = 422


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
