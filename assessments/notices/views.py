"""Pages of who sends notices: the list, one act that sends, clocks, updates, recipients by hand, the timeline."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.shared import tell_sharer
from accounts.errors import InvalidInput, NotFound
from accounts.permissions import Permission
from accounts.views.pages import form_page, say
from assessments.notices import breaches, outside, reading, sending, timeline
from assessments.notices.clocks import ZONES, zone_named
from assessments.notices.forms import NoticeForm, OutsideForm, StepForm, UpdateForm
from assessments.notices.kinds import WORDS, Kind
from assessments.notices.models import (
    NoticeTimeline,
    Occurrence,
    OutsideRecipient,
    owner_of,
)
from assessments.notices.sending import Draft, Recipient

DEFAULT_ZONE = "America/New_York"
TABS = {"received": "Received", "sent": "Sent and own"}


@requires(Permission.PARTNER_READ, act=Act.NOTICE_LIST)
@require_safe
def notice_list(request: TenantRequest) -> HttpResponse:
    received, sent = reading.list_received(), reading.list_sent()
    record(Act.NOTICE_LIST, object_type="page", object_id="notices", received=len(received), sent=len(sent))
    for sender in {owner_of(row.notice) for row in received}:
        tell_sharer(
            sender, Act.NOTICE_LIST, reader=request.tenant.name, object_type="page", object_id="notices"
        )
    wanted = request.GET.get("tab", "")
    tab = wanted if wanted in TABS else "received" if received or not sent else "sent"
    return TemplateResponse(
        request, "notices/list.html",
        {"received": received, "sent": sent, "tab": tab, "tabs": TABS, "kinds": list(Kind), "words": WORDS,
         "may_send": request.may(Permission.NOTICE_SEND), "can_tell": sending.has_recipients()},
    )  # fmt: skip


@requires(Permission.NOTICE_SEND, step_up=True)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: TenantRequest, notice_kind: str) -> HttpResponse:
    """First shows the recipients with their deadlines, then sends exactly what was shown."""
    kind = _kind(notice_kind)
    known = sending.list_recipients(kind=kind, discovered_at=timezone.now(), zone=DEFAULT_ZONE)
    form = NoticeForm(request.POST if request.method == "POST" else None, kind=kind, known=known)
    planned: list[Recipient] = []
    if request.method == "POST" and form.is_valid():
        draft = form.draft()
        planned = _planned(draft, form.chosen())
        if "send" in request.POST and _was_shown(request, draft, planned):
            made = sending.send_notices(draft=draft, to=form.chosen(), by=request.user)
            say(
                request,
                f"{'Drill: ' if made.drill else ''}The notice is sent to {len(planned)}, and its clocks run.",
            )
            return redirect("notice-detail", made.pk)
    record(Act.NOTICE_READ, object_type="page", object_id=f"notice-new-{kind.value}", shown=len(planned))
    return form_page(
        request, "notices/new.html", form, kind=kind, words=WORDS[kind], known=known, planned=planned,
        zone=_zone(form.cleaned_data.get("zone", DEFAULT_ZONE) if form.is_bound else DEFAULT_ZONE),
        shown=_mark(form.draft(), planned) if planned else "",
    )  # fmt: skip


def _kind(name: str) -> Kind:
    if name not in set(Kind):
        raise NotFound("There is no such kind of notice.")
    return Kind(name)


def _planned(draft: Draft, chosen: set[UUID]) -> list[Recipient]:
    known = sending.list_recipients(kind=draft.kind, discovered_at=draft.discovered_at, zone=draft.zone)
    return [each for each in known if each.id in chosen]


def _mark(draft: Draft, planned: list[Recipient]) -> str:
    """What the page shows, as one value: it changes with each word, recipient and deadline."""
    said = repr((draft, [(each.id, each.due_at, each.rule) for each in planned]))
    return salted_hmac("surety.notice-shown", said, algorithm="sha256").hexdigest()


def _was_shown(request: TenantRequest, draft: Draft, planned: list[Recipient]) -> bool:
    return constant_time_compare(request.POST.get("shown", ""), _mark(draft, planned))


def _zone(name: str) -> ZoneInfo:
    return zone_named(name)


@requires(Permission.PARTNER_READ, act=Act.NOTICE_READ)
@require_safe
def detail(request: TenantRequest, occurrence_id: UUID) -> HttpResponse:
    occurrence = sending.find_occurrence(occurrence_id=occurrence_id)
    record(Act.NOTICE_READ, object_type="occurrence", object_id=occurrence.pk, drill=occurrence.drill)
    return TemplateResponse(request, "notices/detail.html", _shown(request, occurrence))


def _shown(request: TenantRequest, occurrence: Occurrence) -> dict[str, Any]:
    zone = request.GET.get("zone", "")
    return {
        **_clocks(occurrence, zone), "words": WORDS[Kind(occurrence.kind)], "zones": ZONES, "form": UpdateForm(),
        "events": reading.list_events(occurrence), "steps": breaches.list_steps(occurrence), "step_form": StepForm(),
        "weighings": breaches.list_assessments(occurrence),
        "factors": breaches.FACTORS, "may_send": request.may(Permission.NOTICE_SEND),
        "timelines": list(NoticeTimeline.objects.filter(occurrence=occurrence).order_by("-at")),
    }  # fmt: skip


def _clocks(occurrence: Occurrence, zone: str) -> dict[str, Any]:
    clocks = reading.list_clocks(occurrence)
    return {
        "occurrence": occurrence,
        "clocks": clocks,
        "zone": zone_named(zone if zone in ZONES else occurrence.zone),
        "running": any(clock.acknowledged_at is None for clock in clocks),
        "acknowledged": sum(clock.acknowledged_at is not None for clock in clocks),
    }


@requires(Permission.PARTNER_READ, act=Act.PROGRESS_READ)
@require_safe
def clock(request: TenantRequest, occurrence_id: UUID) -> HttpResponse:
    """The clocks alone, asked again and again by their page."""
    occurrence = sending.find_occurrence(occurrence_id=occurrence_id)
    record(Act.PROGRESS_READ, object_type="occurrence", object_id=occurrence.pk)
    return TemplateResponse(request, "notices/clocks.html", _clocks(occurrence, request.GET.get("zone", "")))


@requires(Permission.NOTICE_SEND, act=Act.NOTICE_UPDATE)
@require_POST
def update(request: TenantRequest, occurrence_id: UUID) -> HttpResponse:
    occurrence = sending.find_occurrence(occurrence_id=occurrence_id)
    form = UpdateForm(request.POST)
    if not form.is_valid():
        shown = {**_shown(request, occurrence), "form": form}
        return TemplateResponse(request, "notices/detail.html", shown, status=422)
    closes = form.cleaned_data["closes"]
    sending.add_update(
        occurrence_id=occurrence_id, text=form.cleaned_data["text"], closes=closes, by=request.user
    )
    say(request, "The notice is closed." if closes else "The update is sent.")
    return redirect("notice-detail", occurrence_id)


@requires(Permission.NOTICE_SEND, act=Act.NOTICE_RECIPIENT_ADD)
@require_http_methods(["GET", "HEAD", "POST"])
def recipients(request: TenantRequest) -> HttpResponse:
    """Covered entities that are told by e-mail."""
    form = OutsideForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        made = outside.add_recipient(name=given["name"], email=given["email"], hours=form.hours())
        say(request, f"{made.name} is told of your notices by e-mail from now on.")
        return redirect("notice-recipients")
    record(Act.NOTICE_LIST, object_type="page", object_id="notice-recipients")
    rows = OutsideRecipient.objects.filter(removed_at=None).order_by("name", "id")
    return form_page(request, "notices/recipients.html", form, rows=rows)


@requires(Permission.NOTICE_SEND, act=Act.NOTICE_RECIPIENT_REMOVE)
@require_POST
def recipient_remove(request: TenantRequest, recipient_id: UUID) -> HttpResponse:
    outside.remove_recipient(recipient_id=recipient_id)
    say(request, "It is told nothing new from now on.")
    return redirect("notice-recipients")


@requires(Permission.NOTICE_SEND, act=Act.NOTICE_TIMELINE)
@require_POST
def timeline_make(request: TenantRequest, occurrence_id: UUID) -> HttpResponse:
    timeline.make_timeline(occurrence_id=occurrence_id, by=request.user)
    say(request, "The timeline is written. Its SHA-256 stands in the audit log.")
    return redirect("notice-detail", occurrence_id)


@requires(Permission.PARTNER_READ, act=Act.NOTICE_TIMELINE_DOWNLOAD)
@require_safe
def timeline_pdf(request: TenantRequest, timeline_id: UUID) -> HttpResponse:  # noqa: ARG001 (every view takes one)
    found, content = timeline.open_timeline(timeline_id=timeline_id)
    name = f"notice-timeline-{found.at:%Y%m%d-%H%M%S}.pdf"
    return _download(content, "application/pdf", name)


@requires(Permission.PARTNER_READ, act=Act.NOTICE_TIMELINE_DOWNLOAD)
@require_safe
def timeline_signature(request: TenantRequest, timeline_id: UUID) -> HttpResponse:  # noqa: ARG001 (as above)
    note = timeline.open_signature(timeline_id=timeline_id)
    return _download(note.encode(), "text/plain; charset=utf-8", "notice-timeline-signature.txt")


def _download(content: bytes, media: str, name: str) -> HttpResponse:
    return HttpResponse(
        content, content_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@requires(Permission.NOTICE_SEND, act=Act.BREACH_STEP)
@require_POST
def step(request: TenantRequest, occurrence_id: UUID, duty: str) -> HttpResponse:
    occurrence = sending.find_occurrence(occurrence_id=occurrence_id)
    breaches.require_step(occurrence, duty)
    form = StepForm(request.POST)
    if form.is_valid():
        try:
            given = form.cleaned_data
            breaches.do_step(
                occurrence_id=occurrence_id, step=duty, done_on=given["done_on"], note=given["note"], by=request.user
            )  # fmt: skip
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, "Noted as done.")
            return redirect("notice-detail", occurrence_id)
    shown = {**_shown(request, occurrence), "step_form": form, "step_at": duty}
    return TemplateResponse(request, "notices/detail.html", shown, status=422)
