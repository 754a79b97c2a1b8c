"""The tenant's audit log, newest first. Reading it is an act that it holds as well."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.core import signing
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import TenantRequest, requires
from accounts.audit import proofs
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.models import AuditCheckpoint, AuditEntry
from accounts.audit.notes import NoteError
from accounts.audit.search import LoggedActor, find_ids, list_actors
from accounts.audit.shown import Line, Standing, check_entries, prove_inclusion, verified_checkpoint
from accounts.errors import InvalidInput, NotFound
from accounts.forms import AuditFilterForm
from accounts.models import Person
from accounts.permissions import Permission

PAGE = 50
SEALER_SILENT = timedelta(minutes=1)
OBJECT_PAGES = {
    "snapshot": ("snapshot-detail", "snapshot_id"),
    "connection": ("connection-detail", "connection_id"),
    "finding": ("finding-detail", "finding_id"),
    "check": ("check-detail", "check_id"),
    "submitted_check": ("submitted-check-detail", "submitted_check_id"),
    "safeguard": ("safeguard-detail", "citation"),
    "engagement": ("engagement-detail", "engagement_id"),
}
"""The page that shows an object: its URL's name and the parameter that takes the id."""
WORDS = {Standing.VERIFIED: "verified", Standing.WAITING: "pending", Standing.ALTERED: "broken"}


class Row(NamedTuple):
    """A line of the page."""

    line: Line
    act: str
    look: str
    object_url: str


@requires(Permission.AUDIT_READ)
@require_safe
def audit_log(request: TenantRequest) -> HttpResponse:
    form = read_filters(request)
    actors = list_actors()
    after = request.GET.get("after", "")
    wanted = form.wanted(find_actor(form.cleaned_data["actor"], actors))
    ids = find_ids(wanted, before=_cursor(request, after), limit=PAGE + 1)
    record(
        Act.AUDIT_READ, object_type="page", object_id="audit-log", filters=filters_used(form), first_page=not after,
        entries=min(len(ids), PAGE),
    )  # fmt: skip
    lines = check_entries(ids[:PAGE])
    checkpoint, refused = _checkpoint()
    return TemplateResponse(
        request, "accounts/audit_log.html",
        {"form": form, "rows": [_row(line) for line in lines], "lines": lines, "actors": actors, "first": not after,
         "next": _sign(request, ids[PAGE - 1]) if len(ids) > PAGE else "", "filtered": bool(filters_used(form)),
         "broken": sum(line.standing is Standing.ALTERED for line in lines), "checkpoint": checkpoint,
         "keys": proofs.keys(), "sealer_stands": _sealer_stands(), "checkpoint_refused": refused,
         "last_index": checkpoint.size - 1 if checkpoint else None,
         "may_export": request.may(Permission.AUDIT_EXPORT), "may_stream": request.may(Permission.STREAM_CHANGE),
         "query": request.GET.urlencode()},
    )  # fmt: skip


@requires(Permission.AUDIT_READ)
@require_safe
def audit_entry(request: TenantRequest, entry_id: UUID) -> HttpResponse:
    """One entry in full, with the proof that it stands in the sealed log, computed now."""
    if not AuditEntry.objects.filter(pk=entry_id).exists():
        raise NotFound("There is no such entry.")
    line = check_entries([entry_id])[0]
    record(Act.AUDIT_READ, object_type="entry", object_id=entry_id)
    body = bytes(line.entry.body)
    return TemplateResponse(
        request, "accounts/audit_entry.html",
        {"row": _row(line), "entry": line.entry, "said": _read(body), "body": body.decode(errors="replace"),
         "inclusion": prove_inclusion(line), "index": line.index},
    )  # fmt: skip


def read_filters(request: TenantRequest) -> AuditFilterForm:
    """The form of the address's filters. Raises InvalidInput."""
    form = AuditFilterForm(request.GET)
    if not form.is_valid():
        raise InvalidInput("A filter of the audit log can't be used. Clear the filters and try again.")
    return form


def filters_used(form: AuditFilterForm) -> dict[str, str]:
    """The filters that are set, as text."""
    return {name: str(value) for name, value in form.cleaned_data.items() if value}


def find_actor(text: str, actors: list[LoggedActor]) -> str | None:
    """The id of who is named by id, e-mail address or name; None for nobody in particular."""
    sought = text.strip().lower()
    if not sought:
        return None
    person = Person.objects.filter(email=sought).first()
    if person:
        return str(person.pk)
    return next((actor.id for actor in actors if sought in {actor.id.lower(), actor.name.lower()}), sought)


def _sealer_stands() -> bool:
    """Whether the sealer, which says every few seconds that it runs, has been silent."""
    seen = proofs.sealer_seen_at()
    return seen is None or timezone.now() - seen > SEALER_SILENT


def _checkpoint() -> tuple[AuditCheckpoint | None, bool]:
    try:
        return verified_checkpoint(), False
    except NoteError:
        return None, True


def _row(line: Line) -> Row:
    entry = line.entry
    known = entry.act in set(Act)
    return Row(line, Act(entry.act).label if known else entry.act, WORDS[line.standing], _object_url(entry))


def _object_url(entry: AuditEntry) -> str:
    name, parameter = OBJECT_PAGES.get(entry.object_type, ("", ""))
    try:
        return reverse(name, kwargs={parameter: entry.object_id}) if name else ""
    except NoReverseMatch:
        return ""


def _read(body: bytes) -> dict[str, Any] | None:
    try:
        said: dict[str, Any] = json.loads(body)
    except ValueError:
        return None
    return {**said, "details": json.dumps(said.get("details", {}), indent=2, ensure_ascii=False)}


def _sign(request: TenantRequest, entry_id: UUID) -> str:
    return signing.dumps(str(entry_id), salt=_salt(request), compress=False)


def _cursor(request: TenantRequest, after: str) -> UUID | None:
    """The last entry shown, from a key of our own making for this tenant."""
    if not after:
        return None
    try:
        return UUID(str(signing.loads(after, salt=_salt(request))))
    except (signing.BadSignature, ValueError) as error:
        raise InvalidInput("This page's address was altered. Begin at the first page.") from error


def _salt(request: TenantRequest) -> str:
    return f"audit log of {request.tenant.pk}"
