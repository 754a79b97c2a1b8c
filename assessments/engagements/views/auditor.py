"""What an engagement's auditor reads: the safeguards, evidence and findings in scope, as of the end of the period."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Unavailable
from accounts.permissions import Permission
from assessments.engagements import reading, scope, work
from assessments.engagements.forms import CommentForm, ConcludeForm
from assessments.engagements.models import Side
from assessments.engagements.views.base import AuditRequest, audits
from evidence import services as evidence
from evidence.pretty import RAW_SHOWN_BYTES, pretty_calls
from evidence.vault import NotIntact


@require_safe
@requires(Permission.ENGAGEMENT_AUDIT, act=Act.ENGAGEMENT_READ)
def home(request: TenantRequest) -> HttpResponse:
    """The auditor's engagements that are open."""
    engagements = list(scope.open_engagements(request.user.pk))
    record(Act.ENGAGEMENT_READ, object_type="page", object_id="engagements")
    return render(
        request, "engagements/auditor_home.html", {"engagements": engagements, "now": timezone.now()}
    )


@require_safe
@requires(Permission.ENGAGEMENT_AUDIT, act=Act.ENGAGEMENT_READ)
def help_page(request: TenantRequest) -> HttpResponse:
    """How an auditor works here."""
    record(Act.ENGAGEMENT_READ, object_type="page", object_id="help")
    return render(request, "engagements/auditor_help.html")


@require_safe
@audits(Act.ENGAGEMENT_READ)
def engagement(request: AuditRequest) -> HttpResponse:
    """An engagement at a glance: its scope, what waits, what was concluded."""
    _record(request, Act.ENGAGEMENT_READ, "engagement", request.engagement.pk)
    context = {
        "requests": work.list_requests(request.engagement),
        "samples": work.list_samples(request.engagement),
        "conclusions": work.list_conclusions(request.engagement, Side.AUDITOR),
        "safeguards": scope.safeguards(request.engagement),
        "connections": scope.connections(request.engagement),
    }
    return render(request, "engagements/auditor_engagement.html", context)


@require_safe
@audits(Act.POSTURE_READ)
def safeguard_list(request: AuditRequest) -> HttpResponse:
    """The safeguards in scope."""
    groups = reading.by_family(reading.read_states(request.engagement))
    concluded = {
        each.row.citation: each.row for each in work.list_conclusions(request.engagement, Side.AUDITOR)
    }
    _record(request, Act.POSTURE_READ, "page", "safeguards")
    return render(
        request,
        "engagements/auditor_safeguards.html",
        {"groups": groups, "concluded": concluded, "as_of": scope.as_of(request.engagement)},
    )


@require_safe
@audits(Act.POSTURE_READ)
def safeguard_detail(request: AuditRequest, citation: str) -> HttpResponse:
    """One safeguard: status and why, evidence, comments, conclusions."""
    context = safeguard_context(request, citation)
    _record(request, Act.POSTURE_READ, "safeguard", citation)
    return render(request, "engagements/auditor_safeguard.html", context)


def safeguard_context(request: AuditRequest, citation: str, **more: Any) -> dict[str, Any]:
    """What the safeguard's page shows, with the forms given in place of fresh ones. Raises NotFound."""
    engagement = request.engagement
    return {
        "detail": reading.read_safeguard(engagement, citation),
        "named": scope.citations(engagement),
        "as_of": scope.as_of(engagement),
        "comments": work.comments_on(engagement, citation),
        "conclusions": work.conclusions_on(engagement, citation, Side.AUDITOR),
        "comment_form": CommentForm(prefix="comment"),
        "conclude_form": ConcludeForm(prefix="conclude"),
        **more,
    }


@require_safe
@audits(Act.POSTURE_READ)
def check_detail(request: AuditRequest, check_id: str) -> HttpResponse:
    """One check and what it said of each resource as of the end of the period."""
    given = request.GET
    detail = reading.read_check(
        request.engagement, check_id, given.get("outcome", ""), given.get("after", "")
    )
    _record(request, Act.POSTURE_READ, "check", check_id)
    context = {"detail": detail, "as_of": scope.as_of(request.engagement)}
    return render(request, "engagements/auditor_check.html", context)


