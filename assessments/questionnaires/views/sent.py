"""What the open tenant asks of others: the state table, sending to many, reviewing."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.shared import tell_sharer
from accounts.errors import InvalidInput, NotFound
from accounts.permissions import Permission
from accounts.views.pages import form_page, say
from assessments.models import BusinessAssociate
from assessments.questionnaires import answering, guests, reviewing, sending
from assessments.questionnaires.authoring import list_sources
from assessments.questionnaires.content import Section
from assessments.questionnaires.forms import (
    ChooseForm,
    LinkForm,
    ReviewForm,
    SendBackForm,
    SendForm,
    SentFilterForm,
)
from assessments.questionnaires.models import GuestLink, Questionnaire
from assessments.questionnaires.reviewing import Review, Verdict
from assessments.questionnaires.sending import Sending
from assessments.questionnaires.states import State, sent_with_state
from assessments.questionnaires.views import workbooks
from assessments.questionnaires.views.review_rows import Show, answer_rows

PAGE = 50
LISTED = 500
USUAL_TIME = timedelta(days=30)
PLACE = workbooks.Place(
    "questionnaire-review",
    "questionnaire-workbook",
    "questionnaire-workbook-preview",
    "questionnaire-workbook-confirm",
)


@requires(Permission.PARTNER_READ)
@require_safe
def sent_list(request: TenantRequest) -> HttpResponse:
    form = SentFilterForm(request.GET)
    if not form.is_valid():
        raise InvalidInput("A filter of the questionnaires can't be used. Clear the filters and try again.")
    on = timezone.now().date()
    found = _filtered(form, sent_with_state(on))
    after = _after(request.GET.get("after", ""))
    rows = list(_following(found, after).defer("content", "reviews")[: PAGE + 1])
    counts = Counter(sent_with_state(on).values_list("state", flat=True))  # type: ignore[misc] # annotated
    record(
        Act.QUESTIONNAIRE_LIST, object_type="page", object_id="questionnaires", shown=min(len(rows), PAGE),
        first_page=after is None,
    )  # fmt: skip
    return TemplateResponse(
        request, "questionnaires/sent_list.html",
        {"form": form, "rows": rows[:PAGE], "next": str(rows[PAGE - 1].pk) if len(rows) > PAGE else "",
         "first": after is None, "filtered": any(form.cleaned_data.values()),
         "counts": [(state, counts[state]) for state in State if counts[state]],
         "may_change": request.may(Permission.PARTNER_CHANGE)},
    )  # fmt: skip


@requires(Permission.PARTNER_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def send(request: TenantRequest) -> HttpResponse:
    chosen = ChooseForm(request.GET)
    if not chosen.is_valid():
        raise InvalidInput("This filter can't be used. Clear it and try again.")
    listed = list(_listed(chosen)[: LISTED + 1])
    form = _send_form(request, listed[:LISTED])
    if request.method == "POST" and form.is_valid():
        try:
            made = _send(request, form, chosen)
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, _sent_words(made))
            return redirect("questionnaire-list")
    return form_page(
        request, "questionnaires/send.html", form, choose=chosen, listed=len(listed[:LISTED]),
        more=len(listed) > LISTED, all=_listed(chosen).count(),
    )  # fmt: skip


@requires(Permission.PARTNER_READ)
@require_safe
def review(request: TenantRequest, questionnaire_id: UUID) -> HttpResponse:
    found = reviewing.read_review(questionnaire_id=questionnaire_id)
    questionnaire = found.questionnaire
    _tell(request, found)
    kept = answering.read_work(questionnaire) if questionnaire.by_guests else None
    return TemplateResponse(
        request, "questionnaires/review.html",
        {"questionnaire": questionnaire, "review": found, "sections": _section_scores(found), "kept": kept,
         "rounds": reviewing.rounds_received(questionnaire), "links": _links(questionnaire),
         "link_form": LinkForm(initial={"email": _usual_address(questionnaire)}),
         "back_form": SendBackForm(initial={"due_on": timezone.now().date() + timedelta(days=14)}),
         "may_change": request.may(Permission.PARTNER_CHANGE)},
    )  # fmt: skip


@requires(Permission.PARTNER_READ)
@require_safe
def review_section(request: TenantRequest, questionnaire_id: UUID, section_key: str) -> HttpResponse:
    found, section = _find_section(questionnaire_id, section_key)
    return _section_page(request, found, section, ReviewForm(section=section, found=found.found))


@requires(Permission.PARTNER_CHANGE)
@require_POST
def review_answers(request: TenantRequest, questionnaire_id: UUID, section_key: str) -> HttpResponse:
    found, section = _find_section(questionnaire_id, section_key)
    form = ReviewForm(request.POST, section=section, found=found.found)
    if not form.is_valid():
        return _section_page(request, found, section, form)
    rest = Verdict.ACCEPT if request.POST.get("rest") == Verdict.ACCEPT else None
    reviewing.save_reviews(questionnaire_id=questionnaire_id, found=form.found(rest=rest), by=request.user)
    name = found.questionnaire.downstream_name
    say(request, f"“{section.title}” is reviewed. {name} sees it when you end the round.")
    return redirect("questionnaire-review", questionnaire_id)


@requires(Permission.PARTNER_CHANGE)
@require_POST
def send_back(request: TenantRequest, questionnaire_id: UUID) -> HttpResponse:
    form = SendBackForm(request.POST)
    if not form.is_valid():
        raise InvalidInput("Say until when more is needed.", field="due_on")
    sent = reviewing.send_back(questionnaire_id=questionnaire_id, due_on=form.cleaned_data["due_on"])
    say(request, f"{sent.downstream_name} sees now what more is needed: round {sent.round}.")
    return redirect("questionnaire-review", questionnaire_id)


@requires(Permission.PARTNER_CHANGE)
@require_POST
def accept(request: TenantRequest, questionnaire_id: UUID) -> HttpResponse:
    sent = reviewing.accept(questionnaire_id=questionnaire_id)
    say(request, f"The answers of {sent.downstream_name} are accepted.")
    return redirect("questionnaire-review", questionnaire_id)


@requires(Permission.PARTNER_CHANGE)
@require_POST
def withdraw(request: TenantRequest, questionnaire_id: UUID) -> HttpResponse:
    sent = sending.withdraw_questionnaire(questionnaire_id=questionnaire_id)
    say(request, f"Withdrawn: {sent.downstream_name} no longer sees it.")
    return redirect("questionnaire-review", questionnaire_id)


@requires(Permission.PARTNER_CHANGE, step_up=True)
@require_POST
def send_link(request: TenantRequest, questionnaire_id: UUID) -> HttpResponse:
    form = LinkForm(request.POST)
    if not form.is_valid():
        raise InvalidInput("Give the e-mail address to which the link goes.", field="email")
    link = guests.send_link(
        questionnaire_id=questionnaire_id, email=form.cleaned_data["email"], by=request.user
    )
    say(request, f"A link is on its way to {link.email}. Older links to this questionnaire have ended.")
    return redirect("questionnaire-review", questionnaire_id)


@requires(Permission.PARTNER_CHANGE)
@require_POST
def end_links(request: TenantRequest, questionnaire_id: UUID) -> HttpResponse:
    questionnaire = sending.lock_sent(questionnaire_id=questionnaire_id)
    number = guests.revoke_links(questionnaire=questionnaire)
    record(Act.QUESTIONNAIRE_LINK, object_type="questionnaire", object_id=questionnaire.pk, ended=number)
    say(request, "Its links have ended." if number else "It had no open link.")
    return redirect("questionnaire-review", questionnaire_id)


@requires(Permission.PARTNER_CHANGE)
@require_POST
def hand_in(request: TenantRequest, questionnaire_id: UUID) -> HttpResponse:
    questionnaire = answering.find_kept(questionnaire_id=questionnaire_id)
    answering.hand_in(
        questionnaire, by=f"{questionnaire.downstream_name}, by {request.user.name}", way="workbook"
    )
    say(request, "The answers are handed in. Review them now.")
    return redirect("questionnaire-review", questionnaire_id)


@requires(Permission.PARTNER_CHANGE)
@require_safe
def workbook_download(request: TenantRequest, questionnaire_id: UUID) -> HttpResponse:  # noqa: ARG001 (every view takes one)
    return workbooks.download(answering.find_kept(questionnaire_id=questionnaire_id))


@requires(Permission.PARTNER_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def workbook_choose(request: TenantRequest, questionnaire_id: UUID) -> HttpResponse:
    return workbooks.choose(request, answering.find_kept(questionnaire_id=questionnaire_id), PLACE)


@requires(Permission.PARTNER_CHANGE)
@require_safe
def workbook_preview(request: TenantRequest, questionnaire_id: UUID, workbook_id: UUID) -> HttpResponse:
    questionnaire = answering.find_kept(questionnaire_id=questionnaire_id)
    return workbooks.preview(request, questionnaire, workbook_id, PLACE)


@requires(Permission.PARTNER_CHANGE)
@require_POST
def workbook_confirm(request: TenantRequest, questionnaire_id: UUID, workbook_id: UUID) -> HttpResponse:
    questionnaire = answering.find_kept(questionnaire_id=questionnaire_id)
    return workbooks.confirm(request, questionnaire, workbook_id, PLACE)


def _filtered(form: SentFilterForm, found: QuerySet[Questionnaire]) -> QuerySet[Questionnaire]:
    wanted = form.cleaned_data
    if wanted["state"]:
        found = found.filter(state=wanted["state"])  # type: ignore[misc] # annotated
    if wanted["year"]:
        found = found.filter(year=wanted["year"])
    if wanted["text"]:
        text = wanted["text"].strip()
        found = found.filter(Q(downstream_name__icontains=text) | Q(title__icontains=text))
    return found


def _after(key: str) -> Questionnaire | None:
    if not key:
        return None
    try:
        found = Questionnaire.objects.filter(pk=UUID(key)).defer("content", "reviews").first()
    except ValueError:
        found = None
    if found is None:
        raise InvalidInput("This is no page of the questionnaires. Start at the first page.", field="after")
    return found


def _following(found: QuerySet[Questionnaire], last: Questionnaire | None) -> QuerySet[Questionnaire]:
    if last:
        found = found.filter(Q(due_on__lt=last.due_on) | Q(due_on=last.due_on, id__gt=last.pk))
    return found.order_by("-due_on", "id")


def _listed(chosen: ChooseForm) -> QuerySet[BusinessAssociate]:
    wanted = chosen.cleaned_data
    found: QuerySet[BusinessAssociate] = BusinessAssociate.objects.filter(ended_at=None)
    if wanted["tier"]:
        found = found.filter(tier=int(wanted["tier"]))
    if wanted["text"]:
        text = wanted["text"].strip()
        found = found.filter(Q(name__icontains=text) | Q(reference__iexact=text))
    return found.order_by("tier", "name", "id")


def _send_form(request: TenantRequest, listed: list[BusinessAssociate]) -> SendForm:
    today = timezone.now().date()
    return SendForm(
        request.POST if request.method == "POST" else None,
        sources=[(each.key, f"{each.title} ({len(each.content.questions)} questions)") for each in list_sources()],
        associates=[(str(each.pk), f"{each.name} (tier {each.tier})") for each in listed],
        initial={"due_on": today + USUAL_TIME, "year": today.year, "source": request.GET.get("source", ""),
                 "associates": [request.GET.get("associate", "")]},
    )  # fmt: skip


def _send(request: TenantRequest, form: SendForm, chosen: ChooseForm) -> sending.Sent:
    said = form.cleaned_data
    ids = (
        list(_listed(chosen).values_list("pk", flat=True)[: sending.MOST_AT_ONCE + 1])
        if said["everyone"]
        else [UUID(each) for each in said["associates"]]
    )
    return sending.send_questionnaires(
        sending=Sending(said["source"], said["due_on"], said["year"], request.user, request.tenant), associate_ids=ids
    )  # fmt: skip


def _sent_words(sent: sending.Sent) -> str:
    words = f"Sent to {len(sent.made):,}."
    if sent.already:
        words += f" Left out, since they have one of it open: {', '.join(sent.already[:10])}"
        words += f" and {len(sent.already) - 10:,} more." if len(sent.already) > 10 else "."  # noqa: PLR2004 (as shown)
    return words


def _find_section(questionnaire_id: UUID, key: str) -> tuple[Review, Section]:
    found = reviewing.read_review(questionnaire_id=questionnaire_id)
    section = found.content.section(key)
    if section is None:
        raise NotFound("The questionnaire has no such section.")
    return found, section


def _section_page(request: TenantRequest, found: Review, section: Section, form: ReviewForm) -> HttpResponse:
    _tell(request, found)
    rows = answer_rows(found, section, form)
    show = Show.of(request.GET.get("show", ""))
    return form_page(
        request, "questionnaires/review_section.html", form, questionnaire=found.questionnaire, review=found,
        section=section, rows=[row for row in rows if show.takes(row)], show=show,
        chips=[(each, sum(map(each.takes, rows))) for each in Show],
        may_change=request.may(Permission.PARTNER_CHANGE) and found.open,
    )  # fmt: skip


def _section_scores(found: Review) -> list[tuple[object, object]]:
    scores = found.score.sections if found.score else (None,) * len(found.content.sections)
    return list(zip(found.content.sections, scores, strict=True))


def _links(questionnaire: Questionnaire) -> list[GuestLink]:
    return list(GuestLink.objects.filter(questionnaire=questionnaire).order_by("-created_at")[:10])


def _usual_address(questionnaire: Questionnaire) -> str:
    associate = questionnaire.associate
    return str(associate.official_email or associate.contact_email)


def _tell(request: TenantRequest, found: Review) -> None:
    questionnaire = found.questionnaire
    record(Act.QUESTIONNAIRE_READ, object_type="questionnaire", object_id=questionnaire.pk)
    if found.answers and not questionnaire.by_guests:
        tell_sharer(
            questionnaire.answering_id, Act.QUESTIONNAIRE_READ, reader=request.tenant.name, object_type="answers",
            object_id=found.answers.pk, round=found.answers.round,
        )  # fmt: skip
