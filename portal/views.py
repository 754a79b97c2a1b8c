"""The overview, the health answer and the error pages."""

from __future__ import annotations

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import TenantRequest, public, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import PortalError
from accounts.permissions import Permission
from accounts.refusals import refuse
from accounts.requests import is_api
from assessments import posture
from assessments.agreements.needs import alerts as agreement_alerts
from assessments.portfolio.services import count_reasons
from evidence import ledger
from portal.overview import next_steps

ERRORS = {
    400: ("The request can't be used", "Something in it is missing or malformed. Go back, and try again."),
    403: ("Not permitted", "Your role doesn't permit this. An owner of the tenant can change your role."),
    404: ("Not found", "There is no such page, or it isn't yours to see."),
    405: ("Not that way", "This address doesn't answer to that kind of request."),
    500: ("Something failed here",
          "It was recorded, and nothing was changed. Try again; if it stays, say the request's number."),
    503: ("Not available now", "A part of the portal doesn't answer. Try again in a moment."),
}  # fmt: skip


@require_safe
@requires(Permission.POSTURE_READ)
def overview(request: TenantRequest) -> HttpResponse:
    """The posture in four numbers, what to do next, and what changed."""
    record(Act.POSTURE_READ, object_type="page", object_id="overview")
    seen = posture.read_overview()
    health = ledger.connection_health()
    context = {
        "posture": seen,
        "health": health,
        "fresh": ledger.freshness(health),
        "partners": count_reasons() if request.may(Permission.PARTNER_READ) else [],
        "steps": next_steps(seen, health, request.may),
        "alerts": agreement_alerts() if request.may(Permission.PARTNER_READ) else [],
        "chart_statuses": [[str(status), status.label, number] for status, number in seen.statuses.items()],
    }
    return render(request, "portal/overview.html", context)


@never_cache
@require_safe
@public
def healthz(_request: HttpRequest) -> JsonResponse:
    """Whether PostgreSQL and Redis answer: 200 when both do, else 503."""
    parts = {"database": _answers(_ask_database), "redis": _answers(_ask_redis)}
    return JsonResponse(parts, status=200 if all(parts.values()) else 503)


def error_page(request: HttpRequest, status: int, message: str = "") -> HttpResponse:
    """An error in the portal's frame; `message` in place of the usual words."""
    title, usual = ERRORS[status]
    if is_api(request):
        return refuse(request, _problem(status, message or usual))
    context = {
        "status": status,
        "title": title,
        "message": message or usual,
        "request_id": getattr(request, "request_id", ""),
    }
    return render(request, "error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return error_page(request, 400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return error_page(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return error_page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Drawn without the frame: what it asks of the database may be what failed."""
    title, message = ERRORS[500]
    if is_api(request):
        return refuse(request, _problem(500, message))
    context = {
        "status": 500,
        "title": title,
        "message": message,
        "request_id": getattr(request, "request_id", ""),
    }
    return render(request, "error_plain.html", context, status=500)


def _problem(status: int, message: str) -> PortalError:
    error = PortalError(message)
    error.status, error.slug = status, slugify(ERRORS[status][0])
    return error


def _answers(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except (DatabaseError, redis.RedisError):
        return False
    return True


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select 1")


def _ask_redis() -> None:
    with redis.Redis.from_url(
        settings.CELERY_BROKER_URL, socket_timeout=2, socket_connect_timeout=2
    ) as client:
        client.ping()
