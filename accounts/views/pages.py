"""Small helpers that the views share."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.forms import RefusableForm

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
