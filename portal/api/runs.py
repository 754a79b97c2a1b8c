"""The first of the REST interface: what `scan --format json` prints, for runs that the workers made.

Signed-in members only, by their session; errors are problem details (RFC 9457), made by the middleware.
"""

from __future__ import annotations

from uuid import UUID

from django.views.decorators.http import require_safe
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import api
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.clients.scopes import Scope
from accounts.errors import NotFound
from accounts.permissions import Permission
from evidence.models import CollectionRun
from portal.scan import document


@api(Permission.EVIDENCE_READ, Scope.RUNS_READ)
@require_safe
@api_view(["GET", "HEAD"])
def run_document(request: Request, run_id: UUID) -> Response:  # noqa: ARG001 (the tenant is open by the middleware)
    """A finished run with its gaps, findings and safeguards, as JSON. Raises NotFound."""
    run = (
        CollectionRun.objects.select_related("connection").filter(pk=run_id).exclude(finished_at=None).first()
    )
    if run is None:
        raise NotFound("There is no such finished run.")
    record(Act.EVIDENCE_EXPORT, object_type="run", object_id=run.pk)
    return Response(document(run))
