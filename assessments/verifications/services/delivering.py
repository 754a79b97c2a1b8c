"""Signs a certified packet and delivers it. A worker does both, step by step: the row says what is left to do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.segment import Segment
from accounts.errors import Conflict, NotFound, Unavailable
from accounts.tenancy.scope import current_tenant_id, open_tenant
from accounts.webhooks.emitting import Page, emit
from accounts.webhooks.events import EventType
from assessments import certified
from assessments.certified import KEPT_FIELDS
from assessments.partnerships.models import Partnership
from assessments.partnerships.reading import working_partnerships
from assessments.status import Status
from assessments.timers.services import set_timer
from assessments.verifications import mail, reminders
from assessments.verifications.dates import due_after
from assessments.verifications.models import (
    DeliveryState,
    PacketState,
    VerificationDelivery,
    VerificationDocument,
    VerificationPacket,
    VerificationRecipient,
    owner_of,
)
from assessments.verifications.package import package_bytes
from assessments.verifications.services.certifying import SIGNING
from assessments.verifications.signals import verification_arrived
from evidence import vault
from evidence.queue import ring_after_commit

DELIVER = "tasks.verification.deliver_packet"
SOON_SECONDS, PATIENT_SECONDS = 1.0, 30.0
AGAIN = timedelta(minutes=1)


def ring_signing(packet_id: UUID) -> datetime | None:
    """The timer's handler: rings a worker for what is left to do, each minute until nothing is."""
    packet = VerificationPacket.objects.filter(pk=packet_id).first()
    if packet is None or _is_done(packet):
        return None
    ring_after_commit(DELIVER, current_tenant_id(), [packet_id])
    return timezone.now() + AGAIN


def _is_done(packet: VerificationPacket) -> bool:
    untold = VerificationDelivery.objects.filter(packet_id=packet.pk, told_at=None)
    return packet.signed_at is not None and not _waiting(packet) and not untold.exists()


def _waiting(packet: VerificationPacket) -> list[tuple[VerificationRecipient, Partnership]]:
    """Recipients with a relation that stands, who don't have it yet."""
    had = VerificationDelivery.objects.filter(packet_id=packet.pk).values("partnership_id")
    rows = list(packet.recipients.exclude(partnership_id__in=had).order_by("name", "pk"))
    standing = Partnership.received.in_bulk([row.partnership_id for row in rows])
    return [(row, standing[row.partnership_id]) for row in rows if row.partnership_id in standing]


def deliver_packet(*, tenant_id: UUID, packet_id: UUID) -> float | None:
    """Takes a certified packet as far as it can; the seconds after which to look again, None where nothing is left.

    Another copy of the same message changes nothing: it is signed once, and delivered once to each.
    """
    with open_tenant(tenant_id):
        packet = VerificationPacket.objects.filter(pk=packet_id).first()
    if packet is None or packet.is_open:
        return None
    if packet.signed_at is None:
        segment = _segment(tenant_id, packet)
        if segment is None:
            return SOON_SECONDS
        try:
            _sign(tenant_id, packet, segment)
        except Unavailable:
            return PATIENT_SECONDS
    with open_tenant(tenant_id):
        _deliver(packet_id)
    _tell_all(tenant_id, packet_id)
    return None


def _segment(tenant_id: UUID, packet: VerificationPacket) -> Segment | None:
    """The log's stretch with the certification's entry; None while it isn't there."""
    return certified.find_segment(
        tenant_id=tenant_id, act=Act.VERIFICATION_CERTIFY, object_id=packet.pk,
        certified_at=packet.certified_at or timezone.now(),
    )  # fmt: skip


def _sign(tenant_id: UUID, packet: VerificationPacket, segment: Segment) -> None:
    made = package_bytes(tenant_id=tenant_id, packet_id=packet.pk, segment=segment)
    sealed = certified.keep_package(
        tenant_id=tenant_id, kind="verification", object_id=packet.pk, context=packet.context, made=made
    )
    with open_tenant(tenant_id):
        first = VerificationPacket.objects.filter(pk=packet.pk, signed_at=None).update(
            signed_at=timezone.now(), **sealed.columns()
        )
        if first:
            record(
                Act.VERIFICATION_SIGN, object_type="verification", object_id=packet.pk, sha256=sealed.sha256,
                size=sealed.size, log_size=segment.size,
            )  # fmt: skip
    if not first:
        vault.remove_stream(sealed.kept.address)


