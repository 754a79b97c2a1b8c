"""Yearly verifications: the tenant's own packets, and deliveries of both sides."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.audit.events import Act
from accounts.clients.scopes import Reach, Scope
from accounts.errors import NotFound
from assessments.models import VerificationDelivery, VerificationPacket
from assessments.verifications.models import DeliveryState, PacketState
from assessments.verifications.services.drafting import find_packet
from portal.api.endpoints import Listing, Reading
from portal.api.query import Asked, Page, page_of
from portal.api.resources.fields import Moment, choice, text
from portal.api.resources.sides import (
    DOWNSTREAM,
    UPSTREAM,
    SideFilter,
    find_on_either,
    page_of_both,
    side_field,
    tell_owners,
)

TAG = "Verifications"


class PacketShape(serializers.Serializer[Any]):
    """A packet that the tenant makes. `as_of`: when its evidence was read."""

    id = serializers.UUIDField(read_only=True)
    title = text()
    rule_set = text()
    state = serializers.ChoiceField(choices=PacketState.choices, read_only=True)
    covers = text(allow_blank=True)
    as_of = Moment()
    drafted_at = Moment()
    reviewed_on = serializers.DateField(allow_null=True, read_only=True)
    expert = text("expert_name", allow_blank=True)
    officer = text("officer_name", allow_blank=True)
    certified_at = Moment(allow_null=True)
    delivered_at = Moment(allow_null=True)
    package_sha256 = text(allow_blank=True)


class SectionShape(serializers.Serializer[Any]):
    """The analysis of one safeguard."""

    citation = text()
    status = text()
    analysis = text()


class PacketDetailShape(PacketShape):
    """A packet with its analyses, and for whom it is."""

    sections = serializers.SerializerMethodField()
    recipients = serializers.SerializerMethodField()

    def get_sections(self, row: VerificationPacket) -> SectionShape(many=True):  # type: ignore[valid-type] # as drf-spectacular reads it
        """In the order of the Rule."""
        return SectionShape(row.sections.order_by("position"), many=True).data

    def get_recipients(self, row: VerificationPacket) -> list[str]:
        """Names of covered entities."""
        return list(row.recipients.order_by("name", "pk").values_list("name", flat=True))


class PacketFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    state = choice(*PacketState.values)


class VerificationDeliveryShape(serializers.Serializer[Any]):
    """A certified packet as one covered entity has it. `due_on`: when the next is due. `sha256` is of the document."""

    id = serializers.UUIDField(read_only=True)
    side = side_field()
    partnership = serializers.UUIDField(source="partnership_id", read_only=True)
    packet = serializers.UUIDField(source="packet_id", read_only=True)
    sender = text("sender_name")
    recipient = text("recipient_name")
    title = text()
    year = serializers.IntegerField(read_only=True)
    state = serializers.ChoiceField(choices=DeliveryState.choices, read_only=True)
    certified_at = Moment()
    delivered_at = Moment()
    due_on = serializers.DateField(read_only=True)
    expert = text("expert_name")
    officer = text("officer_name")
    evidenced = serializers.IntegerField(read_only=True)
    gaps = serializers.IntegerField(read_only=True)
    not_evidenced = serializers.IntegerField(read_only=True)
    sha256 = text()
    package_sha256 = text(allow_blank=True)


class DeliveryFilters(SideFilter):
    """What the list can be narrowed to."""

    year = serializers.IntegerField(min_value=2000, max_value=2100, required=False)
    state = choice(*DeliveryState.values)


PACKET: dict[str, Any] = {
    "id": "019a7c70-0100-7d3e-9b2a-1c4d5e6f7a20", "title": "Verification 2026", "rule_set": "current",
    "state": "certified", "covers": "Claims", "as_of": "2026-03-01T06:00:00Z", "drafted_at": "2026-03-01T07:00:00Z",
    "reviewed_on": "2026-03-05", "expert": "Dr. Eve Example", "officer": "Ada Example",
    "certified_at": "2026-03-06T10:00:00Z", "delivered_at": None, "package_sha256": "9f86d081884c7d65" * 4,
}  # fmt: skip
SECTION = {
    "citation": "164.312(b)",
    "status": "not_satisfied",
    "analysis": "Log files are kept for 365 days.",
}
DELIVERY: dict[str, Any] = {
    "id": "019a7c71-0100-7d3e-9b2a-1c4d5e6f7a21", "side": "upstream",
    "partnership": "019a7c22-0100-7d3e-9b2a-1c4d5e6f7a07", "packet": PACKET["id"], "sender": "Northfield Billing",
    "recipient": "General Hospital", "title": "Verification 2026", "year": 2026, "state": "current",
    "certified_at": "2026-03-06T10:00:00Z", "delivered_at": "2026-03-06T11:00:00Z", "due_on": "2027-03-06",
    "expert": "Dr. Eve Example", "officer": "Ada Example", "evidenced": 9, "gaps": 1, "not_evidenced": 3,
    "sha256": "9f86d081884c7d65" * 4, "package_sha256": "60303ae22b998861" * 4,
}  # fmt: skip


class PacketList(Listing):
    """List the tenant's own verification packets, newest first."""

    scope, operation, tag, act = Scope.VERIFICATIONS_READ, "list_verifications", TAG, Act.VERIFICATION_LIST
    shape, filters, example = PacketShape, PacketFilters, PACKET

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (a narrowed client has no such scope)
        return page_of(VerificationPacket.objects.filter(**asked.values), asked)


class PacketDetail(Reading):
    """Read one packet with its analyses."""

    scope, operation, tag, act = Scope.VERIFICATIONS_READ, "read_verification", TAG, Act.VERIFICATION_READ
    shape = PacketDetailShape
    example = {**PACKET, "sections": [SECTION], "recipients": ["General Hospital"]}

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> VerificationPacket:  # noqa: ARG002 (as above)
        return find_packet(packet_id=ids["packet_id"])


def _deliveries() -> dict[str, QuerySet[VerificationDelivery]]:
    return {DOWNSTREAM: VerificationDelivery.objects.all(), UPSTREAM: VerificationDelivery.received.all()}


class DeliveryList(Listing):
    """List deliveries of verifications, newest first: by the tenant (downstream) and to it (upstream).

    The log of each sender says that it was read.
    """

    scope, operation, tag = Scope.VERIFICATIONS_READ, "list_verification_deliveries", TAG
    act, shape, filters, example = Act.VERIFICATION_LIST, VerificationDeliveryShape, DeliveryFilters, DELIVERY

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (as above)
        page = page_of_both(asked, _deliveries())
        tell_owners(page.rows, Act.VERIFICATION_LIST, "page", "verifications")
        return page


class DeliveryDetail(Reading):
    """Read one delivery.

    The sender's log says that it was read. Only a person's opening it counts as having received it.
    """

    scope, operation, tag = Scope.VERIFICATIONS_READ, "read_verification_delivery", TAG
    act, shape, example = Act.VERIFICATION_READ, VerificationDeliveryShape, DELIVERY

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> VerificationDelivery:  # noqa: ARG002 (as above)
        found: VerificationDelivery | None = find_on_either(ids["delivery_id"], _deliveries())
        if found is None:
            raise NotFound("There is no such verification.")
        tell_owners([found], Act.VERIFICATION_READ, "verification_delivery")
        return found
