"""Streams of the audit log: where it is sent, and how that goes."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit import proofs
from accounts.audit.events import Act
from accounts.audit.streams.models import AuditStream
from accounts.errors import InvalidInput
from accounts.forms import StreamForm
from accounts.permissions import Permission
from accounts.services import streams
from accounts.views.pages import form_page, say

SAID = {
    "pause": "The stream is paused.",
    "resume": "The stream goes on: the next entries are sent now. Load the page again to see how it went.",
    "replay": "The stream sends again from there.",
    "remove": "The stream is removed.",
}


@requires(Permission.STREAM_CHANGE)
@require_safe
def stream_list(request: TenantRequest) -> HttpResponse:
    return _page(request, StreamForm())


@requires(Permission.STREAM_CHANGE, act=Act.STREAM_CREATE, step_up=True)
@require_POST
def stream_new(request: TenantRequest) -> HttpResponse:
    form = StreamForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    try:
        made = streams.create_stream(**form.wanted())
    except InvalidInput as error:
        form.show(error)
        return _page(request, form)
    return _made(request, made)


@requires(Permission.STREAM_CHANGE, act=Act.STREAM_CHANGE, step_up=True)
@require_POST
def stream_change(request: TenantRequest, stream_id: UUID) -> HttpResponse:
    """`change` says what: pause, resume, replay (with `position`), rotate, remove."""
    change = request.POST.get("change", "")
    if change == "rotate":
        return _made(request, streams.rotate_stream_secret(stream_id=stream_id))
    if change == "replay":
        streams.replay_stream(stream_id=stream_id, position=_position(request.POST.get("position", "")))
    elif change == "pause":
        streams.pause_stream(stream_id=stream_id)
    elif change == "resume":
        streams.resume_stream(stream_id=stream_id)
    elif change == "remove":
        streams.remove_stream(stream_id=stream_id)
    else:
        raise InvalidInput("Choose what to do with the stream.")
    say(request, SAID[change])
    return redirect("stream-list")


def _position(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 15:  # noqa: PLR2004 (fits a bigint)
        raise InvalidInput("Give the number of an entry.", field="position")
    return int(text)


def _page(request: TenantRequest, form: StreamForm) -> HttpResponse:
    size = proofs.tree_size()
    rows = [(stream, max(0, size - stream.position)) for stream in AuditStream.objects.order_by("name", "pk")]
    return form_page(request, "accounts/stream_list.html", form, rows=rows, size=size)


def _made(request: TenantRequest, made: streams.StreamMade) -> HttpResponse:
    if not made.secret:
        say(request, f"The stream {made.stream.name} is set up.")
        return redirect("stream-list")
    return TemplateResponse(request, "accounts/stream_secret.html", {"made": made})