def _deliver(packet_id: UUID) -> None:
    """Writes the deliveries that are missing, all at once; the one before of each partnership is superseded."""
    packet = VerificationPacket.objects.select_for_update().get(pk=packet_id)
    waiting = _waiting(packet)
    wanted = [row.partnership_id for row, _relation in waiting]
    before = VerificationDelivery.objects.filter(partnership_id__in=wanted, state=DeliveryState.CURRENT)
    newer = set(before.filter(certified_at__gt=packet.certified_at).values_list("partnership_id", flat=True))
    before.exclude(partnership_id__in=newer).update(state=DeliveryState.SUPERSEDED)
    rows = _rows(packet, waiting, newer)
    VerificationDelivery.objects.bulk_create(rows, batch_size=500)
    for row in rows:
        record(
            Act.VERIFICATION_DELIVER, object_type="verification_delivery", object_id=row.pk, packet=str(packet.pk),
            partnership=str(row.partnership_id), sha256=row.sha256,
        )  # fmt: skip
    if rows and packet.state == PacketState.CERTIFIED:
        packet.state, packet.delivered_at = PacketState.DELIVERED, timezone.now()
        packet.save(update_fields=["state", "delivered_at"])


def _rows(
    packet: VerificationPacket,
    waiting: Iterable[tuple[VerificationRecipient, Partnership]],
    newer: set[UUID],
) -> list[VerificationDelivery]:
    statuses = list(packet.sections.values_list("status", flat=True))
    certified_at = packet.certified_at
    if certified_at is None:
        raise Conflict("This packet isn't certified.")
    sha = VerificationDocument.objects.values_list("pdf_sha256", flat=True).get(packet_id=packet.pk)
    same = {name: getattr(packet, name) for name in (*KEPT_FIELDS, *_COPIED)}
    return [
        VerificationDelivery(
            **same, viewer_id=owner_of(relation), partnership_id=relation.pk, packet_id=packet.pk,
            sender_name=relation.downstream_name, recipient_name=relation.upstream_name, scope=row.scope, sha256=sha,
            state=DeliveryState.SUPERSEDED if relation.pk in newer else DeliveryState.CURRENT,
            year=certified_at.year, delivered_at=timezone.now(), due_on=due_after(certified_at),
            evidenced=statuses.count(Status.SATISFIED), gaps=statuses.count(Status.NOT_SATISFIED),
            not_evidenced=statuses.count(Status.UNDETERMINED),
        )
        for row, relation in waiting
    ]  # fmt: skip


_COPIED = (
    "title", "rule_set", "certified_at", "expert_name", "expert_qualification", "officer_name", "officer_title",
)  # fmt: skip


def _tell_all(tenant_id: UUID, packet_id: UUID) -> None:
    """Tells each covered entity's people, in its own tenant, and starts both sides' clocks anew."""
    with open_tenant(tenant_id):
        rows = list(VerificationDelivery.objects.filter(packet_id=packet_id, told_at=None))
    for row in rows:
        # Outside of the transaction: the first address of a process takes all of the portal's views to be loaded.
        url = mail.address_of(row)
        with open_tenant(row.viewer_id):
            mail.tell_arrival(url)
            verification_arrived.send(VerificationDelivery)
            reminders.set_clock(row.partnership_id, row.due_on)
            _emit(row, "upstream", ("verification-received", row.pk))
        with open_tenant(tenant_id):
            VerificationDelivery.objects.filter(pk=row.pk).update(told_at=timezone.now())
            reminders.set_clock(row.partnership_id, row.due_on)
            _emit(row, "downstream", ("verification-packet", packet_id))


def _emit(row: VerificationDelivery, side: str, page: Page) -> None:
    emit(
        EventType.VERIFICATION_DELIVERED, row.pk, page=page, partnership=row.partnership_id, side=side, year=row.year,
        next_due_on=row.due_on,
    )  # fmt: skip


def deliver_further(*, packet_id: UUID, partnership_id: UUID, scope: str) -> VerificationPacket:
    """Delivers a signed packet to one more covered entity. Raises NotFound, and Conflict where it isn't signed."""
    packet = VerificationPacket.objects.select_for_update().filter(pk=packet_id).first()
    relation = working_partnerships().filter(pk=partnership_id).first()
    if packet is None or relation is None:
        raise NotFound("There is no such packet, or no such covered entity among yours.")
    if packet.signed_at is None:
        raise Conflict("This packet isn't signed yet.")
    _row, added = packet.recipients.get_or_create(
        partnership_id=partnership_id, defaults={"name": relation.upstream_name, "scope": scope}
    )
    if not added:
        raise Conflict(f"{relation.upstream_name} is among those whom this packet is for.")
    set_timer(SIGNING, packet.pk, timezone.now())
    record(
        Act.VERIFICATION_CHANGE, object_type="verification", object_id=packet.pk, what="recipient",
        partnership=str(partnership_id),
    )  # fmt: skip
    return packet
