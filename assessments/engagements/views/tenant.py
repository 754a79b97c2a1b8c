"""Engagements as the tenant has them: made, changed and ended, answered, and what the auditors opened."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput
from accounts.invitation_mail import send_after_commit
from accounts.permissions import Permission
from accounts.views.pages import UNFIT, form_page, say
from assessments.engagements import notices, scope, services, work
from assessments.engagements.forms import AnswerForm, AssignForm, AuditorForm, CommentForm, EngagementForm
from assessments.engagements.models import Side
from assessments.engagements.services.requests import RequestAct
from assessments.models import Engagement, EvidenceRequest
from assessments.packages import services as packages

TABS = {
    "requests": "Requests",
    "samples": "Samples",
    "conclusions": "Conclusions",
    "packages": "Packages",
    "access": "Access log",
}


@require_safe
@requires(Permission.ENGAGEMENT_READ, act=Act.ENGAGEMENT_READ)
def engagement_list(request: TenantRequest) -> HttpResponse:
    """Every engagement, with what waits in it."""
    record(Act.ENGAGEMENT_READ, object_type="page", object_id="engagements")
    context = {"lines": work.list_engagements(), "may_change": request.may(Permission.ENGAGEMENT_CHANGE)}
    return render(request, "engagements/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.ENGAGEMENT_CHANGE, act=Act.ENGAGEMENT_CREATE, step_up=True)
def engagement_new(request: TenantRequest) -> HttpResponse:
    """Opens an engagement."""
    form = EngagementForm(
        request.POST if request.method == "POST" else None, initial=EngagementForm.first_values()
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_engagement(terms=form.terms(), by=request.membership)
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, "The engagement is there. Name its auditors next.")
            return redirect("engagement", made.pk)
    return form_page(request, "engagements/edit.html", form, engagement=None)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.ENGAGEMENT_CHANGE, act=Act.ENGAGEMENT_CHANGE, step_up=True)
def engagement_edit(request: TenantRequest, engagement_id: UUID) -> HttpResponse:
    """Changes the terms."""
    engagement = work.find_engagement(engagement_id)
    form = EngagementForm(
        request.POST if request.method == "POST" else None, initial=EngagementForm.values_of(engagement)
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.change_engagement(engagement=engagement, terms=form.terms())
        except (InvalidInput, Conflict) as error:
            form.show(error if isinstance(error, InvalidInput) else InvalidInput(str(error)))
        else:
            say(request, "The engagement is changed. Its auditors meet it at their next request.")
            return redirect("engagement", engagement_id)
    return form_page(request, "engagements/edit.html", form, engagement=engagement)


@require_POST
@requires(Permission.ENGAGEMENT_CHANGE, act=Act.ENGAGEMENT_END, step_up=True)
def engagement_end(request: TenantRequest, engagement_id: UUID) -> HttpResponse:
    """Ends the access of its auditors at once."""
    services.end_engagement(engagement=work.find_engagement(engagement_id))
    say(request, "The engagement is ended. Its auditors get nothing from their next request on.")
    return redirect("engagement", engagement_id)


@require_safe
@requires(Permission.ENGAGEMENT_READ, act=Act.ENGAGEMENT_READ)
def engagement(request: TenantRequest, engagement_id: UUID) -> HttpResponse:
    """One engagement: requests, samples, conclusions or the access log."""
    found = work.find_engagement(engagement_id)
    record(Act.ENGAGEMENT_READ, object_type="engagement", object_id=found.pk)
    return _page(request, found, AuditorForm())


def _page(request: TenantRequest, found: Engagement, form: AuditorForm) -> HttpResponse:
    tab = request.GET.get("tab", "requests")
    tab = tab if tab in TABS else "requests"
    context = {
        "engagement": found,
        "state": found.state(timezone.now()),
        "tabs": TABS,
        "tab": tab,
        "auditors": work.auditors_of(found),
        "safeguards": scope.safeguards(found),
        "connections": scope.connections(found),
        "form": form,
        "may_change": request.may(Permission.ENGAGEMENT_CHANGE) and not found.ended_at,
        "may_package": request.may(Permission.PACKAGE_CREATE),
        **_tab(found, tab),
    }
    return render(request, "engagements/detail.html", context, status=UNFIT if form.errors else 200)


def _tab(found: Engagement, tab: str) -> dict[str, Any]:
    if tab == "samples":
        return {"lines": work.list_samples(found)}
    if tab == "conclusions":
        return {"conclusions": work.list_conclusions(found, Side.TENANT)}
    if tab == "packages":
        return {"packages": packages.packages_for(found)}
    if tab == "access":
        return {"opened": work.access_log(found), "shown": work.TRACES_SHOWN}
    return {"lines": work.list_requests(found)}


@require_POST
@requires(Permission.ENGAGEMENT_CHANGE, act=Act.ENGAGEMENT_AUDITOR_ADD, step_up=True)
def auditor_add(request: TenantRequest, engagement_id: UUID) -> HttpResponse:
    """Names an auditor, and invites them."""
    found = work.find_engagement(engagement_id)
    form = AuditorForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form)
    try:
        named = services.name_auditor(engagement=found, by=request.membership, **form.cleaned_data)
    except (InvalidInput, Conflict) as error:
        form.show(error if isinstance(error, InvalidInput) else InvalidInput(str(error), field="email"))
        return _page(request, found, form)
    if named.invitation:
        send_after_commit(request, named.invitation)
    elif named.auditor.person_id:
        notices.tell_new_auditor(found, named.auditor.person_id, request.tenant)
    say(request, f"{named.auditor} is named as an auditor of this engagement, and hears of it by e-mail.")
    return redirect("engagement", engagement_id)


@require_POST
@requires(Permission.ENGAGEMENT_CHANGE, act=Act.ENGAGEMENT_AUDITOR_REMOVE, step_up=True)
def auditor_remove(request: TenantRequest, engagement_id: UUID, auditor_id: UUID) -> HttpResponse:
    """Ends one auditor's access."""
    services.remove_auditor(engagement=work.find_engagement(engagement_id), auditor_id=auditor_id)
    say(request, "The auditor gets nothing of this engagement from the next request on.")
    return redirect("engagement", engagement_id)