@require_safe
@audits(Act.POSTURE_READ)
def tool_check_detail(request: AuditRequest, submitted_check_id: UUID) -> HttpResponse:
    """The same of another tool's check."""
    given = request.GET
    detail = reading.read_tool_check(
        request.engagement, submitted_check_id, given.get("outcome", ""), given.get("after", "")
    )
    _record(request, Act.POSTURE_READ, "check", detail.check.id)
    context = {"detail": detail, "as_of": scope.as_of(request.engagement)}
    return render(request, "engagements/auditor_check.html", context)


@require_safe
@audits(Act.POSTURE_READ)
def finding_detail(request: AuditRequest, finding_id: UUID) -> HttpResponse:
    """One finding over the period."""
    detail = reading.read_finding(request.engagement, finding_id)
    _record(request, Act.POSTURE_READ, "finding", finding_id)
    return render(request, "engagements/auditor_finding.html", {"detail": detail})


@require_safe
@audits(Act.EVIDENCE_LIST)
def evidence_list(request: AuditRequest) -> HttpResponse:
    """The snapshots in scope."""
    engagement = request.engagement
    collectors = sorted(scope.collectors_of(engagement))
    wanted = request.GET.get("collector", "")
    collector = wanted if wanted in collectors else ""
    page = reading.list_snapshots(engagement, collector=collector, after=request.GET.get("after", ""))
    _record(request, Act.EVIDENCE_LIST, "page", "evidence")
    context = {"page": page, "collectors": collectors, "collector": collector}
    return render(request, "engagements/auditor_evidence.html", context)


@require_safe
@audits(Act.EVIDENCE_READ)
def snapshot_detail(request: AuditRequest, snapshot_id: UUID) -> HttpResponse:
    """A snapshot with its provenance and what AWS answered."""
    snapshot = scope.find_snapshot(request.engagement, snapshot_id)
    context: dict[str, Any] = {
        "snapshot": snapshot,
        "sightings": reading.sightings(request.engagement, snapshot),
        "checks": [
            each for each in scope.checks_of(request.engagement) if snapshot.collector in each.collectors
        ],
    }
    try:
        opened = evidence.open_snapshot(snapshot_id=snapshot.pk, about=_about(request))
    except (NotIntact, Unavailable) as error:
        failed = context | {"failure": str(error)}
        return render(request, "engagements/auditor_snapshot.html", failed, status=error.status)
    shown = {
        "calls": pretty_calls(opened.payload["calls"]),
        "gaps": opened.payload["gaps"],
        "raw": opened.raw[:RAW_SHOWN_BYTES].decode(errors="replace"),
        "raw_left_out": max(len(opened.raw) - RAW_SHOWN_BYTES, 0),
    }
    return render(request, "engagements/auditor_snapshot.html", context | shown)


@require_safe
@audits(Act.EVIDENCE_EXPORT)
def snapshot_download(request: AuditRequest, snapshot_id: UUID) -> HttpResponse:
    """The sealed bytes as they are, after their digest was checked."""
    snapshot = scope.find_snapshot(request.engagement, snapshot_id)
    opened = evidence.open_snapshot(snapshot_id=snapshot.pk, act=Act.EVIDENCE_EXPORT, about=_about(request))
    name = f"{snapshot.collector}-{snapshot.region}-{snapshot.blob.digest[:12]}.json"
    return HttpResponse(
        opened.raw,
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_POST
@audits(Act.EVIDENCE_VERIFY)
def snapshot_verify(request: AuditRequest, snapshot_id: UUID) -> HttpResponse:
    """Reads the sealed bytes again and compares both digests."""
    snapshot = scope.find_snapshot(request.engagement, snapshot_id)
    found = evidence.verify_snapshot(snapshot_id=snapshot.pk, about=_about(request))
    if found.ok:
        messages.success(request, "The sealed bytes are what was sealed: both digests match.")
    else:
        messages.error(request, found.message)
    return redirect("auditor-snapshot", request.engagement.pk, snapshot.pk)


def _about(request: AuditRequest) -> dict[str, str]:
    return {"engagement": str(request.engagement.pk)}


def _record(request: AuditRequest, act: Act, object_type: str, object_id: object) -> None:
    record(act, object_type=object_type, object_id=object_id, engagement=str(request.engagement.pk))
