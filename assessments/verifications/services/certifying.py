"""Certifies a packet, once: its document is frozen in the same transaction as the log's entry with its digest."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Person, Tenant
from assessments.certified import canonical, sha256
from assessments.posture import read_safeguards
from assessments.timers.services import set_timer
from assessments.verifications import document
from assessments.verifications.analysis import changed_since
from assessments.verifications.models import PacketState, VerificationDocument, VerificationPacket

SIGNING = "verification.sign"
"""The timer that has the packet signed and delivered."""
LARGEST_PDF = 4 << 20


def certify_packet(
    *, packet_id: UUID, person: Person, tenant: Tenant, title: str, authority: str
) -> VerificationPacket:
    """The officer's certification; signing and delivering follow in the background.

    Raises NotFound; Conflict where it isn't reviewed, was certified before, or where the evidence says otherwise now;
    Unavailable where the document can't be made.
    """
    packet = VerificationPacket.objects.select_for_update().filter(pk=packet_id).first()
    if packet is None:
        raise NotFound("There is no such packet.")
    _refuse_unfit(packet)
    packet.state, packet.certified_at, packet.certified_by = PacketState.CERTIFIED, timezone.now(), person
    packet.officer_name, packet.officer_title, packet.authority = person.name, title, authority
    packet.save()
    frozen = _freeze(packet, tenant)
    record(
        Act.VERIFICATION_CERTIFY, object_type="verification", object_id=packet.pk, sha256=frozen.pdf_sha256,
        content_sha256=frozen.content_sha256, rule_set=packet.rule_set, officer_title=title,
        expert=packet.expert_name, evidence_as_of=packet.as_of.isoformat(timespec="seconds"),
    )  # fmt: skip
    set_timer(SIGNING, packet.pk, timezone.now())
    return packet


def _refuse_unfit(packet: VerificationPacket) -> None:
    if not packet.is_open:
        raise Conflict("This packet was certified already. A packet is certified once.")
    if packet.state != PacketState.REVIEWED:
        raise Conflict("An expert has to review this packet, as it stands now, before it is certified.")
    changed = changed_since(packet.sections.order_by("position"), read_safeguards())
    if changed:
        raise Conflict(
            f"The evidence has changed since this was drafted: {'; '.join(changed)}."
            " Read the evidence anew and have it reviewed again."
        )


def _freeze(packet: VerificationPacket, tenant: Tenant) -> VerificationDocument:
    content = document.content_of(packet, tenant_name=tenant.name)
    text, pdf = canonical(content), document.pdf_of(content)
    if len(pdf) > LARGEST_PDF:
        raise InvalidInput("The document is too long. Shorten the analysis.")
    return VerificationDocument.objects.create(
        packet=packet, content=text.decode(), content_sha256=sha256(text), pdf=pdf,
        pdf_sha256=sha256(pdf),
    )  # fmt: skip
