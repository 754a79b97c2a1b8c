"""Pages on which people decide: about documents that are held back, and about saved mappings."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, Forbidden, InvalidInput
from accounts.permissions import Permission
from assessments.submitted.forms import MappingForm, ReasonForm, ReleaseForm
from assessments.submitted.pages import read_detail
from evidence.formats.kit.mapping import mapping_text
from evidence.models import SubmissionMapping, SubmissionState
from evidence.submissions import mappings
from evidence.submissions.quarantine import count_decisions, decide_release, delete_held
from evidence.submissions.services import find_submission

FIRST = (
    "You say that what was found identifies no patient. Another person has to say so too; then it is read and counts"
    " as evidence."
)
LAST = (
    "You say, as another person did, that what was found identifies no patient. Then it is read and counts as"
    " evidence."
)
EXAMPLE = """{
  "check": "rule",
  "resource": "host",
  "result": "state",
  "results": {"ok": "PASS", "bad": "FAIL"},
  "time": "when",
  "always": {"citations": "164.312(b)"}
}"""
SAMPLE = (
    "rule,host,state,when\nlog-kept,db-1,ok,2026-03-01T06:00:00Z\nlog-kept,db-2,bad,2026-03-01T06:00:00Z\n"
)


@require_http_methods(["GET", "POST"])
@requires(Permission.SUBMISSION_RELEASE, step_up=True)
def submission_release(request: TenantRequest, submission_id: UUID) -> HttpResponse:
    """One of the two decisions that a document which was held back holds no PHI."""
    form = ReleaseForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            row = decide_release(
                submission_id=submission_id, by=request.user, reason=form.cleaned_data["reason"]
            )
        except (InvalidInput, Conflict, Forbidden) as error:
            _refuse(form, error)
        else:
            done = row.state == SubmissionState.RECEIVED
            messages.success(request, "Two people have released it: it is read now." if done else
                             "Your decision is kept. One of another person's is needed.")  # fmt: skip
            return redirect("submission", submission_id)
    return _asked(request, submission_id, form, "submissions/release.html")


@require_http_methods(["GET", "POST"])
@requires(Permission.SUBMISSION_RELEASE, act=Act.SUBMISSION_DELETE, step_up=True)
def submission_delete(request: TenantRequest, submission_id: UUID) -> HttpResponse:
    """Deletes a document that was held back: its bytes for good, its row never."""
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            delete_held(submission_id=submission_id, by=request.user, reason=form.cleaned_data["reason"])
        except (InvalidInput, Conflict) as error:
            _refuse(form, error)
        else:
            messages.success(request, "The document is deleted. Its receipt and its history stay.")
            return redirect("submission", submission_id)
    return _asked(request, submission_id, form, "submissions/delete.html")


def _asked(request: TenantRequest, submission_id: UUID, form: ReasonForm, template: str) -> HttpResponse:
    row = find_submission(submission_id)
    if not form.is_bound:
        record(Act.SUBMISSION_READ, object_type="submission", object_id=row.pk)
    decided = count_decisions(row)
    context = {**read_detail(row), "row": row, "form": form, "lead": LAST if decided else FIRST}
    return render(request, template, context, status=getattr(form, "refused_as", 400) if form.errors else 200)


def _refuse(form: Any, error: InvalidInput | Conflict | Forbidden) -> None:
    if isinstance(error, InvalidInput):
        form.show(error)
    else:
        form.add_error(None, str(error))
        form.refused_as = error.status


@require_safe
@requires(Permission.EVIDENCE_READ, act=Act.MAPPING_READ)
def mapping_list(request: TenantRequest) -> HttpResponse:
    """Saved mappings, those in use first."""
    rows = SubmissionMapping.objects.select_related("created_by").order_by("name", "-version")[:500]
    record(Act.MAPPING_READ, object_type="page", object_id="mappings")
    context = {"rows": rows, "may_change": request.may(Permission.MAPPING_CHANGE)}
    return render(request, "submissions/mapping_list.html", context)


@require_safe
@requires(Permission.EVIDENCE_READ, act=Act.MAPPING_READ)
def mapping_detail(request: TenantRequest, mapping_id: UUID) -> HttpResponse:
    """One version of a mapping."""
    row = mappings.find_mapping(mapping_id)
    record(Act.MAPPING_READ, object_type="mapping", object_id=row.pk)
    context = {
        "row": row,
        "content": mapping_text(row.content),
        "may_change": request.may(Permission.MAPPING_CHANGE),
    }
    return render(request, "submissions/mapping.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.MAPPING_CHANGE)
def mapping_new(request: TenantRequest) -> HttpResponse:
    """Tries a mapping out on a sample, and saves it."""
    posted = request.method == "POST"
    form = MappingForm(request.POST, request.FILES) if posted else MappingForm(initial=_initial(request))
    context: dict[str, Any] = {"form": form}
    if posted and form.is_valid():
        try:
            if "save" in request.POST:
                return _saved(request, form)
            context["trial"] = mappings.try_mapping(
                content=form.cleaned_data["content"], sample=form.sample_bytes(),
                format_name=form.cleaned_data["format"],
            )  # fmt: skip
            record(Act.MAPPING_READ, object_type="page", object_id="mapping-trial")
        except (InvalidInput, Conflict) as error:
            _refuse(form, error)
    status = getattr(form, "refused_as", 400) if form.errors else 200
    return render(request, "submissions/mapping_new.html", context, status=status)


def _saved(request: TenantRequest, form: MappingForm) -> HttpResponse:
    said = form.cleaned_data
    row = mappings.save_mapping(
        name=said["name"], description=said["description"], content=said["content"], by=request.user
    )
    messages.success(request, f"{row} is saved.")
    return redirect("mapping", row.pk)


def _initial(request: TenantRequest) -> dict[str, str]:
    """A mapping whose next version is written, or an example."""
    try:
        row = mappings.find_mapping(UUID(request.GET["from"])) if "from" in request.GET else None
    except ValueError:
        row = None
    if row is None:
        return {"content": EXAMPLE, "sample": SAMPLE}
    return {"name": row.name, "description": row.description, "content": mapping_text(row.content)}


@require_POST
@requires(Permission.MAPPING_CHANGE)
def mapping_retire(request: TenantRequest, mapping_id: UUID) -> HttpResponse:
    """Lets no further document name a mapping."""
    row = mappings.retire_mapping(mapping_id=mapping_id)
    messages.success(request, f"{row} is retired. Documents that were read by it stay as they are.")
    return redirect("mapping-list")
