"""Pages of connections, runs and evidence."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act, ActOutcome
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, Unavailable
from accounts.permissions import Permission
from evidence import ledger, services
from evidence.aws import policy
from evidence.forms import ConnectionForm, EvidenceFilterForm
from evidence.models import AwsConnection, ConnectionState, RunState
from evidence.pretty import RAW_SHOWN_BYTES, pretty_calls
from evidence.vault import NotIntact

TABS = {"health": "Health", "coverage": "Coverage", "runs": "Runs", "permissions": "Permissions"}
WAYS = {"cloudformation": "CloudFormation", "terraform": "Terraform", "manual": "By hand"}


@require_safe
@requires(Permission.CONNECTION_READ)
def connection_list(request: TenantRequest) -> HttpResponse:
    """The connected accounts and how they are."""
    return render(
        request,
        "evidence/connection_list.html",
        {"health": ledger.connection_health(), "may_change": request.may(Permission.CONNECTION_CHANGE)},
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.CONNECTION_CHANGE, act=Act.CONNECTION_CREATE, step_up=True)
def connection_new(request: TenantRequest) -> HttpResponse:
    """Step 1 of connecting: which account."""
    form = ConnectionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            connection = services.create_connection(**form.cleaned_data)
        except (InvalidInput, Conflict) as error:
            form.add_error(getattr(error, "field", "") or None, str(error))
        else:
            return redirect("connection-grant", connection_id=connection.pk)
    status = 400 if form.is_bound else 200
    return render(request, "evidence/connection_new.html", {"form": form}, status=status)


@require_safe
@requires(Permission.CONNECTION_CHANGE)
def connection_grant(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Step 2 of connecting: the role that the tenant creates."""
    connection = ledger.find_connection(connection_id)
    way = request.GET.get("way", "cloudformation")
    context = {"connection": connection, "ways": WAYS, "way": way if way in WAYS else "cloudformation"}
    return render(
        request, "evidence/connection_grant.html", context | _permissions(connection) | _role(connection)
    )


@require_safe
@requires(Permission.CONNECTION_CHANGE)
def connection_template(request: TenantRequest, connection_id: UUID) -> HttpResponse:  # noqa: ARG001
    """The CloudFormation template that makes the role."""
    connection = ledger.find_connection(connection_id)
    body = policy.cloudformation_template(*_given(connection))
    return _file(body, "surety-role.json", "application/json")


@require_safe
@requires(Permission.CONNECTION_CHANGE)
def connection_terraform(request: TenantRequest, connection_id: UUID) -> HttpResponse:  # noqa: ARG001
    """The Terraform module that makes the role."""
    connection = ledger.find_connection(connection_id)
    body = policy.terraform_module(*_given(connection))
    return _file(body, "surety-role.tf", "text/plain; charset=utf-8")


