"""What an engagement's auditor writes: requests, samples, comments and conclusions."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput
from accounts.forms import RefusableForm
from accounts.views.pages import UNFIT, form_page, say
from assessments.engagements import notices, services, work
from assessments.engagements.forms import (
    AskForm,
    CommentForm,
    ConcludeForm,
    DrawForm,
    FreezeForm,
    JudgeForm,
    ReplaceForm,
    SayForm,
    due_first,
)
from assessments.engagements.models import Extent, Judgement, Result, Side
from assessments.engagements.services.populations import Source
from assessments.engagements.services.requests import RequestAct
from assessments.engagements.views.auditor import safeguard_context
from assessments.engagements.views.base import AuditRequest, audits


@require_safe
@audits(Act.ENGAGEMENT_READ)
def request_list(request: AuditRequest) -> HttpResponse:
    """The engagement's requests."""
    _record(request, "requests")
    lines = work.list_requests(request.engagement)
    return render(request, "engagements/auditor_requests.html", {"lines": lines})


@require_http_methods(["GET", "HEAD", "POST"])
@audits(Act.REQUEST_ASK)
def request_new(request: AuditRequest) -> HttpResponse:
    """Asks for something."""
    first = {"due_on": due_first(), "citation": request.GET.get("citation", "")}
    form = AskForm(_posted(request), engagement=request.engagement, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            asked = services.ask(engagement=request.engagement, by=request.user.pk, **form.cleaned_data)
        except InvalidInput as error:
            form.show(error)
        else:
            notices.tell_tenant(asked, request.tenant)
            say(request, "The request is asked.")
            return redirect("auditor-request", request.engagement.pk, asked.pk)
    elif request.method != "POST":
        _record(request, "new request")
    return form_page(request, "engagements/auditor_request_new.html", form)


@require_safe
@audits(Act.ENGAGEMENT_READ)
def request_detail(request: AuditRequest, request_id: UUID) -> HttpResponse:
    """One request with its thread."""
    thread = work.read_request(request.engagement, request_id, Side.AUDITOR)
    record(
        Act.ENGAGEMENT_READ,
        object_type="request",
        object_id=request_id,
        engagement=str(request.engagement.pk),
    )
    return render(request, "engagements/auditor_request.html", {"thread": thread, "form": SayForm()})


@require_POST
@audits(Act.REQUEST_SAY)
def request_say(request: AuditRequest, request_id: UUID) -> HttpResponse:
    """Comments, accepts, asks for more or withdraws."""
    asked = work.find_request(request.engagement, request_id)
    form = SayForm(request.POST)
    act = request.POST.get("act", "")
    if act not in set(RequestAct):
        raise InvalidInput("Choose what to do with the request.")
    form.is_valid()
    try:
        services.say(
            request=asked, act=RequestAct(act), side=Side.AUDITOR, by=request.user.pk,
            text=form.cleaned_data.get("text", ""),
        )  # fmt: skip
    except InvalidInput as error:
        form.show(error)
        thread = work.read_request(request.engagement, request_id, Side.AUDITOR)
        return render(
            request, "engagements/auditor_request.html", {"thread": thread, "form": form}, status=UNFIT
        )
    notices.tell_tenant(asked, request.tenant)
    return redirect("auditor-request", request.engagement.pk, request_id)


@require_safe
@audits(Act.ENGAGEMENT_READ)
def sample_list(request: AuditRequest) -> HttpResponse:
    """The engagement's samples."""
    _record(request, "samples")
    return render(
        request, "engagements/auditor_samples.html", {"lines": work.list_samples(request.engagement)}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@audits(Act.SAMPLE_FREEZE)
def sample_new(request: AuditRequest) -> HttpResponse:
    """Freezes a population."""
    form = FreezeForm(
        _posted(request), engagement=request.engagement, initial={"citation": request.GET.get("citation", "")}
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            sample = services.freeze_population(
                engagement=request.engagement, citation=given["citation"], title=given["title"],
                extent=Extent(given["extent"]), source=Source(given["source"]), subject=given["subject"],
                by=request.user.pk,
            )  # fmt: skip
        except InvalidInput as error:
            form.show(error)
        else:
            return redirect("auditor-sample", request.engagement.pk, sample.pk)
    elif request.method != "POST":
        _record(request, "new sample")
    return form_page(request, "engagements/auditor_sample_new.html", form)


@require_safe
@audits(Act.ENGAGEMENT_READ)
def sample_detail(request: AuditRequest, sample_id: UUID) -> HttpResponse:
    """One sample: its population's digest, its seed, its items and their results."""
    page = _sample_page(request, sample_id, DrawForm())
    record(
        Act.ENGAGEMENT_READ, object_type="sample", object_id=sample_id, engagement=str(request.engagement.pk)
    )
    return page


@require_POST
@audits(Act.SAMPLE_DRAW)
def sample_draw(request: AuditRequest, sample_id: UUID) -> HttpResponse:
    """Draws by the auditor's seed."""
    sample = work.find_sample(request.engagement, sample_id)
    form = DrawForm(request.POST)
    return _or_again(
        request, sample_id, form,
        lambda: services.draw_sample(
            sample=sample, seed=form.cleaned_data["seed"], size=form.cleaned_data["size"], by=request.user.pk
        ),
    )  # fmt: skip


@require_POST
@audits(Act.SAMPLE_REPLACE)
def item_replace(request: AuditRequest, sample_id: UUID, item_id: UUID) -> HttpResponse:
    """Puts the next item by rank in the place of one."""
    item = work.find_item(request.engagement, sample_id, item_id)
    form = ReplaceForm(request.POST)
    return _or_again(
        request, sample_id, form, lambda: services.replace_item(item=item, reason=form.cleaned_data["reason"])
    )


@require_POST
@audits(Act.SAMPLE_JUDGE)
def item_judge(request: AuditRequest, sample_id: UUID, item_id: UUID) -> HttpResponse:
    """Says what the test of an item found."""
    item = work.find_item(request.engagement, sample_id, item_id)
    form = JudgeForm(request.POST)
    return _or_again(
        request, sample_id, form,
        lambda: services.judge_item(
            item=item, result=Result(form.cleaned_data["result"]), note=form.cleaned_data["note"], by=request.user.pk
        ),
    )  # fmt: skip


@require_POST
@audits(Act.SAFEGUARD_COMMENT)
def safeguard_comment(request: AuditRequest, citation: str) -> HttpResponse:
    """Says something about a safeguard to both sides."""
    form = CommentForm(request.POST, prefix="comment")
    if not form.is_valid():
        return _safeguard_page(request, citation, comment_form=form)
    services.comment(
        engagement=request.engagement, citation=citation, side=Side.AUDITOR, text=form.cleaned_data["text"],
        by=request.user.pk,
    )  # fmt: skip
    return redirect("auditor-safeguard", request.engagement.pk, citation)


@require_POST
@audits(Act.SAFEGUARD_CONCLUDE)
def safeguard_conclude(request: AuditRequest, citation: str) -> HttpResponse:
    """Writes the next version of the conclusion."""
    form = ConcludeForm(request.POST, prefix="conclude")
    if not form.is_valid():
        return _safeguard_page(request, citation, conclude_form=form)
    given = form.cleaned_data
    services.conclude(
        engagement=request.engagement, citation=citation, judgement=Judgement(given["judgement"]),
        reasons=given["reasons"], shared=given["shared"], by=request.user.pk,
    )  # fmt: skip
    return redirect("auditor-safeguard", request.engagement.pk, citation)


def _safeguard_page(request: AuditRequest, citation: str, **forms: RefusableForm) -> HttpResponse:
    context = safeguard_context(request, citation, **forms)
    return render(request, "engagements/auditor_safeguard.html", context, status=UNFIT)


def _sample_page(
    request: AuditRequest, sample_id: UUID, form: RefusableForm, status: int = 200
) -> HttpResponse:
    context = {
        "detail": work.read_sample(request.engagement, sample_id),
        "form": form,
        "draw_form": form if isinstance(form, DrawForm) else DrawForm(),
        "results": Result.choices,
    }
    return render(request, "engagements/auditor_sample.html", context, status=status)


def _or_again(
    request: AuditRequest, sample_id: UUID, form: RefusableForm, act: Callable[[], object]
) -> HttpResponse:
    """Does what a form of the sample's page asks, or shows the page again with what is wrong."""
    if form.is_valid():
        try:
            act()
        except (InvalidInput, Conflict) as error:
            form.show(error if isinstance(error, InvalidInput) else InvalidInput(str(error)))
        else:
            return redirect("auditor-sample", request.engagement.pk, sample_id)
    return _sample_page(request, sample_id, form, status=UNFIT)


def _posted(request: AuditRequest) -> object:
    return request.POST if request.method == "POST" else None


def _record(request: AuditRequest, page: str) -> None:
    record(Act.ENGAGEMENT_READ, object_type="page", object_id=page, engagement=str(request.engagement.pk))
