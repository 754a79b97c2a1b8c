"""The business associate's pages: its packets, what it certifies, and what became of the deliveries."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import TenantRequest, requires
from accounts.audit import proofs
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.shared import tell_sharer
from accounts.errors import InvalidInput, NotFound
from accounts.permissions import Permission
from accounts.tenancy.scope import current_tenant_id
from accounts.views.pages import form_page, say
from assessments.partnerships.models import Partnership
from assessments.partnerships.reading import working_partnerships
from assessments.rule.proposed import NOT_IN_FORCE, VERIFICATION, RuleSet, rule_set_of
from assessments.status import Status
from assessments.verifications import document
from assessments.verifications.dates import Standing
from assessments.verifications.forms import (
    CertifyForm,
    DeliverForm,
    PacketForm,
    RecipientForm,
    ReviewForm,
    SectionForm,
)
from assessments.verifications.models import (
    VerificationDelivery,
    VerificationDocument,
    VerificationPacket,
    VerificationReceipt,
    owner_of,
)
from assessments.verifications.reading import Line, lines_for_recipient, lines_for_sender
from assessments.verifications.services import certifying, delivering, drafting
from assessments.verifications.views.files import pdf_answer, zip_answer
from assessments.verifications.views.parties import parties_context
from evidence import vault

PAGE = 50
URGENCY = (Standing.REFUSED, Standing.OVERDUE, Standing.DUE, Standing.RECEIVED)
FORM = ["GET", "HEAD", "POST"]


def rules_context(request: TenantRequest) -> dict[str, Any]:
    """The rule-set switch (`?rules=proposed`) and what it shows."""
    return {
        "rules": rule_set_of(request.GET.get("rules", "")), "rule_sets": list(RuleSet), "proposal": VERIFICATION,
        "not_in_force": NOT_IN_FORCE, "practice": document.PRACTICE,
    }  # fmt: skip


@require_safe
@requires(Permission.PARTNER_READ, act=Act.VERIFICATION_LIST)
def verification_list(request: TenantRequest) -> HttpResponse:
    """How it stands with each business associate and each covered entity, the most urgent first; own packets."""
    theirs, lines = _urgent_first(lines_for_recipient()), _urgent_first(lines_for_sender())
    their_page = Paginator(theirs, PAGE).get_page(request.GET.get("associates"))
    page = Paginator(lines, PAGE).get_page(request.GET.get("page"))
    _tell_readers([*their_page.object_list, *page.object_list])
    packets = list(VerificationPacket.objects.order_by("-drafted_at", "-id")[:PAGE])
    record(
        Act.VERIFICATION_LIST,
        object_type="page",
        object_id="verifications",
        packets=len(packets),
        lines=len(lines) + len(theirs),
    )
    return TemplateResponse(
        request, "verifications/list.html",
        {"packets": packets, "page": page, "total": len(lines), "counts": _counts(lines),
         "their_page": their_page, "their_total": len(theirs), "their_counts": _counts(theirs),
         "delivers": bool(lines or packets or not theirs),
         "may_change": request.may(Permission.PARTNER_CHANGE), **rules_context(request)},
    )  # fmt: skip


def _urgent_first(lines: list[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: (URGENCY.index(line.standing), line.due_on))


def _counts(lines: list[Line]) -> list[tuple[Standing, int]]:
    found = Counter(line.standing for line in lines)
    return [(each, found[each]) for each in URGENCY if found[each]]


def _tell_readers(lines: list[Line]) -> None:
    """Deliveries are the business associates' rows, answers the covered entities': each one's log says it was read."""
    for line in lines:
        _tell_reader(line)


def _tell_reader(line: Line) -> None:
    tenant_id, relation = current_tenant_id(), line.partnership
    if line.delivery and owner_of(line.delivery) != tenant_id:
        _tell(line.delivery, "verification_delivery", relation.upstream_name)
    if line.receipt and owner_of(line.receipt) != tenant_id:
        _tell(line.receipt, "verification_receipt", relation.downstream_name)


def _tell(row: VerificationDelivery | VerificationReceipt, object_type: str, reader: str) -> None:
    tell_sharer(
        owner_of(row), Act.VERIFICATION_READ, reader=reader, object_type=object_type, object_id=row.pk
    )


