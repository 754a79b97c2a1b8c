"""Pages of the register: adding, changing and ending a business associate, sheets in and out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import InvalidInput
from accounts.permissions import Permission
from accounts.views.pages import form_page, say
from assessments.partners import services, sheets
from assessments.partners.forms import FIELDS, BusinessAssociateForm, SheetForm
from assessments.partners.models import BusinessAssociate

SHOWN_LINES = 200
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@requires(Permission.PARTNER_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: TenantRequest) -> HttpResponse:
    return _kept(request, BusinessAssociate(), "Add a business associate")


@requires(Permission.PARTNER_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: TenantRequest, associate_id: UUID) -> HttpResponse:
    associate = services.find_business_associate(associate_id=associate_id)
    return _kept(request, associate, f"Change {associate.name}")


@requires(Permission.PARTNER_CHANGE)
@require_POST
def end(request: TenantRequest, associate_id: UUID) -> HttpResponse:
    associate = services.end_business_associate(associate_id=associate_id)
    say(request, f"{associate.name} is ended. What is known of it stays.")
    return redirect("business-associate-detail", associate_id)


@requires(Permission.PARTNER_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def choose_sheet(request: TenantRequest) -> HttpResponse:
    posted = request.method == "POST"
    form = SheetForm(request.POST, request.FILES) if posted else SheetForm()
    if posted and form.is_valid():
        try:
            content = form.cleaned_data["sheet"].read(sheets.LARGEST_FILE + 1)
            draft = services.preview_import(content=content, by=request.user)
        except InvalidInput as error:
            form.show(error)
        else:
            return redirect("business-associate-import-preview", draft.pk)
    return form_page(request, "partners/import.html", form, columns=FIELDS)


@requires(Permission.PARTNER_CHANGE)
@require_safe
def preview(request: TenantRequest, import_id: UUID) -> HttpResponse:
    draft = services.find_import(import_id=import_id)
    lines = services.lines_of(draft)
    counts = Counter(line.kind for line in lines)
    record(Act.BUSINESS_ASSOCIATE_LIST, object_type="import", object_id=draft.pk, shown=len(lines))
    # What is wrong, or will change, comes before what stays as it is.
    order = [
        services.LineKind.ERROR,
        services.LineKind.CHANGED,
        services.LineKind.NEW,
        services.LineKind.UNCHANGED,
    ]
    shown = sorted(lines, key=lambda line: (order.index(line.kind), line.number))[:SHOWN_LINES]
    return TemplateResponse(
        request, "partners/preview.html",
        {"draft": draft, "lines": shown, "more": len(lines) - len(shown),
         "counts": [(kind, counts[kind]) for kind in order], "errors": counts[services.LineKind.ERROR],
         "does_something": counts[services.LineKind.NEW] + counts[services.LineKind.CHANGED]},
    )  # fmt: skip


@requires(Permission.PARTNER_CHANGE)
@require_POST
def confirm(request: TenantRequest, import_id: UUID) -> HttpResponse:
    counts = services.confirm_import(import_id=import_id)
    say(
        request,
        f"Imported: {counts['new']} new, {counts['changed']} changed, {counts['unchanged']} as they were.",
    )
    return redirect("business-associate-list")


@requires(Permission.PARTNER_READ)
@require_safe
def export_csv(request: TenantRequest) -> HttpResponse:  # noqa: ARG001 (every view takes one)
    return _download(
        b"".join(sheets.write_csv(_exported())), "text/csv; charset=utf-8", "business-associates.csv"
    )


@requires(Permission.PARTNER_READ)
@require_safe
def export_xlsx(request: TenantRequest) -> HttpResponse:  # noqa: ARG001 (as above)
    return _download(sheets.write_xlsx(_exported()), XLSX, "business-associates.xlsx")


def _kept(request: TenantRequest, associate: BusinessAssociate, title: str) -> HttpResponse:
    form = BusinessAssociateForm(request.POST if request.method == "POST" else None, instance=associate)
    if request.method == "POST" and form.is_valid():
        try:
            kept = services.keep_business_associate(associate=form.save(commit=False))
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, f"{kept.name} is kept: {kept.explained_tier.label.lower()}.")
            return redirect("business-associate-detail", kept.pk)
    return form_page(request, "partners/form.html", form, title=title, associate=associate)


def _exported() -> Iterator[list[str]]:
    rows = list(BusinessAssociate.objects.filter(ended_at=None).order_by("reference"))
    record(Act.BUSINESS_ASSOCIATE_EXPORT, object_type="page", object_id="business-associates", rows=len(rows))
    for row in rows:
        yield [_cell(getattr(row, name)) for name in FIELDS]


def _cell(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _download(content: bytes, media: str, name: str) -> HttpResponse:
    return HttpResponse(
        content, content_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
