"""Refusals as answers: a page, a fragment for htmx, problem details (RFC 9457) for the API."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.csrf import requires_csrf_token

from accounts import sessions
from accounts.access import public
from accounts.errors import Forbidden, NotFound, PortalError, Unauthenticated
from accounts.proof import keep_interrupted
from accounts.requests import is_api, is_htmx, is_scim

NOTHING_HERE = "There is nothing at this address, or it isn't yours to see."
PROBLEM_JSON = "application/problem+json"
SCIM_JSON = "application/scim+json"
SCIM_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


class NotSignedInError(PortalError):
    """Nobody is signed in, or not with both factors."""

    status = 401
    slug = "not-signed-in"
    headers = Unauthenticated.headers


class StepUpNeeded(PortalError):
    """Both factors were proved too long ago for this act (RFC 9470's insufficient_user_authentication)."""

    status = 401
    slug = "step-up-needed"
    headers = MappingProxyType(
        {"WWW-Authenticate": 'Bearer realm="Surety", error="insufficient_user_authentication"'}
    )


def as_portal_error(error: Exception) -> PortalError:
    """Django's own refusals in our words. A missing thing and another tenant's thing say the same."""
    if isinstance(error, PortalError):
        return error
    return (
        NotFound(NOTHING_HERE) if isinstance(error, Http404) else Forbidden("Your role doesn't permit this.")
    )


def refuse(request: HttpRequest, error: PortalError) -> HttpResponse:
    """The answer to a refused request."""
    if is_scim(request):
        return scim_error(error.status, str(error), headers=error.headers)
    if is_api(request):
        return _problem(request, error)
    if error.slug == "single-sign-on-needed" and not is_htmx(request):
        return _ask_organisation(request)
    context = {"status": error.status, "title": HTTPStatus(error.status).phrase, "message": str(error)}
    context["request_id"] = getattr(request, "request_id", "")
    if is_htmx(request):
        body = render_to_string("accounts/problem_fragment.html", context, request)
    else:
        template = "error.html" if getattr(request, "role", None) else "error_plain.html"
        body = render_to_string(template, context, request)
    response = HttpResponse(body, status=error.status)
    response["Cache-Control"] = "no-store"
    return response


def _ask_organisation(request: HttpRequest) -> HttpResponse:
    body = render_to_string("accounts/sso_needed.html", {"next": request.get_full_path()}, request)
    return HttpResponse(body, status=Forbidden.status, headers={"Cache-Control": "no-store"})


def ask_sign_in(request: HttpRequest, url_name: str, why: str = "Sign in with both factors.") -> HttpResponse:
    """Sends the person to the step of signing in that is missing, and back to the page afterwards."""
    if is_api(request):
        return _problem(request, NotSignedInError(why))
    url = reverse(url_name)
    if is_htmx(request):
        return HttpResponse(status=401, headers={"HX-Redirect": url})
    if request.method == "GET" and request.path_info != "/":
        url = f"{url}?{urlencode({'next': request.get_full_path()})}"
    return HttpResponseRedirect(url)


def ask_step_up(request: HttpRequest) -> HttpResponse:
    """Sends the person to prove both factors again, and back to the page or the form afterwards."""
    if is_api(request):
        return _problem(
            request, StepUpNeeded("Prove both factors again in the browser, then repeat the request.")
        )
    url, back, kept = reverse("step-up"), request.get_full_path(), keep_interrupted(request)
    if is_htmx(request):
        request.session.pop(sessions.INTERRUPTED, None)  # the page, not the fragment, is gone back to
        back = request.headers.get("HX-Current-URL", "")
        return HttpResponse(status=401, headers={"HX-Redirect": f"{url}?{urlencode({'next': back})}"})
    if request.method not in {"GET", "HEAD"}:
        if not kept:
            messages.info(request, "Nothing was done yet. After this, repeat what you did.")
        back = request.headers.get("Referer", "")
    return HttpResponseRedirect(f"{url}?{urlencode({'next': back})}")


def _problem(request: HttpRequest, error: PortalError) -> HttpResponse:
    problem = {
        "type": f"urn:surety:problem:{error.slug}",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": str(error),
        "instance": f"urn:uuid:{getattr(request, 'request_id', '')}",
        **error.members,
    }
    headers = {"Cache-Control": "no-store", **error.headers}
    return JsonResponse(problem, status=error.status, content_type=PROBLEM_JSON, headers=headers)


def scim_error(
    status: int, detail: str, *, scim_type: str | None = None, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """An error as RFC 7644 section 3.12 has it; `scim_type` is one of its keywords."""
    body = {"schemas": [SCIM_ERROR], "status": str(status), "detail": detail}
    if scim_type:
        body["scimType"] = scim_type
    return JsonResponse(
        body, status=status, content_type=SCIM_JSON, headers={"Cache-Control": "no-store", **(headers or {})}
    )


@public
@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 (Django gives it)
    """For CSRF_FAILURE_VIEW: mostly a page that stayed open over a new sign-in."""
    return refuse(
        request,
        Forbidden("This page was open for too long. Go back, load it again, and repeat what you did."),
    )
