"""The covered entity's pages: it begins an exit, reads the answers, records what came on paper, and closes it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import InvalidInput, NotFound
from accounts.permissions import Permission
from accounts.views.pages import form_page, say
from assessments.exits.document import LAW
from assessments.exits.forms import AnswerForm, BeginForm, CloseForm, PaperForm, ReviewForm
from assessments.exits.models import Exit, ExitPaper, Verdict
from assessments.exits.reading import Picture, find_exit, note_reading, picture_of
from assessments.exits.services import answering, beginning, certifying, reviewing
from assessments.partners.services import find_business_associate
from evidence import vault

FORM = ["GET", "HEAD", "POST"]


@require_http_methods(FORM)
@requires(Permission.PARTNER_CHANGE, act=Act.EXIT_BEGIN, step_up=True)
def begin(request: TenantRequest, associate_id: UUID) -> HttpResponse:
    """Begins an exit."""
    associate = find_business_associate(associate_id=associate_id)
    clock = beginning.clock_of(associate_id)
    form = BeginForm(request.POST or None, initial=BeginForm.first_values(clock, associate.systems))
    if request.method == "POST" and form.is_valid():
        try:
            made = beginning.begin_exit(
                associate_id=associate_id, beginning=form.wanted(), person=request.user, tenant=request.tenant
            )
        except InvalidInput as error:
            form.show(error)
        else:
            say(
                request, f"The exit of {made.downstream_name} has begun; it is due on {made.due_at:%Y-%m-%d}."
            )
            return redirect("exit-detail", made.pk)
    return form_page(request, "exits/begin.html", form, associate=associate, clock=clock, law=LAW)


@require_safe
@requires(Permission.PARTNER_READ, act=Act.EXIT_READ)
def detail(request: TenantRequest, exit_id: UUID) -> HttpResponse:
    """One exit, as the covered entity has it."""
    picture = _read(find_exit(exit_id=exit_id))
    return TemplateResponse(request, "exits/detail.html", page_of(request, picture, upstream=True))


def _read(exit_: Exit) -> Picture:
    picture = picture_of(exit_)
    record(Act.EXIT_READ, object_type="exit", object_id=exit_.pk)
    note_reading(picture)
    return picture


def page_of(request: TenantRequest, picture: Picture, *, upstream: bool) -> dict[str, Any]:
    """What the page of one exit shows on either side."""
    packages = {row.pk: certifying.package_of(row) for row in picture.certificates}
    return {
        "picture": picture, "exit": picture.exit, "upstream": upstream, "law": LAW,
        "certificates": [(row, packages[row.pk]) for row in picture.certificates],
        "may_change": request.may(Permission.PARTNER_CHANGE) and picture.exit.closed_at is None,
        "may_certify": request.may(Permission.VERIFICATION_CERTIFY) and picture.exit.closed_at is None,
    }  # fmt: skip


@require_http_methods(FORM)
@requires(Permission.PARTNER_CHANGE, act=Act.EXIT_REVIEW)
def review(request: TenantRequest, exit_id: UUID, item: str) -> HttpResponse:
    """Accepts the answer to an item, or asks for more."""
    exit_ = find_exit(exit_id=exit_id)
    form = ReviewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = reviewing.review_answer(
                exit_id=exit_id, key=item, verdict=Verdict(given["verdict"]), words=given["words"],
                person=request.user,
            )  # fmt: skip
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, f"{made.get_verdict_display()}: {answering.find_item(exit_, item).title}.")
            return redirect("exit-detail", exit_id)
    picture = _read(exit_)
    line = next((each for each in picture.lines if each.item.key == item), None)
    if line is None:
        raise NotFound("The checklist has no such item.")
    return form_page(request, "exits/review.html", form, exit=exit_, line=line)


@require_http_methods(FORM)
@requires(Permission.PARTNER_CHANGE, act=Act.EXIT_ANSWER)
def record_item(request: TenantRequest, exit_id: UUID, item: str) -> HttpResponse:
    """Writes down what was told otherwise of an item."""
    exit_ = find_exit(exit_id=exit_id)
    about = answering.find_item(exit_, item)
    form = AnswerForm(request.POST or None, item=about)
    if request.method == "POST" and form.is_valid():
        try:
            answering.record_item(exit_id=exit_id, key=item, answer=form.wanted(), person=request.user)
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, f"Recorded: {about.title}.")
            return redirect("exit-detail", exit_id)
    return form_page(request, "exits/answer.html", form, exit=exit_, item=about, upstream=True)


@require_http_methods(FORM)
@requires(Permission.PARTNER_CHANGE, act=Act.EXIT_PAPER)
def paper(request: TenantRequest, exit_id: UUID) -> HttpResponse:
    """Records a certificate that came on paper."""
    exit_ = find_exit(exit_id=exit_id)
    form = PaperForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            reviewing.record_paper(exit_id=exit_id, paper=form.wanted(), person=request.user)
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, "The certificate is recorded.")
            return redirect("exit-detail", exit_id)
    return form_page(request, "exits/paper.html", form, exit=exit_)


@require_safe
@requires(Permission.PARTNER_READ, act=Act.EXIT_DOWNLOAD)
def paper_document(request: TenantRequest, exit_id: UUID, paper_id: UUID) -> HttpResponse:  # noqa: ARG001 (a view)
    """The document of a certificate that came on paper, as it was sealed."""
    row = ExitPaper.objects.select_related("blob").filter(pk=paper_id, exit=exit_id).first()
    if row is None or row.blob is None:
        raise NotFound("There is no such document.")
    content = vault.open_blob(row.blob)
    record(
        Act.EXIT_DOWNLOAD, object_type="exit", object_id=exit_id, paper=str(row.pk), sha256=row.blob.digest
    )
    response = HttpResponse(content, content_type=row.blob.media_type)
    response["Content-Disposition"] = f'attachment; filename="certificate-{str(row.pk)[-8:]}.{_ending(row)}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _ending(row: ExitPaper) -> str:
    from assessments.agreements.documents import ENDINGS

    return ENDINGS.get(row.blob.media_type, "bin")


@require_http_methods(FORM)
@requires(Permission.PARTNER_CHANGE, act=Act.EXIT_CLOSE, step_up=True)
def close(request: TenantRequest, exit_id: UUID) -> HttpResponse:
    """Closes the exit once all is accepted and certified."""
    exit_ = find_exit(exit_id=exit_id)
    # An empty form is an answer as well: no note.
    form = CloseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            reviewing.close_exit(exit_id=exit_id, note=form.cleaned_data["note"], person=request.user)
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, "The exit is closed. The proof stays here.")
            return redirect("exit-detail", exit_id)
    return form_page(request, "exits/close.html", form, exit=exit_, picture=_read(exit_))
