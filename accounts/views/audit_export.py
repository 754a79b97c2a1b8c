"""Exports of the audit log, streamed."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.export import ExportFormat, stream_entries, stream_provable
from accounts.audit.log import record
from accounts.audit.search import Wanted, list_actors
from accounts.errors import InvalidInput
from accounts.permissions import Permission
from accounts.views.audit import filters_used, find_actor, read_filters

FILES = {
    ExportFormat.CSV: ("csv", "text/csv; charset=utf-8"),
    ExportFormat.JSON: ("jsonl", "application/jsonl"),
    ExportFormat.OCSF: ("ocsf.jsonl", "application/jsonl"),
    ExportFormat.PROVABLE: ("zip", "application/zip"),
}


@requires(Permission.AUDIT_EXPORT, act=Act.AUDIT_EXPORT, step_up=True)
@require_http_methods(["GET", "HEAD", "POST"])
def audit_export(request: TenantRequest) -> HttpResponseBase:
    """Asks for the format, and gives the entries that fit the address's filters."""
    form = read_filters(request)
    used = filters_used(form)
    if request.method != "POST":
        record(Act.AUDIT_READ, object_type="page", object_id="audit-export", filters=used)
        return _ask(request, used)
    if request.POST.get("format") not in set(ExportFormat):
        raise InvalidInput("Choose one of the formats.", field="format")
    chosen = ExportFormat(request.POST["format"])
    wanted = form.wanted(find_actor(form.cleaned_data["actor"], list_actors()))
    record(Act.AUDIT_EXPORT, object_type="log", object_id=request.tenant.pk, format=str(chosen), filters=used)
    return _file(request, chosen, wanted)


def _ask(request: TenantRequest, used: dict[str, str]) -> HttpResponse:
    context = {"formats": list(ExportFormat), "used": used, "query": urlencode(used)}
    return TemplateResponse(request, "accounts/audit_export.html", context)


def _file(request: TenantRequest, chosen: ExportFormat, wanted: Wanted) -> StreamingHttpResponse:
    tenant = request.tenant
    if chosen is ExportFormat.PROVABLE:
        pieces = stream_provable(
            tenant_id=tenant.pk, tenant_name=tenant.name, wanted=wanted, asked_by=request.user.email
        )
    else:
        pieces = stream_entries(tenant_id=tenant.pk, wanted=wanted, format=chosen)
    ending, media_type = FILES[chosen]
    name = f"audit-log-{timezone.now():%Y%m%dT%H%M%SZ}.{ending}"
    return StreamingHttpResponse(
        pieces, content_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