@require_http_methods(FORM)
@requires(Permission.PARTNER_CHANGE, act=Act.VERIFICATION_DRAFT)
def packet_new(request: TenantRequest) -> HttpResponse:
    """A packet drafted from the evidence."""
    rules = rule_set_of(request.GET.get("rules", ""))
    form = PacketForm(request.POST or None, initial=PacketForm.first_values(rules))
    if request.method == "POST" and form.is_valid():
        try:
            packet = drafting.draft_packet(terms=form.terms(), person=request.user)
        except InvalidInput as error:
            form.show(error)
        else:
            return redirect("verification-packet", packet.pk)
    return form_page(request, "verifications/edit.html", form, packet=None)


@require_safe
@requires(Permission.PARTNER_READ, act=Act.VERIFICATION_READ)
def packet_detail(request: TenantRequest, packet_id: UUID) -> HttpResponse:
    """One packet: what it says, who stands by it, for whom it is and what they said."""
    packet = drafting.find_packet(packet_id=packet_id)
    sections = list(packet.sections.order_by("position"))
    record(Act.VERIFICATION_READ, object_type="verification", object_id=packet_id)
    return TemplateResponse(
        request, "verifications/packet.html",
        {"packet": packet, "sections": sections, "counts": _statuses(sections), **parties_context(packet, request.GET),
         "document": VerificationDocument.objects.filter(packet=packet).defer("pdf", "content").first(),
         "fingerprint": fingerprint(), "may_change": request.may(Permission.PARTNER_CHANGE),
         "may_certify": request.may(Permission.VERIFICATION_CERTIFY), "not_in_force": NOT_IN_FORCE,
         "proposed": packet.rule_set == RuleSet.PROPOSED},
    )  # fmt: skip


def fingerprint() -> str:
    """Of the key that signs now; "" before the first."""
    found = proofs.keys()
    return found[-1].fingerprint if found else ""


def _statuses(sections: list[Any]) -> list[tuple[Status, int]]:
    return [(each, sum(row.status == each for row in sections)) for each in Status]


@require_http_methods(FORM)
@requires(Permission.PARTNER_CHANGE, act=Act.VERIFICATION_CHANGE)
def packet_change(request: TenantRequest, packet_id: UUID) -> HttpResponse:
    """The packet's own words and which safeguards it is about."""
    packet = drafting.find_packet(packet_id=packet_id)
    form = PacketForm(request.POST or None, initial=PacketForm.values_of(packet))
    if request.method == "POST" and form.is_valid():
        drafting.change_packet(packet_id=packet_id, terms=form.terms())
        return redirect("verification-packet", packet_id)
    return form_page(request, "verifications/edit.html", form, packet=packet)


@require_http_methods(FORM)
@requires(Permission.PARTNER_CHANGE, act=Act.VERIFICATION_CHANGE)
def section_change(request: TenantRequest, packet_id: UUID, section_id: UUID) -> HttpResponse:
    """The analysis of one safeguard, beside what was drafted from the evidence."""
    section = drafting.find_section(packet_id=packet_id, section_id=section_id)
    form = SectionForm(request.POST or None, initial={"analysis": section.analysis})
    if request.method == "POST" and form.is_valid():
        drafting.edit_section(
            packet_id=packet_id, section_id=section_id, analysis=form.cleaned_data["analysis"],
            person=request.user,
        )  # fmt: skip
        return redirect("verification-packet", packet_id)
    packet = drafting.find_packet(packet_id=packet_id)
    return form_page(request, "verifications/section.html", form, packet=packet, section=section)


@require_http_methods(FORM)
@requires(Permission.PARTNER_CHANGE, act=Act.VERIFICATION_CHANGE)
def recipient_change(request: TenantRequest, packet_id: UUID, partnership_id: UUID) -> HttpResponse:
    """Whether the packet is for a covered entity, and what of the work for it the packet covers."""
    packet, relation = drafting.find_packet(packet_id=packet_id), _relation(partnership_id)
    chosen = {row.partnership_id: row.scope for row in packet.recipients.all()}
    shown = {"scope": chosen.get(partnership_id, ""), "included": partnership_id in chosen}
    form = RecipientForm(request.POST or None, initial=shown)
    # An empty form is an answer as well: the packet isn't for it.
    if request.method == "POST":
        form = RecipientForm(request.POST)
        if form.is_valid():
            chosen.pop(partnership_id, None)
            if form.cleaned_data["included"]:
                chosen[partnership_id] = form.cleaned_data["scope"]
            drafting.choose_recipients(packet_id=packet_id, scopes=chosen)
            return redirect("verification-packet", packet_id)
    return form_page(request, "verifications/recipient.html", form, packet=packet, relation=relation)


def _relation(partnership_id: UUID) -> Partnership:
    found: Partnership | None = working_partnerships().filter(pk=partnership_id).first()
    if found is None:
        raise NotFound("There is no such covered entity among yours.")
    return found


