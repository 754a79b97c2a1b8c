"""Pages of who sends notices: the list, one act that sends, clocks, updates, recipients by hand, the timeline."""

from __future__ import annotations

from datetime import timedelta
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
from accounts.requests import BACKGROUND_HEADER
from accounts.views.pages import form_page, say
from assessments.notices import breaches, outside, reading, sending, timeline
from assessments.notices.clocks import ZONES, zone_named
from assessments.notices.forms import NoticeForm, OutsideForm, StepForm, UpdateForm
from assessments.notices.kinds import WORDS, Kind
from assessments.notices.models import (
    Notice,
    NoticeTimeline,
    Occurrence,
    OutsideRecipient,
    owner_of,
)
from assessments.notices.sending import Draft, Recipient

DEFAULT_ZONE = "America/New_York"
JUST_NOW = timedelta(minutes=1)
TABS = {"received": "Received", "sent": "Sent and own"}


@requires(Permission.PARTNER_READ, act=Act.NOTICE_LIST)
@require_safe
def notice_list(request: TenantRequest) -> HttpResponse:
    tab, after = _tab(request.GET.get("tab", "")), request.GET.get("after", "")
    page: Any
    if tab == "sent":
        page = reading.page_sent(after)
        others = page.answering
    else:
        page = reading.page_received(after)
        others = {owner_of(row.notice) for row in page.rows}
    record(Act.NOTICE_LIST, object_type="page", object_id=f"notices-{tab}", shown=len(page.rows))
    for other in others:
        tell_sharer(
            other, Act.NOTICE_LIST, reader=request.tenant.name, object_type="page", object_id="notices"
        )
    return TemplateResponse(
        request, "notices/list.html",
        {tab: page.rows, "next": page.next, "first": page.first, "tab": tab, "tabs": TABS, "kinds": list(Kind),
         "words": WORDS, "may_send": request.may(Permission.NOTICE_SEND),
         "can_tell": sending.has_recipients()},
    )  # fmt: skip


def _tab(wanted: str) -> str:
    """The one that was asked for; else that with something in it."""
    if wanted in TABS:
        return wanted
    return "sent" if not Notice.received.exists() and Occurrence.objects.exists() else "received"


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
        **_clocks(request, occurrence, zone), "words": WORDS[Kind(occurrence.kind)], "zones": ZONES,
        "form": UpdateForm(),
        "events": reading.list_events(occurrence), "steps": breaches.list_steps(occurrence), "step_form": StepForm(),
        "weighings": breaches.list_assessments(occurrence),
        "factors": breaches.FACTORS, "may_send": request.may(Permission.NOTICE_SEND),
        "timelines": list(NoticeTimeline.objects.filter(occurrence=occurrence).order_by("-at")),
    }  # fmt: skip


def _tell_recipients(request: TenantRequest, clocks: list[reading.Clock]) -> None:
    """Says in the logs of those who answered that it is read. A page that asks again tells of what is new alone."""
    polls = request.headers.get(BACKGROUND_HEADER) == "1"
    act, since = (Act.PROGRESS_READ, timezone.now() - JUST_NOW) if polls else (Act.NOTICE_READ, None)
    for clock in clocks:
        said = [at for at in (clock.acknowledged_at, clock.mailed_at, clock.webhook_at) if at is not None]
        if clock.recipient_id and said and (since is None or max(said) > since):
            tell_sharer(
                clock.recipient_id,
                act,
                reader=request.tenant.name,
                object_type="notice",
                object_id=clock.notice_id,
            )


def _clocks(request: TenantRequest, occurrence: Occurrence, zone: str) -> dict[str, Any]:
    clocks = reading.list_clocks(occurrence)
    _tell_recipients(request, clocks)
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
    return TemplateResponse(
        request, "notices/clocks.html", _clocks(request, occurrence, request.GET.get("zone", ""))
    )


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
    _tell_recipients(request, reading.list_clocks(sending.find_occurrence(occurrence_id=occurrence_id)))
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
