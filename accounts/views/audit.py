"""The tenant's audit log, newest first. Reading it is an act that it holds as well."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.core import signing
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record, verify_entry
from accounts.audit.models import AuditEntry
from accounts.errors import InvalidInput
from accounts.forms import AuditFilterForm
from accounts.permissions import Permission

PAGE = 50
_FILTERS = {"act": "act", "outcome": "outcome", "object": "object_id"}


class Line(NamedTuple):
    """An entry and whether it is what was recorded."""

    entry: AuditEntry
    genuine: bool


@requires(Permission.AUDIT_READ)
@require_safe
def audit_log(request: TenantRequest) -> HttpResponse:
    form = AuditFilterForm(request.GET)
    if not form.is_valid():
        raise InvalidInput("A filter of the audit log can't be used. Clear the filters and try again.")
    after = request.GET.get("after", "")
    entries = list(_found(form, _cursor(request, after))[: PAGE + 1])
    used = {name: value for name, value in form.cleaned_data.items() if value}
    record(Act.AUDIT_READ, filters=used, first_page=not after, entries=min(len(entries), PAGE))
    lines = [Line(entry, verify_entry(entry)) for entry in entries[:PAGE]]
    following = _sign(request, entries[PAGE - 1]) if len(entries) > PAGE else ""
    return TemplateResponse(
        request, "accounts/audit_log.html",
        {"form": form, "lines": lines, "next": following, "first": not after, "filtered": bool(used),
         "broken": sum(not line.genuine for line in lines)},
    )  # fmt: skip


def _found(form: AuditFilterForm, after: tuple[datetime, UUID] | None) -> QuerySet[AuditEntry]:
    entries: QuerySet[AuditEntry] = AuditEntry.objects.order_by("-occurred_at", "-id")
    for name, column in _FILTERS.items():
        if form.cleaned_data[name]:
            entries = entries.filter(**{column: form.cleaned_data[name]})
    actor = form.cleaned_data["actor"].strip().lower()
    if actor:
        entries = entries.filter(Q(actor_id=actor) | Q(actor_name=actor))
    if after:
        at, entry_id = after
        entries = entries.filter(Q(occurred_at__lt=at) | Q(occurred_at=at, id__lt=entry_id))
    return entries


def _sign(request: TenantRequest, entry: AuditEntry) -> str:
    return signing.dumps([entry.occurred_at.isoformat(), str(entry.pk)], salt=_salt(request), compress=False)


def _cursor(request: TenantRequest, after: str) -> tuple[datetime, UUID] | None:
    """The place of the last entry shown, from a key of our own making for this tenant."""
    if not after:
        return None
    try:
        at, entry_id = signing.loads(after, salt=_salt(request))
    except signing.BadSignature as error:
        raise InvalidInput("This page's address was altered. Begin at the first page.") from error
    return datetime.fromisoformat(at), UUID(entry_id)


def _salt(request: TenantRequest) -> str:
    return f"audit log of {request.tenant.pk}"
