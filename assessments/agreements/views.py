"""Pages of agreements: the list, one with its versions and clauses, documents and the gap letter."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.permissions import Permission
from accounts.views.pages import form_page, say
from assessments.agreements import documents, services
from assessments.agreements.checklist import checklist_of, mark_clauses, promises_chain
from assessments.agreements.forms import (
    AgreementFilterForm,
    ClausesForm,
    TerminateForm,
    VersionForm,
    values_of,
)
from assessments.agreements.letter import gap_letter
from assessments.agreements.models import Agreement, AgreementVersion, VersionKind
from assessments.agreements.needs import count_needs
from assessments.agreements.reading import facts_of, versions_of
from assessments.agreements.states import Stage, State
from assessments.agreements.terms import unlawful_of, warnings_of
from assessments.agreements.waiting import waiting_versions
from assessments.partners.services import find_business_associate
from evidence import vault

PAGE = 50


@requires(Permission.PARTNER_READ)
@require_safe
def agreement_list(request: TenantRequest) -> HttpResponse:
    """Current agreements, those that end first before the others; what has no end comes last."""
    form = AgreementFilterForm(request.GET)
    if not form.is_valid():
        raise InvalidInput("A filter of the agreements can't be used. Clear the filters and try again.")
    found = _filtered(form)
    page = _page_number(request.GET.get("page", ""))
    rows = list(found[(page - 1) * PAGE : page * PAGE + 1])
    record(Act.AGREEMENT_LIST, object_type="page", object_id="agreements", shown=min(len(rows), PAGE))
    return TemplateResponse(
        request, "agreements/list.html",
        {"form": form, "rows": rows[:PAGE], "count": found.count(), "page": page, "more": len(rows) > PAGE,
         "filtered": any(form.cleaned_data.values()),
         "needs": {kind.value: number for kind, number in count_needs().items()}},
    )  # fmt: skip


@requires(Permission.PARTNER_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: TenantRequest, associate_id: UUID) -> HttpResponse:
    """Records an associate's agreement."""
    associate = find_business_associate(associate_id=associate_id)
    first = {"own_party": request.tenant.name, "other_party": associate.name}
    kinds = (VersionKind.SIGNED, VersionKind.DRAFT)
    form = VersionForm(request.POST or None, request.FILES or None, initial=first, kinds=kinds)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.record_agreement(associate_id=associate_id, new=form.wanted(), by=request.user)
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, f"The agreement with {associate.name} is recorded.")
            return redirect("agreement-detail", made.pk)
    title = f"Agreement with {associate.name}"
    return form_page(request, "agreements/form.html", form, title=title, associate=associate)


@requires(Permission.PARTNER_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def new_version(request: TenantRequest, agreement_id: UUID) -> HttpResponse:
    """Adds a version to an agreement."""
    agreement = services.find_agreement(agreement_id=agreement_id)
    kinds = services.kinds_open_to(agreement)
    if not kinds:
        raise Conflict("The agreement is terminated. Record a new one.")
    newest = AgreementVersion.objects.get(agreement=agreement, number=agreement.version)
    first = values_of(newest, keep_dates=agreement.stage != Stage.SIGNED)
    form = VersionForm(request.POST or None, request.FILES or None, initial=first, kinds=kinds)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.add_version(agreement_id=agreement_id, new=form.wanted(), by=request.user)
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, f"Version {made.number} is recorded: {made.get_kind_display().lower()}.")
            return redirect("agreement-detail", agreement_id)
    return form_page(
        request, "agreements/form.html", form, title=f"Version {agreement.version + 1}",
        associate=agreement.associate, agreement=agreement,
    )  # fmt: skip


@requires(Permission.PARTNER_READ)
@require_safe
def detail(request: TenantRequest, agreement_id: UUID) -> HttpResponse:
    """One agreement: state, terms, clauses, versions."""
    agreement = services.find_agreement(agreement_id=agreement_id)
    record(Act.AGREEMENT_READ, object_type="agreement", object_id=agreement_id)
    return TemplateResponse(request, "agreements/detail.html", _shown(request, agreement, ClausesForm()))


@requires(Permission.PARTNER_CHANGE)
@require_POST
def stage(request: TenantRequest, agreement_id: UUID) -> HttpResponse:
    """Draft or in negotiation."""
    services.find_agreement(agreement_id=agreement_id)  # another's is not found, whatever is asked for
    wanted = request.POST.get("stage", "")
    if wanted not in {Stage.DRAFT, Stage.NEGOTIATION}:
        raise InvalidInput("An agreement goes between draft and negotiation.", field="stage")
    services.set_stage(agreement_id=agreement_id, stage=Stage(wanted))
    say(request, f"The agreement is now: {Stage(wanted).label.lower()}.")
    return redirect("agreement-detail", agreement_id)


