"""The interface's description: as OpenAPI for tools, and as a page for people."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from accounts.access import TenantRequest, public, requires
from accounts.permissions import Permission
from evidence.submissions.receipts import public_keys


@require_safe
@public
def schema(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 (the same for all)
    """OpenAPI 3.1. It says nothing of any tenant, and is the same for everybody."""
    headers = {"Cache-Control": "public, max-age=300"}
    return HttpResponse(_schema(), content_type="application/vnd.oai.openapi+json", headers=headers)


@require_safe
@public
def receipt_keys(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 (the same for all)
    """The public keys of receipts, as a JWK set."""
    headers = {"Cache-Control": "public, max-age=300"}
    return HttpResponse(json.dumps(public_keys()), content_type="application/jwk-set+json", headers=headers)


@requires(Permission.POSTURE_READ)
@require_safe
def reference(request: TenantRequest) -> HttpResponse:
    """The description, to try out with one's own session."""
    return TemplateResponse(request, "api/reference.html", {"site": settings.SITE_URL.rstrip("/")})


@cache
def _schema() -> bytes:
    generator: Any = SchemaGenerator  # untyped
    return json.dumps(generator().get_schema(request=None, public=True)).encode()
