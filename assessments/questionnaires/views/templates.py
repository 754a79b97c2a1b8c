"""Templates: those that ship, the tenant's own, and their questions."""

from __future__ import annotations

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
from assessments.questionnaires import authoring
from assessments.questionnaires.content import parse, shipped
from assessments.questionnaires.forms import CopyForm, QuestionForm, TitleForm, question_initial
from assessments.questionnaires.models import QuestionnaireTemplate


@requires(Permission.PARTNER_READ)
@require_safe
def template_list(request: TenantRequest) -> HttpResponse:
    own = list(QuestionnaireTemplate.objects.order_by("title"))
    record(Act.QUESTIONNAIRE_LIST, object_type="page", object_id="questionnaire-templates", shown=len(own))
    return TemplateResponse(
        request, "questionnaires/template_list.html",
        {"shipped": list(shipped().values()), "own": [(each, authoring.newest_version(each)) for each in own],
         "may_change": request.may(Permission.PARTNER_CHANGE)},
    )  # fmt: skip


@requires(Permission.PARTNER_READ)
@require_safe
def shipped_template(request: TenantRequest, key: str) -> HttpResponse:
    if key not in shipped():
        raise NotFound("There is no such template.")
    return TemplateResponse(
        request, "questionnaires/template.html",
        {"template": None, "source": authoring.find_source(key), "about": shipped()[key].about,
         "may_change": request.may(Permission.PARTNER_CHANGE)},
    )  # fmt: skip


@requires(Permission.PARTNER_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def copy(request: TenantRequest) -> HttpResponse:
    sources = [(each.key, each.title) for each in authoring.list_sources()]
    form = CopyForm(
        request.POST if request.method == "POST" else None, sources=sources,
        initial={"source": request.GET.get("source", "")},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        template = authoring.copy_template(
            source=form.cleaned_data["source"], title=form.cleaned_data["title"], by=request.user
        )
        say(request, f"“{template.title}” is yours to change.")
        return redirect("questionnaire-template", template.pk)
    return form_page(request, "questionnaires/form.html", form, title="Copy a template", submit="Copy")


@requires(Permission.PARTNER_READ)
@require_safe
def template(request: TenantRequest, template_id: UUID) -> HttpResponse:
    found = authoring.find_template(template_id=template_id)
    version = authoring.newest_version(found)
    record(Act.QUESTIONNAIRE_READ, object_type="questionnaire_template", object_id=found.pk)
    return TemplateResponse(
        request, "questionnaires/template.html",
        {"template": found, "version": version, "source": authoring.find_source(str(found.pk)),
         "may_change": request.may(Permission.PARTNER_CHANGE)},
    )  # fmt: skip


@requires(Permission.PARTNER_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: TenantRequest, template_id: UUID) -> HttpResponse:
    found = authoring.find_template(template_id=template_id)
    form = TitleForm(request.POST if request.method == "POST" else None, initial={"title": found.title})
    if request.method == "POST" and form.is_valid():
        authoring.rename_template(template_id=template_id, title=form.cleaned_data["title"])
        return redirect("questionnaire-template", template_id)
    return form_page(
        request, "questionnaires/form.html", form, title=f"Rename {found.title}", submit="Rename"
    )


@requires(Permission.PARTNER_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def question(request: TenantRequest, template_id: UUID, key: str = "") -> HttpResponse:
    found = authoring.find_template(template_id=template_id)
    content = parse(authoring.newest_version(found).content)
    old = content.find(key) if key else None
    if key and old is None:
        raise NotFound("The template has no such question.")
    titles = [each.title for each in content.sections]
    place = next(
        (each.title for each in content.sections if old in each.questions), titles[-1] if titles else ""
    )
    form = QuestionForm(
        request.POST if request.method == "POST" else None,
        initial=question_initial(place, old) if old else {"section": place, "weight": 1},
    )
    if request.method == "POST" and form.is_valid():
        try:
            new_key = key or authoring.new_key(content, form.cleaned_data["prompt"])
            asked = form.question(new_key, checks=old.checks if old else ())
            authoring.keep_question(
                template_id=template_id, section=form.cleaned_data["section"], question=asked, replacing=key
            )
        except InvalidInput as error:
            form.show(error)
        else:
            return redirect("questionnaire-template", template_id)
    title = "Change a question" if old else "Add a question"
    return form_page(request, "questionnaires/question.html", form, title=title, owner=found, sections=titles)


@requires(Permission.PARTNER_CHANGE)
@require_POST
def remove_question(request: TenantRequest, template_id: UUID, key: str) -> HttpResponse:
    authoring.remove_question(template_id=template_id, key=key)
    say(request, "The question is taken out.")
    return redirect("questionnaire-template", template_id)
