"""The portal's addresses and a few whose views do what none of the portal's should."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from accounts.access import TenantRequest, requires
from accounts.permissions import Permission
from portal.urls import handler400, handler403, handler404, handler500
from portal.urls import urlpatterns as portal_urls

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def undeclared(request: HttpRequest) -> HttpResponse:
    return HttpResponse("reached")


@requires(Permission.POSTURE_READ)
def rename_and_answer(request: TenantRequest, status: int) -> HttpResponse:
    request.tenant.name = f"renamed with {status}"
    request.tenant.save(update_fields=["name"])
    return HttpResponse(status=status)


@requires(Permission.POSTURE_READ)
def rename_and_fail(request: TenantRequest) -> HttpResponse:
    request.tenant.name = "renamed and failed"
    request.tenant.save(update_fields=["name"])
    raise ZeroDivisionError


urlpatterns = [
    *portal_urls,
    path("undeclared/", undeclared),
    path("rename/<int:status>/", rename_and_answer),
    path("rename/fail/", rename_and_fail),
]
