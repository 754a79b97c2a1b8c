"""The covered entities of one packet, as its page lists them: a page of each list, narrowed by name."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import QueryDict

from accounts.audit.events import Act
from accounts.audit.shared import tell_sharer
from assessments.partnerships.models import Partnership
from assessments.partnerships.reading import working_partnerships
from assessments.verifications.models import (
    VerificationDelivery,
    VerificationPacket,
    VerificationReceipt,
    owner_of,
)

PAGE = 50
LONGEST_NAME = 200


def parties_context(packet: VerificationPacket, asked: QueryDict) -> dict[str, Any]:
    """`?entity=` narrows by name, `?page=` and `?others=` go through recipients or deliveries and through the rest.

    `recipients`: of an open packet each relation with its row, or None; `deliveries` of another with their answers;
    `others` those to whom a signed one can still be delivered. `many`: whether a search is worth its place.
    """
    entity, at = asked.get("entity", "").replace("\x00", "").strip()[:LONGEST_NAME], asked.get("page")
    recipients, deliveries = _recipients(packet, entity, at), _deliveries(packet, entity, at)
    others = _others(packet, entity, asked.get("others"))
    lists = [recipients, deliveries, others]
    return {
        "recipients": recipients, "deliveries": deliveries, "others": others, "entity": entity,
        "many": bool(entity) or any(each.paginator.num_pages > 1 for each in lists),
    }  # fmt: skip


def _recipients(packet: VerificationPacket, entity: str, at: str | None) -> Page[Any]:
    relations = working_partnerships() if packet.is_open else Partnership.received.none()
    page = _page(relations.filter(upstream_name__icontains=entity).order_by("upstream_name", "pk"), at)
    chosen = {row.partnership_id: row for row in packet.recipients.all()}
    page.object_list = [(relation, chosen.get(relation.pk)) for relation in page.object_list]
    return page


def _deliveries(packet: VerificationPacket, entity: str, at: str | None) -> Page[Any]:
    """Deliveries with the covered entities' answers, which stand as read in their logs."""
    rows = VerificationDelivery.objects.filter(packet_id=packet.pk, recipient_name__icontains=entity)
    page = _page(rows.order_by("recipient_name", "pk"), at)
    viewers = {row.pk: row.viewer_id for row in page.object_list}
    receipts = VerificationReceipt.received.filter(delivery_id__in=list(viewers))
    answers = {row.delivery_id: row for row in receipts if owner_of(row) == viewers[row.delivery_id]}
    for row in page.object_list:
        if row.pk in answers:
            tell_sharer(
                row.viewer_id, Act.VERIFICATION_READ, reader=row.sender_name, object_type="verification_receipt",
                object_id=answers[row.pk].pk,
            )  # fmt: skip
    page.object_list = [(row, answers.get(row.pk)) for row in page.object_list]
    return page


def _others(packet: VerificationPacket, entity: str, at: str | None) -> Page[Any]:
    had = packet.recipients.values_list("partnership_id", flat=True)
    rows = (
        working_partnerships().exclude(pk__in=list(had)) if packet.signed_at else Partnership.received.none()
    )
    return _page(rows.filter(upstream_name__icontains=entity).order_by("upstream_name", "pk"), at)


def _page(rows: Any, at: str | None) -> Page[Any]:
    return Paginator(rows, PAGE).get_page(at)
