"""Notices of contingencies, workforce changes, incidents and breaches, of both sides."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.access import ApiRequest
from accounts.audit.events import Act
from accounts.clients.scopes import Reach, Scope
from accounts.errors import NotFound
from assessments.models import Acknowledgement, Notice, NoticeUpdate
from assessments.notices.kinds import Kind
from assessments.notices.receiving import acknowledge_notice, find_received
from portal.api.endpoints import Doing, Listing, Reading, person_of
from portal.api.query import Asked, Page
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

TAG = "Notices"


class NoticeShape(serializers.Serializer[Any]):
    """What one covered entity is told of. It acknowledges by `due_at`; `rule` says where that comes from."""

    id = serializers.UUIDField(read_only=True)
    side = side_field()
    partnership = serializers.UUIDField(source="partnership_id", read_only=True)
    kind = serializers.ChoiceField(choices=[str(each) for each in Kind], read_only=True)
    drill = serializers.BooleanField(read_only=True)
    title = text()
    details = text(allow_blank=True)
    sender = text("sender_name")
    recipient = text("recipient_name")
    individuals = serializers.IntegerField(allow_null=True, read_only=True)
    discovered_at = Moment()
    sent_at = Moment()
    due_at = Moment()
    rule = text()
    revision = serializers.IntegerField(read_only=True)
    closed_at = Moment(allow_null=True)
    acknowledged_at = Moment(allow_null=True)


class UpdateShape(serializers.Serializer[Any]):
    """What the sender added later."""

    number = serializers.IntegerField(read_only=True)
    text = text()
    closes = serializers.BooleanField(read_only=True)
    at = Moment()


class NoticeDetailShape(NoticeShape):
    """A notice with what was added to it."""

    updates = UpdateShape(source="added", many=True, read_only=True)


class NoticeFilters(SideFilter):
    """What the list can be narrowed to."""

    kind = choice(*Kind)
    drill = serializers.BooleanField(required=False)
    closed = serializers.BooleanField(required=False, source="closed_at__isnull")

    def validate_closed(self, value: bool) -> bool:  # noqa: FBT001 (as DRF calls it)
        """Closed is to have a time of closing."""
        return not value


class AcknowledgeTakes(serializers.Serializer[Any]):
    """A word to the sender. Never write PHI."""

    note = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


NOTICE: dict[str, Any] = {
    "id": "019a7c80-0100-7d3e-9b2a-1c4d5e6f7a22", "side": "upstream",
    "partnership": "019a7c22-0100-7d3e-9b2a-1c4d5e6f7a07", "kind": "contingency", "drill": False,
    "title": "The data centre has no power", "details": "", "sender": "Northfield Billing",
    "recipient": "General Hospital", "individuals": None, "discovered_at": "2026-03-01T06:00:00Z",
    "sent_at": "2026-03-01T06:10:00Z", "due_at": "2026-03-02T06:00:00Z", "rule": "24 hours by the agreement",
    "revision": 1, "closed_at": None, "acknowledged_at": None,
}  # fmt: skip


def _notices() -> dict[str, QuerySet[Notice]]:
    return {DOWNSTREAM: Notice.objects.all(), UPSTREAM: Notice.received.all()}


def _with_answers(rows: list[Any]) -> list[Any]:
    """The notices with the times of their acknowledgements, whose readings stand in the logs of those who gave them."""
    keys = [row.pk for row in rows]
    answers = [
        *Acknowledgement.objects.filter(notice_id__in=keys),
        *Acknowledgement.received.filter(notice_id__in=keys),
    ]
    parties = {row.pk: row.viewer_id for row in rows}
    said = {each.notice_id: each.at for each in answers if each.tenant_id == parties[each.notice_id]}
    for row in rows:
        row.acknowledged_at = said.get(row.pk)
    tell_owners(
        [*rows, *(each for each in answers if each.notice_id in said)], Act.NOTICE_LIST, "page", "notices"
    )
    return rows


def _find(notice_id: UUID) -> Notice:
    found = find_on_either(notice_id, _notices())
    if found is None:
        raise NotFound("There is no such notice.")
    updates = NoticeUpdate.objects if found.side == DOWNSTREAM else NoticeUpdate.received
    found.added = list(updates.filter(notice_id=found.pk).order_by("number"))
    row: Notice = _with_answers([found])[0]
    return row


class NoticeList(Listing):
    """List notices, newest first: sent by the tenant (downstream) and to it (upstream).

    The log of whoever shows one says that it was read.
    """

    scope, operation, tag, act = Scope.NOTICES_READ, "list_notices", TAG, Act.NOTICE_LIST
    shape, filters, example = NoticeShape, NoticeFilters, NOTICE

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (a narrowed client has no such scope)
        page = page_of_both(asked, _notices())
        return Page(_with_answers(page.rows), page.next)


class NoticeDetail(Reading):
    """Read one notice with what was added to it."""

    scope, operation, tag, act = Scope.NOTICES_READ, "read_notice", TAG, Act.NOTICE_READ
    shape, example = NoticeDetailShape, {**NOTICE, "updates": []}

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> Notice:  # noqa: ARG002 (as above)
        return _find(ids["notice_id"])


class NoticeAcknowledge(Doing):
    """Acknowledge a notice that was received.

    The sender sees it, with the time. Once; 409 where somebody did so before.
    """

    scope, operation, tag, act = Scope.NOTICES_ACKNOWLEDGE, "acknowledge_notice", TAG, Act.NOTICE_ACKNOWLEDGE
    takes, shape, status = AcknowledgeTakes, NoticeShape, 200
    example = {**NOTICE, "acknowledged_at": "2026-03-01T06:12:00Z"}

    def look(self, request: ApiRequest, **ids: UUID) -> None:  # noqa: ARG002 (as above)
        find_received(notice_id=ids["notice_id"])

    def do(self, request: ApiRequest, given: dict[str, Any], **ids: UUID) -> tuple[Any, str]:
        acknowledge_notice(notice_id=ids["notice_id"], note=given["note"], by=person_of(request))
        return _find(ids["notice_id"]), ""