@require_safe
@requires(Permission.CONNECTION_READ)
def connection_detail(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """One connection: health, coverage, runs or permissions."""
    connection = ledger.find_connection(connection_id)
    tab = request.GET.get("tab", "health")
    tab = tab if tab in TABS else "health"
    running = ledger.running_run(connection)
    context = {
        "connection": connection,
        "tabs": TABS,
        "tab": tab,
        "progress": ledger.read_progress(connection, running.pk) if running else None,
        "verified": connection.state == ConnectionState.VERIFIED,
        "may_change": request.may(Permission.CONNECTION_CHANGE),
        "may_collect": request.may(Permission.COLLECTION_START),
    }
    return render(request, f"evidence/connection_{tab}.html", context | _tab(connection, tab))


def _tab(connection: AwsConnection, tab: str) -> dict[str, Any]:
    if tab == "runs":
        return {"runs": ledger.runs_of(connection)}
    coverage = {"coverage": ledger.latest_coverage(connection)}
    return coverage | _permissions(connection) if tab == "permissions" else coverage


@require_POST
@requires(Permission.CONNECTION_CHANGE, act=Act.CONNECTION_CHANGE)
def connection_verify(request: TenantRequest, connection_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Step 3 of connecting, and the proof on request: a worker does it, and its steps show on the page."""
    services.verify_connection(connection_id=connection_id)
    return redirect("connection-detail", connection_id=connection_id)


@require_safe
@requires(Permission.CONNECTION_READ, act=Act.PROGRESS_READ)
def probe_progress(request: TenantRequest, connection_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Asked each second while a verification is under way; afterwards the page is loaded anew."""
    if ledger.find_connection(connection_id).probe_due_at is None:
        return HttpResponseClientRefresh()
    return HttpResponse(status=204)


@require_POST
@requires(Permission.COLLECTION_START)
def connection_collect(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Starts a run and shows its progress."""
    try:
        services.start_run(connection_id=connection_id, trigger="person")
    except Conflict as error:
        record(
            Act.COLLECTION_START,
            object_type="connection",
            object_id=connection_id,
            outcome=ActOutcome.REFUSED,
        )
        messages.warning(request, str(error))
    target = redirect("connection-detail", connection_id=connection_id)
    target["Location"] += "?tab=runs"
    return target


@require_http_methods(["GET", "POST"])
@requires(Permission.CONNECTION_CHANGE, act=Act.CONNECTION_REMOVE, step_up=True)
def connection_remove(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Asks, and on POST removes. Evidence and findings stay."""
    connection = ledger.find_connection(connection_id)
    if request.method == "POST":
        services.remove_connection(connection_id=connection_id)
        messages.success(request, f"The connection {connection.name} is removed. Its evidence is kept.")
        return redirect("connection-list")
    return render(request, "evidence/connection_remove.html", {"connection": connection})


@require_safe
@requires(Permission.CONNECTION_READ, act=Act.PROGRESS_READ)
def run_progress(request: TenantRequest, connection_id: UUID, run_id: UUID) -> HttpResponse:
    """A run's progress as a piece of the page, which asks for it each second until the run is finished."""
    progress = ledger.read_progress(ledger.find_connection(connection_id), run_id)
    if progress.run.state == RunState.FINISHED:
        return HttpResponseClientRefresh()
    return render(request, "evidence/progress.html", {"progress": progress})


@require_safe
@requires(Permission.EVIDENCE_READ, act=Act.EVIDENCE_LIST)
def evidence_list(request: TenantRequest) -> HttpResponse:
    """The sealed snapshots, newest first."""
    form = EvidenceFilterForm(request.GET)
    page = ledger.list_snapshots(**form.wanted(), after=request.GET.get("after", ""))
    record(Act.EVIDENCE_LIST, object_type="page", object_id="evidence", query=request.GET.urlencode()[:500])
    context = {"form": form, "page": page, "filtered": any(form.wanted().values())}
    return render(request, "evidence/evidence_list.html", context)


@require_safe
@requires(Permission.EVIDENCE_READ)
def snapshot_detail(request: TenantRequest, snapshot_id: UUID) -> HttpResponse:
    """A snapshot with its provenance and what AWS answered. Nothing is shown of one that doesn't verify."""
    snapshot = ledger.find_snapshot(snapshot_id)
    context: dict[str, Any] = {
        "snapshot": snapshot,
        "sightings": ledger.sightings_of(snapshot),
        "may_export": request.may(Permission.EVIDENCE_EXPORT),
    }
    try:
        opened = services.open_snapshot(snapshot_id=snapshot_id)
    except (NotIntact, Unavailable) as error:
        failed = context | {"failure": str(error)}
        return render(request, "evidence/snapshot_detail.html", failed, status=error.status)
    return render(request, "evidence/snapshot_detail.html", context | _shown(opened))


def _shown(opened: services.OpenedSnapshot) -> dict[str, Any]:
    raw = opened.raw[:RAW_SHOWN_BYTES].decode(errors="replace")
    return {
        "calls": pretty_calls(opened.payload["calls"]),
        "gaps": opened.payload["gaps"],
        "raw": raw,
        "raw_left_out": max(len(opened.raw) - RAW_SHOWN_BYTES, 0),
    }


@require_safe
@requires(Permission.EVIDENCE_EXPORT, step_up=True)
def snapshot_download(request: TenantRequest, snapshot_id: UUID) -> HttpResponse:  # noqa: ARG001
    """The sealed bytes as they are, after their digest was checked."""
    opened = services.open_snapshot(snapshot_id=snapshot_id, act=Act.EVIDENCE_EXPORT)
    digest = opened.snapshot.blob.digest
    name = f"{opened.snapshot.collector}-{opened.snapshot.region}-{digest[:12]}.json"
    return _file(opened.raw, name, "application/json")


@require_POST
@requires(Permission.EVIDENCE_READ, act=Act.EVIDENCE_VERIFY)
def snapshot_verify(request: TenantRequest, snapshot_id: UUID) -> HttpResponse:
    """Reads the sealed bytes again and compares both digests."""
    snapshot = ledger.find_snapshot(snapshot_id)
    verification = services.verify_snapshot(snapshot_id=snapshot_id)
    if request.headers.get("HX-Request"):
        return render(
            request, "evidence/verification.html", {"verification": verification, "snapshot": snapshot}
        )
    (messages.success if verification.ok else messages.error)(request, verification.message)
    return redirect("snapshot-detail", snapshot_id=snapshot_id)


def _given(connection: AwsConnection) -> tuple[str, str, str]:
    return settings.AWS_PRINCIPAL_ARN, str(connection.external_id), connection.role_name


def _permissions(connection: AwsConnection) -> dict[str, Any]:  # noqa: ARG001 (all connections grant the same)
    rows = policy.preview()
    return {"preview": rows, "denied": policy.denied(row.action for row in rows)}


def _role(connection: AwsConnection) -> dict[str, Any]:
    trust = policy.trust_policy(settings.AWS_PRINCIPAL_ARN, str(connection.external_id))
    return {
        "trust": json.dumps(trust, indent=2),
        "policies": [json.dumps(document, indent=2) for document in policy.managed_policies()],
        "terraform": policy.terraform_module(*_given(connection)),
        "quick_create": _quick_create(connection),
    }


def _quick_create(connection: AwsConnection) -> str:
    """Empty unless the operator keeps the template in S3: CloudFormation takes it from nowhere else."""
    if not settings.ROLE_TEMPLATE_URL:
        return ""
    return policy.quick_create_url(
        template_url=settings.ROLE_TEMPLATE_URL,
        principal_arn=settings.AWS_PRINCIPAL_ARN,
        external_id=str(connection.external_id),
        role_name=connection.role_name,
        partition=connection.partition,
        region=connection.regions[0],
    )


def _file(body: str | bytes, name: str, media_type: str) -> HttpResponse:
    return HttpResponse(
        body, content_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