@require_safe
@requires(Permission.ENGAGEMENT_READ, act=Act.ENGAGEMENT_READ)
def request_detail(request: TenantRequest, engagement_id: UUID, request_id: UUID) -> HttpResponse:
    """One request with its thread."""
    asked = work.find_request(work.find_engagement(engagement_id), request_id)
    record(Act.ENGAGEMENT_READ, object_type="request", object_id=request_id, engagement=str(engagement_id))
    return _request_page(request, asked, _answer_form(asked))


def _answer_form(asked: EvidenceRequest, *data: Any) -> AnswerForm:
    return AnswerForm(*data, engagement=asked.engagement, citation=asked.citation)


def _request_page(request: TenantRequest, asked: EvidenceRequest, form: AnswerForm) -> HttpResponse:
    assign = AssignForm()
    assign.initial = {"owner": assign.people.get(asked.owner_id, "") if asked.owner_id else ""}
    context = {
        "engagement": asked.engagement,
        "thread": work.read_request(asked.engagement, asked.pk, Side.TENANT),
        "form": form,
        "assign_form": assign,
        "may_answer": request.may(Permission.ENGAGEMENT_ANSWER) and not asked.engagement.ended_at,
        "may_assign": request.may(Permission.ENGAGEMENT_CHANGE) and not asked.engagement.ended_at,
        "may_read_evidence": request.may(Permission.EVIDENCE_READ),
        "may_send": request.may(Permission.SUBMISSION_SEND),
    }
    return render(request, "engagements/request.html", context, status=UNFIT if form.errors else 200)


