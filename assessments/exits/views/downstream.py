"""The business associate's pages: it answers the items, names what held PHI, and certifies."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import InvalidInput, NotFound
from accounts.permissions import Permission
from accounts.views.pages import form_page, say
from assessments.exits.facts import Candidate, candidates, facts_of
from assessments.exits.forms import (
    AnswerForm,
    CertifyForm,
    ConnectionForm,
    DisclosureForm,
    ResourceForm,
    value_of,
)
from assessments.exits.models import Disclosure, Exit, ResourceKind
from assessments.exits.reading import Picture, find_received, note_reading, picture_of
from assessments.exits.services import answering, certifying, evidence
from assessments.exits.views.upstream import FORM, page_of
from evidence.models import AwsConnection

MOST_SHOWN = 200


@require_safe
@requires(Permission.PARTNER_READ, act=Act.EXIT_READ)
def received(request: TenantRequest, received_exit_id: UUID) -> HttpResponse:
    """One exit, as the business associate has it."""
    picture = _read(find_received(exit_id=received_exit_id))
    resources = evidence.resources_of(picture.exit)
    rows = list(zip(resources, facts_of(resources), strict=True))
    form = DisclosureForm(initial={"disclosure": picture.evidence.disclosure if picture.evidence else ""})
    return TemplateResponse(
        request, "exits/received.html",
        {**page_of(request, picture, upstream=False), "resources": rows, "disclosure": form},
    )  # fmt: skip


def _read(exit_: Exit) -> Picture:
    picture = picture_of(exit_)
    record(Act.EXIT_READ, object_type="exit", object_id=exit_.pk)
    note_reading(picture)
    return picture


@require_http_methods(FORM)
@requires(Permission.PARTNER_CHANGE, act=Act.EXIT_ANSWER)
def answer(request: TenantRequest, received_exit_id: UUID, item: str) -> HttpResponse:
    """Answers an item."""
    exit_ = find_received(exit_id=received_exit_id)
    about = answering.find_item(exit_, item)
    form = AnswerForm(request.POST or None, item=about)
    if request.method == "POST" and form.is_valid():
        try:
            answering.answer_item(
                exit_id=received_exit_id, key=item, answer=form.wanted(), person=request.user
            )
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, f"Answered: {about.title}.")
            return redirect("exit-received", received_exit_id)
    return form_page(request, "exits/answer.html", form, exit=exit_, item=about, upstream=False)


@require_http_methods(FORM)
@requires(Permission.PARTNER_CHANGE, act=Act.EXIT_RESOURCES)
def resources(request: TenantRequest, received_exit_id: UUID) -> HttpResponse:
    """Names what held PHI, from what AWS listed last."""
    exit_ = find_received(exit_id=received_exit_id)
    connections = list(AwsConnection.objects.filter(removed_at=None).order_by("name", "pk"))
    asked = ConnectionForm(request.GET or None, connections=connections)
    connection, kind = _chosen(asked, request)
    found, unread = candidates(connection, kind) if connection else ([], [])
    form = ResourceForm(request.POST if request.method == "POST" else None, found=found)
    if request.method == "POST" and connection and form.is_valid():
        try:
            many = evidence.name_resources(
                exit_id=received_exit_id, connection_id=connection.pk, kind=kind, chosen=form.wanted(),
                person=request.user,
            )  # fmt: skip
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, f"{many} named.")
            return redirect("exit-received", received_exit_id)
    return form_page(
        request, "exits/resources.html", form, exit=exit_, asked=asked, connection=connection, unread=unread,
        **_listed(_unnamed(exit_, found), request.GET.get("q", "")),
    )  # fmt: skip


def _chosen(asked: ConnectionForm, request: TenantRequest) -> tuple[AwsConnection | None, ResourceKind]:
    """Which listing is asked for. Raises NotFound for one that there isn't."""
    if "connection" not in request.GET:
        return None, ResourceKind.BUCKET
    if not asked.is_valid():
        raise NotFound("There is no such listing.")
    connection = evidence.find_connection(connection_id=UUID(asked.cleaned_data["connection"]))
    return connection, ResourceKind(asked.cleaned_data["kind"])


def _unnamed(exit_: Exit, found: list[Candidate]) -> list[Candidate]:
    """Those that aren't among the exit's resources yet."""
    named = {
        (row.connection_id, row.kind, row.region, row.identifier) for row in evidence.resources_of(exit_)
    }
    return [row for row in found if (row.connection_id, row.kind, row.region, row.identifier) not in named]


def _listed(found: list[Candidate], words: str) -> dict[str, Any]:
    wanted = words.strip().casefold()
    matching = [row for row in found if wanted in f"{row.identifier} {row.words}".casefold()]
    return {
        "rows": [(value_of(row), row) for row in matching[:MOST_SHOWN]], "matching": len(matching),
        "hidden": max(0, len(matching) - MOST_SHOWN),
    }  # fmt: skip


@require_POST
@requires(Permission.PARTNER_CHANGE, act=Act.EXIT_RESOURCES)
def resource_remove(request: TenantRequest, received_exit_id: UUID, resource_id: UUID) -> HttpResponse:
    """Takes back that a resource held PHI."""
    evidence.remove_resource(exit_id=received_exit_id, resource_id=resource_id)
    say(request, "It is no longer among the resources. The audit log keeps that it was.")
    return redirect("exit-received", received_exit_id)


@require_POST
@requires(Permission.SHARING_CHANGE, act=Act.EXIT_EVIDENCE, step_up=True)
def disclose(request: TenantRequest, received_exit_id: UUID) -> HttpResponse:
    """Chooses what the covered entity is told of AWS."""
    find_received(exit_id=received_exit_id)
    form = DisclosureForm(request.POST)
    if not form.is_valid():
        raise InvalidInput("Choose what the other side is told.")
    chosen = Disclosure(form.cleaned_data["disclosure"])
    evidence.choose_disclosure(exit_id=received_exit_id, disclosure=chosen)
    say(request, f"From now on it is told: {chosen.label.lower()}.")
    return redirect("exit-received", received_exit_id)


@require_POST
@requires(Permission.PARTNER_CHANGE, act=Act.EXIT_EVIDENCE)
def look(request: TenantRequest, received_exit_id: UUID) -> HttpResponse:
    """Brings what is shown up to date with the newest collection."""
    fresh = evidence.look_again(exit_id=received_exit_id)
    say(request, f"{fresh.gone} of {fresh.total} are gone.")
    return redirect("exit-received", received_exit_id)


@require_http_methods(FORM)
@requires(Permission.VERIFICATION_CERTIFY, act=Act.EXIT_CERTIFY, step_up=True)
def certify(request: TenantRequest, received_exit_id: UUID) -> HttpResponse:
    """The officer's certificate, with both factors proved anew."""
    exit_ = find_received(exit_id=received_exit_id)
    form = CertifyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = certifying.certify_exit(
            exit_id=received_exit_id, person=request.user, tenant=request.tenant,
            title=form.cleaned_data["title"], authority=form.cleaned_data["authority"],
        )  # fmt: skip
        words = "complete" if made.complete else "incomplete, as it says"
        say(request, f"Certified: {words}. It is signed in the background, in a minute or two.")
        return redirect("exit-received", received_exit_id)
    return form_page(request, "exits/certify.html", form, exit=exit_, picture=_read(exit_))
