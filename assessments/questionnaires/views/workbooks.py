"""Workbooks of a questionnaire, for whoever keeps its answers: out, in with a preview, taken over."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.access import TenantRequest
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import InvalidInput, NotFound
from accounts.views.pages import form_page, say
from assessments.partners.sheets import LARGEST_FILE
from assessments.questionnaires import workbook
from assessments.questionnaires.answering import read_work
from assessments.questionnaires.forms import WorkbookForm
from assessments.questionnaires.models import Questionnaire

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHOWN_LINES = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Where the questionnaire is answered: the names of its pages differ for what was sent and what was received."""

    page: str
    choose: str
    preview: str
    confirm: str


def download(questionnaire: Questionnaire) -> HttpResponse:
    content = workbook.write_questions(read_work(questionnaire))
    name = f"questionnaire-{questionnaire.year}-{str(questionnaire.pk)[-8:]}.xlsx"
    return HttpResponse(
        content, content_type=XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def choose(request: TenantRequest, questionnaire: Questionnaire, place: Place) -> HttpResponse:
    posted = request.method == "POST"
    form = WorkbookForm(request.POST, request.FILES) if posted else WorkbookForm()
    if posted and form.is_valid():
        try:
            content = form.cleaned_data["sheet"].read(LARGEST_FILE + 1)
            draft = workbook.preview_workbook(questionnaire, content=content, by=request.user)
        except InvalidInput as error:
            form.show(error)
        else:
            return redirect(place.preview, questionnaire.pk, draft.pk)
    back = reverse(place.page, args=[questionnaire.pk])
    return form_page(request, "questionnaires/workbook.html", form, questionnaire=questionnaire, back=back)


def preview(
    request: TenantRequest, questionnaire: Questionnaire, workbook_id: UUID, place: Place
) -> HttpResponse:
    draft = workbook.find_workbook(workbook_id=workbook_id)
    if draft.questionnaire_id != questionnaire.pk:
        raise NotFound("There is no such workbook.")
    lines = workbook.lines_of(draft)
    counts = Counter(line.kind for line in lines)
    record(Act.QUESTIONNAIRE_READ, object_type="questionnaire", object_id=questionnaire.pk, shown=len(lines))
    order = list(workbook.LineKind)
    order.sort(key=lambda kind: kind is not workbook.LineKind.ERROR)
    shown = sorted(lines, key=lambda line: (order.index(line.kind), line.number))[:SHOWN_LINES]
    return TemplateResponse(
        request, "questionnaires/workbook_preview.html",
        {"draft": draft, "questionnaire": questionnaire, "lines": shown,
         "counts": [(kind, counts[kind]) for kind in order],
         "errors": counts[workbook.LineKind.ERROR], "back": reverse(place.page, args=[questionnaire.pk]),
         "choose": reverse(place.choose, args=[questionnaire.pk]),
         "confirm": reverse(place.confirm, args=[questionnaire.pk, draft.pk]),
         "does_something": counts[workbook.LineKind.NEW] + counts[workbook.LineKind.CHANGED]},
    )  # fmt: skip


def confirm(
    request: TenantRequest, questionnaire: Questionnaire, workbook_id: UUID, place: Place
) -> HttpResponse:
    counts = workbook.confirm_workbook(questionnaire, workbook_id=workbook_id)
    say(request, f"Taken over: {counts['new']} new, {counts['changed']} changed. Nothing is handed in yet.")
    return redirect(place.page, questionnaire.pk)
