"""Pages that both sides have: the list of exits, and the files of a certificate."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.permissions import Permission
from assessments.exits.models import Exit
from assessments.exits.reading import note_reading, pictures_of, received_exits
from assessments.exits.services import certifying
from assessments.partnerships.models import Partnership
from assessments.verifications.views.files import pdf_answer, zip_answer

PAGE = 100


@require_safe
@requires(Permission.PARTNER_READ, act=Act.EXIT_LIST)
def exit_list(request: TenantRequest) -> HttpResponse:
    """Both sides' exits, those that are open first, by their day. Ended partnerships' stay."""
    own = pictures_of(list(Exit.objects.order_by("-closed_at", "due_at")[:PAGE]))
    received = pictures_of(list(received_exits().order_by("-closed_at", "due_at")[:PAGE]))
    for picture in (*own, *received):
        note_reading(picture)
    record(Act.EXIT_LIST, object_type="page", object_id="exits", own=len(own), received=len(received))
    works_for_others = bool(received) or Partnership.received.exists()
    return TemplateResponse(
        request, "exits/list.html",
        {"own": own, "received": received, "works_for_others": works_for_others,
         "has_others": bool(own) or not works_for_others or Partnership.objects.exists()},
    )  # fmt: skip


@require_safe
@requires(Permission.PARTNER_READ, act=Act.EXIT_DOWNLOAD)
def certificate_pdf(request: TenantRequest, certificate_id: UUID) -> HttpResponse:  # noqa: ARG001 (a view)
    """The certificate; what proves it is in the ZIP."""
    row = certifying.find_certificate(certificate_id=certificate_id)
    certifying.note_download(row, "pdf")
    return pdf_answer(bytes(row.pdf), f"{row.file_name}.pdf")


@require_safe
@requires(Permission.PARTNER_READ, act=Act.EXIT_DOWNLOAD)
def certificate_zip(request: TenantRequest, certificate_id: UUID) -> HttpResponse:  # noqa: ARG001 (a view)
    """The signed ZIP."""
    row = certifying.find_certificate(certificate_id=certificate_id)
    made = certifying.open_package(row)
    certifying.note_download(row, "zip")
    return zip_answer(made, f"{row.file_name}.zip")
