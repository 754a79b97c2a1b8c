"""The covered entity's pages: a verification that was delivered to it, its document, and the answer."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.errors import InvalidInput
from accounts.permissions import Permission
from accounts.views.pages import form_page, say
from assessments.partnerships.models import Partnership
from assessments.verifications.forms import AnswerForm
from assessments.verifications.models import (
    Answer,
    DeliveryState,
    VerificationDelivery,
    VerificationReceipt,
)
from assessments.verifications.services import answering
from assessments.verifications.views.files import pdf_answer, zip_answer
from assessments.verifications.views.sender import rules_context


@require_safe
@requires(Permission.PARTNER_READ, act=Act.VERIFICATION_READ)
def received(request: TenantRequest, delivery_id: UUID) -> HttpResponse:
    """One verification as it was delivered; opening it is having received it."""
    delivery = answering.find_delivery(delivery_id=delivery_id)
    receipt = answering.note_reading(delivery, Act.VERIFICATION_READ, request.user)
    return _page(request, delivery, receipt, AnswerForm())


def _page(
    request: TenantRequest,
    delivery: VerificationDelivery,
    receipt: VerificationReceipt | None,
    form: AnswerForm,
) -> HttpResponse:
    relation = Partnership.objects.filter(pk=delivery.partnership_id).first()
    open_still = delivery.state == DeliveryState.CURRENT and (
        receipt is None or receipt.answer == Answer.RECEIVED
    )
    return form_page(
        request, "verifications/received.html", form, delivery=delivery, receipt=receipt, relation=relation,
        may_answer=open_still and request.may(Permission.PARTNER_CHANGE),
        **rules_context(request),
    )  # fmt: skip


@require_POST
@requires(Permission.PARTNER_CHANGE, act=Act.VERIFICATION_ANSWER)
def received_answer(request: TenantRequest, delivery_id: UUID) -> HttpResponse:
    """Accepts or refuses it."""
    form = AnswerForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            answering.answer_delivery(
                delivery_id=delivery_id, answer=Answer(given["answer"]), reasons=given["reasons"],
                person=request.user,
            )  # fmt: skip
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, "Your answer is recorded, and the business associate is told.")
            return redirect("verification-received", delivery_id)
    delivery = answering.find_delivery(delivery_id=delivery_id)
    receipt = answering.note_reading(delivery, Act.VERIFICATION_READ, request.user)
    return _page(request, delivery, receipt, form)


@require_safe
@requires(Permission.PARTNER_READ, act=Act.VERIFICATION_DOWNLOAD)
def received_pdf(request: TenantRequest, delivery_id: UUID) -> HttpResponse:
    """The PDF alone; what proves it is in the ZIP."""
    delivery = answering.find_delivery(delivery_id=delivery_id)
    made = answering.open_pdf(delivery)
    answering.note_reading(delivery, Act.VERIFICATION_DOWNLOAD, request.user)
    return pdf_answer(made, delivery.file_name.replace(".zip", ".pdf"))


@require_safe
@requires(Permission.PARTNER_READ, act=Act.VERIFICATION_DOWNLOAD)
def received_zip(request: TenantRequest, delivery_id: UUID) -> HttpResponse:
    """The signed ZIP."""
    delivery = answering.find_delivery(delivery_id=delivery_id)
    made = answering.open_package(delivery)
    answering.note_reading(delivery, Act.VERIFICATION_DOWNLOAD, request.user)
    return zip_answer(made, delivery.file_name)
