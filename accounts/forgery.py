"""Which requests need no protection against forgery by another site."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.access import is_machines


class TokenRequestMiddleware:
    """Spares Django's protection for requests that have to prove themselves by a token: no browser sends one by itself.

    Such a request's session counts for nothing (accounts.access.is_machines), so that a made-up token beside a
    session's cookie opens nothing either. Stands before CsrfViewMiddleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: tuple[Any, ...], _kwargs: dict[str, Any]
    ) -> None:
        """Marks the request as Django's own test client does."""
        if is_machines(request, getattr(view, "access", None)):
            request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
