"""Pages of submitted documents: the list, one with its receipt, and sending one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import InvalidInput, Unavailable
from accounts.permissions import Permission
from assessments.submitted import pages
from assessments.submitted.forms import DocumentFindingFilterForm, SendForm, SubmissionFilterForm
from assessments.worklist import FindingFilter
from evidence.formats.kit.mapping import mapping_text
from evidence.models import SubmissionState
from evidence.submissions.quarantine import count_held
from evidence.submissions.services import find_submission


@require_safe
@requires(Permission.EVIDENCE_READ, act=Act.SUBMISSION_READ)
def submission_list(request: TenantRequest) -> HttpResponse:
    """Documents that were sent, newest first."""
    form = SubmissionFilterForm(request.GET)
    wanted = form.wanted()
    page = pages.list_submissions(wanted=wanted, after=request.GET.get("after", ""))
    query = request.GET.urlencode()[:500]
    record(Act.SUBMISSION_READ, object_type="page", object_id="submissions", query=query)
    context = {
        "form": form, "page": page, "filtered": bool(wanted), "held": count_held(),
        "may_send": request.may(Permission.SUBMISSION_SEND),
        "may_decide": request.may(Permission.SUBMISSION_RELEASE),
        "may_clients": request.may(Permission.API_CLIENT_CHANGE),
    }  # fmt: skip
    return render(request, "submissions/list.html", context)


@require_safe
@requires(Permission.EVIDENCE_READ, act=Act.SUBMISSION_READ)
def submission_detail(request: TenantRequest, submission_id: UUID) -> HttpResponse:
    """One document: its receipt, what was said of it, and what became of it."""
    row = find_submission(submission_id)
    record(Act.SUBMISSION_READ, object_type="submission", object_id=row.pk)
    detail = pages.read_detail(row)
    decides = request.may(Permission.SUBMISSION_RELEASE)
    held = row.state == SubmissionState.QUARANTINED
    context = {
        "row": row, "held": held, "may_decide": decides, "may_send": request.may(Permission.SUBMISSION_SEND),
        "may_clients": request.may(Permission.API_CLIENT_CHANGE),
        "may_release": decides and held and _may_release(request, row, detail),
        "may_export": request.may(Permission.EVIDENCE_EXPORT) and detail["kept"] and (decides or not held),
        "mapping": mapping_text(row.mapping) if row.mapping else "",
    }  # fmt: skip
    return render(request, "submissions/detail.html", {**context, **detail})


def _may_release(request: TenantRequest, row: Any, detail: dict[str, Any]) -> bool:
    mine = request.user.pk
    return row.person_id != mine and all(each.person_id != mine for each in detail["decisions"])


@require_safe
@requires(Permission.EVIDENCE_READ, act=Act.SUBMISSION_READ)
def submission_findings(request: TenantRequest, submission_id: UUID) -> HttpResponse:
    """The findings that a document said last."""
    row = find_submission(submission_id)
    record(Act.SUBMISSION_READ, object_type="submission", object_id=row.pk, part="findings")
    form = DocumentFindingFilterForm(request.GET)
    wanted = form.wanted()
    page = pages.findings_of(row, wanted, request.GET.get("after", ""))
    context = {
        "row": row, "form": form, "page": page, "titles": pages.titles_of(page.rows),
        "filtered": wanted != FindingFilter(),
    }  # fmt: skip
    return render(request, "submissions/findings.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.SUBMISSION_SEND)
def submission_send(request: TenantRequest) -> HttpResponse:
    """Sends a document by hand; the answer is the page with its receipt."""
    posted = request.method == "POST"
    form = SendForm(request.POST, request.FILES) if posted else SendForm()
    if posted and form.is_valid():
        said = form.cleaned_data
        try:
            row = pages.send_document(
                document=said["document"], mapping_id=form.mapping_id(), by=request.user, said=said
            )
        except InvalidInput as error:
            form.show(error)
        except Unavailable as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "The document is received; this page shows what comes of it.")
            return redirect("submission", row.pk)
    return render(request, "submissions/send.html", {"form": form}, status=400 if form.errors else 200)


@require_safe
@requires(Permission.EVIDENCE_EXPORT, step_up=True)
def submission_download(request: TenantRequest, submission_id: UUID) -> HttpResponseBase:
    """The document as it was sent, as a file and never in a page."""
    row = find_submission(submission_id)
    file = pages.open_for_download(row, decides=request.may(Permission.SUBMISSION_RELEASE))
    record(
        Act.EVIDENCE_EXPORT, object_type="submission", object_id=row.pk, sequence=row.sequence, digest=row.digest
    )  # fmt: skip
    return pages.as_download(row, file)
