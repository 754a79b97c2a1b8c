"""Pages of safeguards and findings."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.permissions import Permission
from assessments import posture, worklist
from assessments.checks.base import checks
from assessments.forms import FindingFilterForm, SafeguardFilterForm
from assessments.submitted.agreement import read_agreements, read_counterparts
from evidence.submissions.services import documents_for


@require_safe
@requires(Permission.POSTURE_READ)
def safeguard_list(request: TenantRequest) -> HttpResponse:
    """Every standard and specification by section, with its status."""
    form = SafeguardFilterForm(request.GET)
    groups = posture.list_safeguards(form.wanted())
    _record(request, "safeguards")
    shown = sum(len(states) for _family, states in groups)
    return render(
        request, "assessments/safeguard_list.html", {"form": form, "groups": groups, "shown": shown}
    )


@require_safe
@requires(Permission.POSTURE_READ)
def safeguard_detail(request: TenantRequest, citation: str) -> HttpResponse:
    """One safeguard: its status and why, down to the snapshots and what was not seen."""
    detail = posture.read_safeguard(citation)
    record(Act.POSTURE_READ, object_type="safeguard", object_id=citation)
    mine = [check.id for check in checks().values() if citation in check.supports]
    may_read_evidence = request.may(Permission.EVIDENCE_READ)
    context = {
        "detail": detail,
        "agreements": read_agreements(ours=mine) if mine else (),
        "may_read_evidence": may_read_evidence,
        "documents": documents_for(citation) if may_read_evidence else (),
    }
    return render(request, "assessments/safeguard_detail.html", context)


@require_safe
@requires(Permission.POSTURE_READ)
def finding_list(request: TenantRequest) -> HttpResponse:
    """Findings grouped by check."""
    form = FindingFilterForm(request.GET)
    groups = worklist.list_groups(form.wanted())
    _record(request, "findings")
    return render(request, "assessments/finding_list.html", {"form": form, "groups": groups})


@require_safe
@requires(Permission.POSTURE_READ)
def check_detail(request: TenantRequest, check_id: str) -> HttpResponse:
    """One check: what it expects and why, how to mend it, and its findings."""
    form = FindingFilterForm(request.GET)
    detail = worklist.read_check(check_id, form.wanted(), request.GET.get("after", ""))
    record(Act.POSTURE_READ, object_type="check", object_id=check_id)
    context = {"detail": detail, "form": form, "agreements": read_agreements(ours=[check_id])}
    return render(request, "assessments/check_detail.html", context)


@require_safe
@requires(Permission.POSTURE_READ)
def submitted_check_detail(request: TenantRequest, submitted_check_id: UUID) -> HttpResponse:
    """One check of another tool, and what its documents say of each resource."""
    form = FindingFilterForm(request.GET)
    detail = worklist.read_tool_check(submitted_check_id, form.wanted(), request.GET.get("after", ""))
    record(Act.POSTURE_READ, object_type="submitted_check", object_id=submitted_check_id)
    context = {"detail": detail, "form": form, "agreements": read_agreements(theirs=[detail.check.id])}
    return render(request, "assessments/submitted_check.html", context)


@require_safe
@requires(Permission.POSTURE_READ)
def finding_detail(request: TenantRequest, finding_id: UUID) -> HttpResponse:
    """One finding: observed and expected, how to mend it, the evidence, the history."""
    detail = worklist.read_finding(finding_id)
    record(Act.POSTURE_READ, object_type="finding", object_id=finding_id)
    context = {
        "detail": detail,
        "counterparts": read_counterparts(detail.finding),
        "may_read_evidence": request.may(Permission.EVIDENCE_READ),
    }
    return render(request, "assessments/finding_detail.html", context)


def _record(request: TenantRequest, page: str) -> None:
    record(Act.POSTURE_READ, object_type="page", object_id=page, query=request.GET.urlencode()[:500])