@require_POST
@requires(Permission.ENGAGEMENT_ANSWER, act=Act.REQUEST_SAY)
def request_say(request: TenantRequest, engagement_id: UUID, request_id: UUID) -> HttpResponse:
    """Answers, with evidence or without, or comments."""
    asked = work.find_request(_living(engagement_id), request_id)
    form = _answer_form(asked, request.POST)
    act = request.POST.get("act", "")
    if act not in {RequestAct.ANSWER, RequestAct.COMMENT}:
        raise InvalidInput("Choose what to do with the request.")
    if form.is_valid():
        try:
            services.say(
                request=asked, act=RequestAct(act), side=Side.TENANT, by=request.user.pk,
                text=form.cleaned_data["text"], snapshot_ids=map(UUID, form.cleaned_data["evidence"]),
                submission_ids=map(UUID, form.cleaned_data["documents"]),
            )  # fmt: skip
        except InvalidInput as error:
            form.show(error)
        else:
            notices.tell_auditor(asked, request.tenant)
            return redirect("engagement-request", engagement_id, request_id)
    return _request_page(request, asked, form)


@require_POST
@requires(Permission.ENGAGEMENT_CHANGE, act=Act.REQUEST_ASSIGN)
def request_assign(request: TenantRequest, engagement_id: UUID, request_id: UUID) -> HttpResponse:
    """Says who answers."""
    asked = work.find_request(_living(engagement_id), request_id)
    owner = request.POST.get("owner", "")
    try:
        services.assign(request=asked, membership_id=UUID(owner) if owner else None)
    except ValueError as error:
        raise InvalidInput("Choose one of the members.", field="owner") from error
    if asked.owner_id:
        notices.tell_tenant(asked, request.tenant)
    say(request, "It is noted who answers.")
    return redirect("engagement-request", engagement_id, request_id)


@require_safe
@requires(Permission.ENGAGEMENT_READ, act=Act.ENGAGEMENT_READ)
def sample_detail(request: TenantRequest, engagement_id: UUID, sample_id: UUID) -> HttpResponse:
    """One sample, to be read."""
    found = work.find_engagement(engagement_id)
    detail = work.read_sample(found, sample_id)
    record(Act.ENGAGEMENT_READ, object_type="sample", object_id=sample_id, engagement=str(engagement_id))
    return render(request, "engagements/sample.html", {"engagement": found, "detail": detail})


@require_safe
@requires(Permission.ENGAGEMENT_READ, act=Act.ENGAGEMENT_READ)
def safeguard_detail(request: TenantRequest, engagement_id: UUID, citation: str) -> HttpResponse:
    """What both sides said of a safeguard, and the shared conclusions."""
    found = work.find_engagement(engagement_id)
    page = _safeguard_page(request, found, citation, CommentForm())
    record(Act.ENGAGEMENT_READ, object_type="safeguard", object_id=citation, engagement=str(engagement_id))
    return page


@require_POST
@requires(Permission.ENGAGEMENT_ANSWER, act=Act.SAFEGUARD_COMMENT)
def safeguard_comment(request: TenantRequest, engagement_id: UUID, citation: str) -> HttpResponse:
    """Says something about a safeguard to both sides."""
    found = _living(engagement_id)
    form = CommentForm(request.POST)
    if not form.is_valid():
        return _safeguard_page(request, found, citation, form)
    services.comment(
        engagement=found,
        citation=citation,
        side=Side.TENANT,
        text=form.cleaned_data["text"],
        by=request.user.pk,
    )
    return redirect("engagement-safeguard", engagement_id, citation)


def _safeguard_page(
    request: TenantRequest, found: Engagement, citation: str, form: CommentForm
) -> HttpResponse:
    context = {
        "engagement": found,
        "safeguard": scope.find_safeguard(found, citation),
        "comments": work.comments_on(found, citation),
        "conclusions": work.conclusions_on(found, citation, Side.TENANT),
        "form": form,
        "may_answer": request.may(Permission.ENGAGEMENT_ANSWER) and not found.ended_at,
    }
    return render(request, "engagements/safeguard.html", context, status=UNFIT if form.errors else 200)


def _living(engagement_id: UUID) -> Engagement:
    """The engagement, if it wasn't ended. Raises NotFound, Conflict."""
    found = work.find_engagement(engagement_id)
    if found.ended_at:
        raise Conflict("This engagement was ended: its threads are closed.")
    return found
