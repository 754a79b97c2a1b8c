"""What a machine gets that speaks plain HTTP."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.errors import Forbidden
from accounts.refusals import refuse

MACHINE_PATHS = ("/api/", "/scim/", "/calendar/feed/")


class PlainHttpMiddleware:
    """Refuses machines without TLS in production, where people are redirected (OWASP ASVS 5.0, 4.1.2).

    A redirect would hide the fault: each request's token would have gone over the wire in the clear before it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        plain = settings.SECURE_SSL_REDIRECT and not request.is_secure()
        if plain and request.path_info.startswith(MACHINE_PATHS):
            return refuse(
                request, Forbidden("Use https. What was sent in the clear counts as disclosed: renew it.")
            )
        return self._get_response(request)
