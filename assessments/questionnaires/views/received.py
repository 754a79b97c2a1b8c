"""What others ask of the open tenant: the list, answering section by section, evidence, handing in."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.shared import tell_sharer
from accounts.errors import InvalidInput, NotFound
from accounts.permissions import Permission
from accounts.views.pages import form_page, say
from assessments.models import Partnership
from assessments.questionnaires import answering
from assessments.questionnaires.answering import Work
from assessments.questionnaires.content import Section
from assessments.questionnaires.forms import EvidenceForm, SectionForm
from assessments.questionnaires.models import Answers, Questionnaire
from assessments.questionnaires.states import received_with_state
from assessments.questionnaires.views import workbooks
from evidence.models import Snapshot

MOST_SHOWN, SNAPSHOTS_SHOWN = 200, 100
LARGEST_DOCUMENT = 25 << 20
PLACE = workbooks.Place(
    "questionnaire-received",
    "questionnaire-received-workbook",
    "questionnaire-received-workbook-preview",
    "questionnaire-received-workbook-confirm",
)


@requires(Permission.PARTNER_READ)
@require_safe
def received_list(request: TenantRequest) -> HttpResponse:
    asked = received_with_state(timezone.now().date()).filter(
        partnership_id__in=Partnership.received.values("pk")
    )
    rows = list(asked.defer("content", "reviews").order_by("-sent_at")[:MOST_SHOWN])
    there = {row.pk for row in rows}
    gone = [
        each
        for each in Answers.objects.exclude(viewer=request.tenant).order_by("-began_at")[:MOST_SHOWN]
        if each.questionnaire_id not in there
    ]
    record(Act.QUESTIONNAIRE_LIST, object_type="page", object_id="questionnaires-received", shown=len(rows))
    return TemplateResponse(request, "questionnaires/received_list.html", {"rows": rows, "gone": gone})


@requires(Permission.PARTNER_READ)
@require_safe
def received(request: TenantRequest, received_questionnaire_id: UUID) -> HttpResponse:
    questionnaire = answering.find_received(questionnaire_id=received_questionnaire_id)
    work = answering.read_work(questionnaire)
    _tell(request, questionnaire)
    return TemplateResponse(
        request, "questionnaires/received.html",
        {"questionnaire": questionnaire, "work": work, "sections": section_counts(work),
         "rounds": list(answering.rounds_of(questionnaire)),
         "may_answer": request.may(Permission.QUESTIONNAIRE_ANSWER) and work.open},
    )  # fmt: skip


@requires(Permission.QUESTIONNAIRE_ANSWER)
@require_http_methods(["GET", "HEAD", "POST"])
def section(request: TenantRequest, received_questionnaire_id: UUID, section_key: str) -> HttpResponse:
    questionnaire = answering.find_received(questionnaire_id=received_questionnaire_id)
    work = answering.read_work(questionnaire)
    place = find_section(work, section_key)
    form = SectionForm(
        request.POST if request.method == "POST" else None, section=place, entries=work.entries
    )
    if request.method == "POST" and form.is_valid():
        answering.save_answers(questionnaire, form.given())
        hidden = f"{questionnaire.upstream_name} sees nothing of it before you hand in."
        say(request, f"“{place.title}” is saved. {_waiting(form.left())}{hidden}")
        return redirect(next_page(work, place, questionnaire.pk))
    _tell(request, questionnaire)
    newest = Snapshot.objects.order_by("-collected_at", "-id")[:SNAPSHOTS_SHOWN]
    return form_page(
        request, "questionnaires/section.html", form, questionnaire=questionnaire, work=work, section=place,
        rows=list(form.rows(last_reviews(questionnaire))), snapshots=newest,
    )  # fmt: skip


@requires(Permission.QUESTIONNAIRE_ANSWER)
@require_POST
def evidence(request: TenantRequest, received_questionnaire_id: UUID) -> HttpResponse:
    questionnaire = answering.find_received(questionnaire_id=received_questionnaire_id)
    form = EvidenceForm(request.POST, request.FILES)
    if not form.is_valid():
        raise InvalidInput("Choose a snapshot or a document for one question.")
    said = form.cleaned_data
    if said["remove"]:
        answering.drop_evidence(questionnaire, key=said["question"], sha256=said["remove"])
        say(request, "The answer names that evidence no longer.")
    else:
        document = said["document"]
        if document and document.size > LARGEST_DOCUMENT:
            raise InvalidInput("The document is larger than 25 MB.")
        answering.attach_evidence(
            questionnaire, key=said["question"], snapshot_id=said["snapshot"],
            name=document.name if document else "", content=document.read() if document else b"",
        )  # fmt: skip
        say(request, "The answer names the evidence: its name and SHA-256, not its content.")
    return redirect("questionnaire-section", questionnaire.pk, _section_of(questionnaire, said["question"]))


@requires(Permission.QUESTIONNAIRE_ANSWER)
@require_POST
def hand_in(request: TenantRequest, received_questionnaire_id: UUID) -> HttpResponse:
    questionnaire = answering.find_received(questionnaire_id=received_questionnaire_id)
    answering.hand_in(questionnaire, by=request.user.name)
    say(request, f"Your answers are handed in to {questionnaire.upstream_name}.")
    return redirect("questionnaire-received", questionnaire.pk)


@requires(Permission.QUESTIONNAIRE_ANSWER)
@require_safe
def workbook_download(request: TenantRequest, received_questionnaire_id: UUID) -> HttpResponse:
    questionnaire = answering.find_received(questionnaire_id=received_questionnaire_id)
    _tell(request, questionnaire)
    return workbooks.download(questionnaire)


@requires(Permission.QUESTIONNAIRE_ANSWER)
@require_http_methods(["GET", "HEAD", "POST"])
def workbook_choose(request: TenantRequest, received_questionnaire_id: UUID) -> HttpResponse:
    return workbooks.choose(
        request, answering.find_received(questionnaire_id=received_questionnaire_id), PLACE
    )


@requires(Permission.QUESTIONNAIRE_ANSWER)
@require_safe
def workbook_preview(
    request: TenantRequest, received_questionnaire_id: UUID, workbook_id: UUID
) -> HttpResponse:
    questionnaire = answering.find_received(questionnaire_id=received_questionnaire_id)
    return workbooks.preview(request, questionnaire, workbook_id, PLACE)


@requires(Permission.QUESTIONNAIRE_ANSWER)
@require_POST
def workbook_confirm(
    request: TenantRequest, received_questionnaire_id: UUID, workbook_id: UUID
) -> HttpResponse:
    questionnaire = answering.find_received(questionnaire_id=received_questionnaire_id)
    return workbooks.confirm(request, questionnaire, workbook_id, PLACE)


def section_counts(work: Work) -> list[tuple[Section, int, int]]:
    """Each section with how many of its questions are answered, and how many proposals wait."""
    return [
        (
            each,
            sum(work.entries[q.key].answered for q in each.questions if q.key in work.entries),
            sum(work.entries[q.key].proposed for q in each.questions if q.key in work.entries),
        )
        for each in work.content.sections
    ]


def find_section(work: Work, key: str) -> Section:
    """A section to answer. Raises NotFound."""
    found = work.content.section(key)
    if found is None:
        raise NotFound("The questionnaire has no such section.")
    return found


def last_reviews(questionnaire: Questionnaire) -> Mapping[str, Mapping[str, str]]:
    """What the last ended round said, by question."""
    found: Mapping[str, Mapping[str, str]] = (
        questionnaire.reviews[-1]["items"] if questionnaire.reviews else {}
    )
    return found


def next_page(work: Work, section: Section, questionnaire_id: UUID) -> str:
    """The path of the section after one; of the questionnaire after the last."""
    keys = [each.key for each in work.content.sections]
    following = keys[keys.index(section.key) + 1 :]
    if following:
        return reverse("questionnaire-section", args=[questionnaire_id, following[0]])
    return reverse("questionnaire-received", args=[questionnaire_id])


def _waiting(left: int) -> str:
    """What is said of proposals that nobody confirmed; "" where there is none."""
    if not left:
        return ""
    return f"{left} of its proposals still {'wait' if left > 1 else 'waits'} to be confirmed or changed. "


def _section_of(questionnaire: Questionnaire, key: str) -> str:
    sections = questionnaire.questions.sections
    return next(each.key for each in sections if any(question.key == key for question in each.questions))


def _tell(request: TenantRequest, questionnaire: Questionnaire) -> None:
    record(Act.QUESTIONNAIRE_READ, object_type="questionnaire", object_id=questionnaire.pk)
    tell_sharer(
        questionnaire.asking_id, Act.QUESTIONNAIRE_READ, reader=request.tenant.name, object_type="questionnaire",
        object_id=questionnaire.pk,
    )  # fmt: skip