@requires(Permission.PARTNER_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def terminate(request: TenantRequest, agreement_id: UUID) -> HttpResponse:
    """Ends an agreement."""
    agreement = services.find_agreement(agreement_id=agreement_id)
    form = TerminateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            services.terminate_agreement(
                agreement_id=agreement_id, terminated_on=given["terminated_on"], reason=given["reason"]
            )
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, f"The agreement ends on {given['terminated_on']}.")
            return redirect("agreement-detail", agreement_id)
    return form_page(request, "agreements/terminate.html", form, agreement=agreement)


@requires(Permission.PARTNER_CHANGE)
@require_POST
def clauses(request: TenantRequest, agreement_id: UUID) -> HttpResponse:
    """Marks what was found of clauses in the newest version."""
    agreement = services.find_agreement(agreement_id=agreement_id)
    form = ClausesForm(request.POST)
    if form.is_valid():
        try:
            mark_clauses(agreement_id=agreement_id, marking=form.wanted(), by=request.user)
        except InvalidInput as error:
            form.show(error)
        else:
            number = len(form.cleaned_data["clause"])
            say(request, "The clause is marked." if number == 1 else f"{number} clauses are marked.")
            return redirect("agreement-detail", agreement_id)
    context = _shown(request, agreement, form)
    del context["form"]
    return form_page(request, "agreements/detail.html", form, **context)


@requires(Permission.PARTNER_READ)
@require_safe
def document(request: TenantRequest, agreement_id: UUID, agreement_version_id: UUID) -> HttpResponse:  # noqa: ARG001 (every view takes one)
    """A version's document, as a file and never in the page."""
    version = services.find_version(agreement_id=agreement_id, version_id=agreement_version_id)
    if version.blob is None:
        raise NotFound("This version was recorded without a document.")
    record(
        Act.AGREEMENT_DOWNLOAD, object_type="agreement", object_id=agreement_id, version=version.number,
        sha256=version.blob.digest,
    )  # fmt: skip
    content = vault.open_blob(version.blob)
    media_type = documents.sniff(content)
    return _file(content, media_type, f"agreement-version-{version.number}.{documents.ENDINGS[media_type]}")


@requires(Permission.PARTNER_READ)
@require_safe
def letter(request: TenantRequest, agreement_id: UUID) -> HttpResponse:
    """The gap letter."""
    agreement = services.find_agreement(agreement_id=agreement_id)
    made = gap_letter(agreement, by=request.user)
    record(Act.AGREEMENT_LETTER, object_type="agreement", object_id=agreement_id, version=agreement.version)
    return _file(made, documents.PDF, "agreement-gap-letter.pdf")


def _file(content: bytes, media_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        content, content_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"},
    )  # fmt: skip


def _filtered(form: AgreementFilterForm) -> QuerySet[Any]:
    wanted = form.cleaned_data
    found: QuerySet[Any] = Agreement.objects.with_state().filter(is_current=True).select_related("associate")
    if wanted["state"]:
        found = found.filter(state=State(wanted["state"]))
    if wanted["text"]:
        text = wanted["text"].strip()
        found = found.filter(Q(associate__name__icontains=text) | Q(associate__reference__iexact=text))
    return found.order_by(F("last_on").asc(nulls_last=True), "id")


def _page_number(said: str) -> int:
    if not said:
        return 1
    if not (said.isascii() and said.isdigit() and 0 < int(said[:6]) < 10_000 and len(said) < 6):  # noqa: PLR2004 (pages of a list)
        raise InvalidInput("This is no page of the list. Start at its first page.", field="page")
    return int(said)


def _shown(request: TenantRequest, agreement: Agreement, form: ClausesForm) -> dict[str, Any]:
    rows = checklist_of(agreement)
    may_change = request.may(Permission.PARTNER_CHANGE)
    return {
        "agreement": agreement,
        "associate": agreement.associate,
        "facts": facts_of(agreement),
        "warnings": warnings_of(agreement),
        "waiting": waiting_versions(agreement),
        "clauses": rows,
        "missing": sum(row.is_gap for row in rows),
        "open": sum(row.is_open for row in rows),
        "has_letter": any(row.is_gap for row in rows) or bool(unlawful_of(agreement)),
        "versions": versions_of(agreement),
        "reminders": agreement.reminders.order_by("-sent_at"),
        "chain": promises_chain(agreement),
        "form": form,
        "may_change": may_change,
        "may_mark": may_change and agreement.stage != Stage.TERMINATED,
        "kinds": services.kinds_open_to(agreement),
        "is_draft": agreement.stage in {Stage.DRAFT, Stage.NEGOTIATION},
        "next_stage": Stage.NEGOTIATION if agreement.stage == Stage.DRAFT else Stage.DRAFT,
    }
