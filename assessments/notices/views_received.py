"""Pages of who receives notices, the covered entity's own breaches, and the page behind a link in an e-mail."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import TenantRequest, public, requires
from accounts.audit.events import Act
from accounts.audit.log import acting, record
from accounts.audit.shared import tell_sharer
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.permissions import Permission
from accounts.requests import actor_of
from accounts.views.pages import form_page, say
from assessments.notices import breaches, outside, reading, receiving, sending
from assessments.notices.clocks import ZONES, zone_named
from assessments.notices.forms import AcknowledgeForm, AssessmentForm, LinkForm, OccurrenceForm
from assessments.notices.kinds import WORDS, Kind
from assessments.notices.models import Acknowledgement, Notice, NoticeUpdate, Occurrence, owner_of


@requires(Permission.PARTNER_READ, act=Act.NOTICE_READ)
@require_safe
def received(request: TenantRequest, notice_id: UUID) -> HttpResponse:
    notice = receiving.find_received(notice_id=notice_id)
    record(Act.NOTICE_READ, object_type="notice", object_id=notice.pk, drill=notice.drill)
    tell_sharer(
        owner_of(notice),
        Act.NOTICE_READ,
        reader=request.tenant.name,
        object_type="notice",
        object_id=notice.pk,
    )
    return TemplateResponse(request, "notices/received.html", _shown(request, notice))


def _shown(request: TenantRequest, notice: Notice) -> dict[str, Any]:
    answer = Acknowledgement.objects.filter(notice_id=notice.pk).first()
    look, word = reading.state_of(notice.due_at, answer.at if answer else None, timezone.now())
    zone = request.GET.get("zone", "")
    return {
        "notice": notice, "look": look, "word": word, "answer": answer, "words": WORDS[Kind(notice.kind)],
        "form": AcknowledgeForm(),
        "zone": zone_named(zone if zone in ZONES else notice.zone), "zones": ZONES,
        "updates": list(NoticeUpdate.received.filter(notice_id=notice.pk).order_by("number")),
        "own": Occurrence.objects.filter(from_notice=notice.pk).first(),
        "may_acknowledge": request.may(Permission.PARTNER_CHANGE), "may_open": request.may(Permission.NOTICE_SEND),
    }  # fmt: skip


@requires(Permission.PARTNER_CHANGE, act=Act.NOTICE_ACKNOWLEDGE)
@require_POST
def acknowledge(request: TenantRequest, notice_id: UUID) -> HttpResponse:
    notice = receiving.find_received(notice_id=notice_id)
    form = AcknowledgeForm(request.POST)
    if not form.is_valid():
        shown = {**_shown(request, notice), "form": form}
        return TemplateResponse(request, "notices/received.html", shown, status=422)
    receiving.acknowledge_notice(notice_id=notice_id, note=form.cleaned_data["note"], by=request.user)
    say(request, f"Acknowledged. {notice.sender_name} sees it.")
    return redirect("notice-received", notice_id)


@requires(Permission.NOTICE_SEND, act=Act.BREACH_OPEN, step_up=True)
@require_http_methods(["GET", "HEAD", "POST"])
def own_breach(request: TenantRequest) -> HttpResponse:
    """A breach of the tenant's own as a covered entity: its clock and duties, nobody is sent anything."""
    notice = _source(request)
    initial = (
        {"title": notice.title, "individuals": notice.individuals, "zone": notice.zone} if notice else {}
    )
    form = OccurrenceForm(
        request.POST if request.method == "POST" else None, kind=Kind.BREACH, initial=initial
    )
    if request.method == "POST" and form.is_valid():
        made = breaches.open_breach(
            draft=form.draft(), by=request.user, from_notice=notice.pk if notice else None
        )
        say(request, "The clock runs. What is owed by when stands below.")
        return redirect("notice-detail", made.pk)
    record(Act.NOTICE_READ, object_type="page", object_id="breach-new")
    return form_page(request, "notices/own_breach.html", form, notice=notice)


def _source(request: TenantRequest) -> Notice | None:
    given = request.GET.get("notice", "")
    if not given:
        return None
    try:
        return receiving.find_received(notice_id=UUID(given))
    except ValueError as error:
        raise NotFound("There is no such notice.") from error


@requires(Permission.NOTICE_SEND, act=Act.BREACH_ASSESS)
@require_http_methods(["GET", "HEAD", "POST"])
def assess(request: TenantRequest, occurrence_id: UUID) -> HttpResponse:
    """The four factors; begins with the newest version's words."""
    occurrence = sending.find_occurrence(occurrence_id=occurrence_id)
    if occurrence.kind != Kind.BREACH:
        raise NotFound("Only a breach is assessed by the four factors.")
    last = breaches.latest_assessment(occurrence)
    initial = {name: getattr(last, name) for name in breaches.FACTORS} if last else {}
    numbers = last or occurrence
    initial |= {"individuals": numbers.individuals, "most_in_one_state": numbers.most_in_one_state}
    form = AssessmentForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        made = breaches.assess_breach(occurrence_id=occurrence_id, weighed=form.weighed(), by=request.user)
        say(request, f"Version {made.version} of the assessment is kept.")
        return redirect("notice-detail", occurrence_id)
    record(Act.NOTICE_READ, object_type="occurrence", object_id=occurrence.pk)
    return form_page(request, "notices/assess.html", form, occurrence=occurrence, last=last)


@public
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """A notice for one that is no tenant; a button acknowledges, since mail programs open links by themselves."""
    with acting(actor_of(request)):
        form = LinkForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                outside.acknowledge_link(token=token, name=form.cleaned_data["name"])
            except Conflict as error:
                form.show(InvalidInput(str(error)))
            else:
                say(request, "Thank you: it is acknowledged.")
                return redirect("notice-link", token)
        opened = outside.open_link(token=token)
    words = WORDS[Kind(opened.occurrence.kind)]
    return form_page(
        request,
        "notices/link.html",
        form,
        opened=opened,
        words=words,
        zone=zone_named(opened.occurrence.zone),
    )
