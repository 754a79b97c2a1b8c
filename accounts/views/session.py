"""The session's clock: what the warning asks, and staying signed in."""

from __future__ import annotations

import time

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.views.decorators.http import require_POST, require_safe

from accounts.access import public, verified_act
from accounts.audit.events import Act
from accounts.middleware import session_seconds_left, touch_session
from accounts.views.pages import safe_path


@public
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """`{"signed_in": bool, "seconds_left": int}`. Asking is no act: it doesn't prolong the session."""
    return JsonResponse(_clock(request))


@verified_act(Act.SESSION_EXTEND, sso=True)
@require_POST
def extend(request: HttpRequest) -> HttpResponse:
    """Notes an act now. Answers the clock to scripts, and leads a form back to its page."""
    touch_session(request, int(time.time()), every=0)
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse(_clock(request))
    return HttpResponseRedirect(safe_path(request, request.headers.get("Referer", ""), fallback="profile"))


def _clock(request: HttpRequest) -> dict[str, object]:
    signed_in = request.user.is_authenticated
    left = session_seconds_left(request, int(time.time())) if signed_in else 0
    return {"signed_in": signed_in, "seconds_left": max(0, left)}