@require_POST
@requires(Permission.PARTNER_CHANGE, act=Act.VERIFICATION_CHANGE)
def packet_refresh(request: TenantRequest, packet_id: UUID) -> HttpResponse:
    """The evidence as it is now."""
    drafting.refresh_packet(packet_id=packet_id)
    say(request, "The evidence was read anew. What somebody wrote was left as it is.")
    return redirect("verification-packet", packet_id)


@require_http_methods(FORM)
@requires(Permission.PARTNER_CHANGE, act=Act.VERIFICATION_REVIEW)
def packet_review(request: TenantRequest, packet_id: UUID) -> HttpResponse:
    """Records the expert's review."""
    packet = drafting.find_packet(packet_id=packet_id)
    shown = {"name": packet.expert_name, "qualification": packet.expert_qualification}
    form = ReviewForm(request.POST or None, initial=shown)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            drafting.review_packet(
                packet_id=packet_id, name=given["name"], qualification=given["qualification"],
                on=given["reviewed_on"], person=request.user,
            )  # fmt: skip
        except InvalidInput as error:
            form.show(error)
        else:
            say(request, "The review is recorded. An owner can certify the packet now.")
            return redirect("verification-packet", packet_id)
    return form_page(request, "verifications/review.html", form, packet=packet)


@require_http_methods(FORM)
@requires(Permission.VERIFICATION_CERTIFY, act=Act.VERIFICATION_CERTIFY, step_up=True)
def packet_certify(request: TenantRequest, packet_id: UUID) -> HttpResponse:
    """The officer's certification, with both factors proved anew."""
    packet = drafting.find_packet(packet_id=packet_id)
    form = CertifyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        certifying.certify_packet(
            packet_id=packet_id, person=request.user, tenant=request.tenant, title=form.cleaned_data["title"],
            authority=form.cleaned_data["authority"],
        )  # fmt: skip
        say(request, "Certified. It is signed and delivered in the background, in a minute or two.")
        return redirect("verification-packet", packet_id)
    sections = list(packet.sections.order_by("position"))
    return form_page(
        request, "verifications/certify.html", form, packet=packet, counts=_statuses(sections),
        gaps=[row for row in sections if row.status == Status.NOT_SATISFIED],
        recipients=packet.recipients.count(),
    )  # fmt: skip


@require_http_methods(FORM)
@requires(Permission.PARTNER_CHANGE, act=Act.VERIFICATION_DELIVER, step_up=True)
def packet_deliver(request: TenantRequest, packet_id: UUID, partnership_id: UUID) -> HttpResponse:
    """Delivers a signed packet to one more covered entity."""
    packet, relation = drafting.find_packet(packet_id=packet_id), _relation(partnership_id)
    form = DeliverForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        delivering.deliver_further(
            packet_id=packet_id, partnership_id=partnership_id, scope=form.cleaned_data["scope"]
        )
        say(request, f"It is being delivered to {relation.upstream_name}.")
        return redirect("verification-packet", packet_id)
    return form_page(request, "verifications/recipient.html", form, packet=packet, relation=relation)


@require_safe
@requires(Permission.PARTNER_READ, act=Act.VERIFICATION_DOWNLOAD)
def packet_pdf(request: TenantRequest, packet_id: UUID) -> HttpResponse:
    """The certified document, or how it would be now."""
    packet = drafting.find_packet(packet_id=packet_id)
    frozen = VerificationDocument.objects.filter(packet=packet).first()
    record(Act.VERIFICATION_DOWNLOAD, object_type="verification", object_id=packet_id, form="pdf")
    if frozen:
        return pdf_answer(bytes(frozen.pdf), packet.file_name.replace(".zip", ".pdf"))
    made = document.pdf_of(document.content_of(packet, tenant_name=request.tenant.name))
    return pdf_answer(made, "verification-draft.pdf")


@require_safe
@requires(Permission.PARTNER_READ, act=Act.VERIFICATION_DOWNLOAD)
def packet_zip(request: TenantRequest, packet_id: UUID) -> HttpResponse:  # noqa: ARG001 (a view)
    """The signed ZIP."""
    packet = drafting.find_packet(packet_id=packet_id)
    if packet.signed_at is None:
        raise NotFound("This packet isn't signed yet.")
    made = b"".join(vault.open_stream(packet.kept, context=packet.context))
    record(
        Act.VERIFICATION_DOWNLOAD, object_type="verification", object_id=packet_id, form="zip",
        sha256=packet.package_sha256,
    )  # fmt: skip
    return zip_answer(made, packet.file_name)
