"""Partnerships, what is shared within them, the chain below, and the calendar of duties."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.shared import tell_sharer
from accounts.clients.scopes import PERMISSIONS, Reach, Scope
from accounts.errors import InvalidInput
from accounts.permissions import Permission
from assessments.chain.models import ChainNode
from assessments.chain.received import living_partnerships, received_nodes
from assessments.chain.words import Break, LinkAgreement, Service
from assessments.duties.parts import PARTS
from assessments.duties.reading import Doing, Line, Wanted, list_duties, tell_sharers
from assessments.duties.types import Side
from assessments.models import Partnership, SharedPosture
from assessments.sharing.levels import Level
from assessments.sharing.reading import open_shared
from portal.api.endpoints import Listing, Reading
from portal.api.query import Asked, Page, cut, page_of
from portal.api.resources.fields import Moment, choice, text
from portal.api.resources.sides import DOWNSTREAM, SIDES, UPSTREAM, page_of_both, side_field, tell_owners

TAG = "Partners"


class PartnershipShape(serializers.Serializer[Any]):
    """That one tenant works for another. `partner` is the upstream party's entry in its register, null on the other."""

    id = serializers.UUIDField(read_only=True)
    side = side_field()
    upstream = text("upstream_name")
    downstream = text("downstream_name")
    partner = serializers.SerializerMethodField()
    began_at = Moment()
    ended_at = Moment(source="withdrawn_at", allow_null=True)

    def get_partner(self, row: Any) -> UUID | None:
        """The register is the upstream party's own."""
        return row.associate_id if row.side == UPSTREAM else None


class PartnershipFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    side = choice(*SIDES)


class PostureShape(serializers.Serializer[Any]):
    """What a business associate shows to the tenant by a grant, counted. `id` is the grant's."""

    id = serializers.UUIDField(source="grant_id", read_only=True)
    partnership = serializers.UUIDField(source="partnership_id", read_only=True)
    downstream = text("downstream_name")
    level = serializers.ChoiceField(choices=Level.choices, read_only=True)
    evidenced = serializers.IntegerField(read_only=True)
    gaps = serializers.IntegerField(read_only=True)
    required_gaps = serializers.IntegerField(read_only=True)
    undetermined = serializers.IntegerField(read_only=True)
    not_evidenced = serializers.IntegerField(read_only=True)
    oldest_evidence_at = Moment(allow_null=True)
    as_of = Moment()
    published_at = Moment()


class PostureDetailShape(PostureShape):
    """All that the grant shows. `findings` are empty below level 3, `evidence` below 4."""

    safeguards = serializers.ListField(source="statuses", child=serializers.DictField(), read_only=True)
    findings = serializers.ListField(child=serializers.DictField(), read_only=True)
    evidence = serializers.ListField(child=serializers.DictField(), read_only=True)


class PartnershipFilter(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    partnership = serializers.UUIDField(source="partnership_id", required=False)


class NodeShape(serializers.Serializer[Any]):
    """A subcontractor below a business associate, as it is told of. `path` leads there by pseudonyms, its own last."""

    id = serializers.UUIDField(read_only=True)
    partnership = serializers.UUIDField(source="partnership_id", read_only=True)
    pseudonym = text()
    name = text(allow_blank=True)
    depth = serializers.IntegerField(read_only=True)
    path = serializers.ListField(child=serializers.CharField(), read_only=True)
    service = serializers.ChoiceField(choices=[str(each) for each in Service], read_only=True)
    agreement = serializers.ChoiceField(
        source="agreement_state", choices=[str(each) for each in LinkAgreement], read_only=True
    )
    broken = serializers.ListField(
        child=serializers.ChoiceField(choices=[str(each) for each in Break]), read_only=True
    )
    verified_at = Moment(allow_null=True)
    changed_at = Moment()


class DutyShape(serializers.Serializer[Any]):
    """Something that is due, and what made it so. With `whole_day` it is due when that UTC day ends."""

    at = Moment(source="duty.at")
    part = text("part.slug")
    title = text("duty.title")
    why = text("duty.why")
    url = text("duty.url")
    done = serializers.BooleanField(source="duty.done", read_only=True)
    side = serializers.ChoiceField(source="duty.side", choices=[str(each) for each in Side], read_only=True)
    whole_day = serializers.BooleanField(source="duty.whole_day", read_only=True)


class DutyFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to. `until` is not within the period."""

    part = choice(*(part.slug for part in PARTS))
    side = choice(*Side)
    done = serializers.BooleanField(required=False)
    since = serializers.DateTimeField(required=False, help_text="Now unless given.")
    until = serializers.DateTimeField(required=False, help_text="90 days after `since` unless given.")


PARTNERSHIP: dict[str, Any] = {
    "id": "019a7c22-0100-7d3e-9b2a-1c4d5e6f7a07", "side": "upstream", "upstream": "General Hospital",
    "downstream": "Northfield Billing", "partner": "019a7c20-0100-7d3e-9b2a-1c4d5e6f7a05",
    "began_at": "2026-01-15T09:00:00Z", "ended_at": None,
}  # fmt: skip
POSTURE: dict[str, Any] = {
    "id": "019a7c21-0100-7d3e-9b2a-1c4d5e6f7a06", "partnership": PARTNERSHIP["id"], "downstream": "Northfield Billing",
    "level": 1, "evidenced": 9, "gaps": 1, "required_gaps": 1, "undetermined": 4, "not_evidenced": 61,
    "oldest_evidence_at": None, "as_of": "2026-03-01T06:00:00Z", "published_at": "2026-03-01T06:00:00Z",
}  # fmt: skip
NODE: dict[str, Any] = {
    "id": "019a7c23-0100-7d3e-9b2a-1c4d5e6f7a19", "partnership": PARTNERSHIP["id"],
    "pseudonym": "Subcontractor K7QM2D", "name": "", "depth": 1, "path": ["Subcontractor K7QM2D"],
    "service": "hosting", "agreement": "in_force", "broken": [], "verified_at": "2026-01-20T00:00:00Z",
    "changed_at": "2026-02-01T10:00:00Z",
}  # fmt: skip
DUTY: dict[str, Any] = {
    "at": "2026-12-31T00:00:00Z", "part": "agreements", "title": "The agreement with Northfield Billing ends",
    "why": "Its own term", "url": "/agreements/019a7c60-0100-7d3e-9b2a-1c4d5e6f7a16/", "done": False,
    "side": "upstream", "whole_day": True,
}  # fmt: skip
LOOKS_AHEAD, LONGEST, MOST_DUTIES = timedelta(days=90), timedelta(days=731), 2000
FIRST_YEAR, LAST_YEAR = 2000, 2100


class PartnershipList(Listing):
    """List partnerships, newest first: those above the tenant and those below."""

    scope, operation, tag, act = Scope.PARTNERS_READ, "list_partnerships", TAG, Act.PARTNERSHIP_LIST
    shape, filters, example = PartnershipShape, PartnershipFilters, PARTNERSHIP

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (a narrowed client has no such scope)
        page = page_of_both(
            asked, {UPSTREAM: Partnership.objects.all(), DOWNSTREAM: Partnership.received.all()}
        )
        tell_owners(page.rows, Act.PARTNERSHIP_LIST, "page", "partnerships")
        return page


def _shown_postures() -> QuerySet[SharedPosture]:
    """What is shown within partnerships that stand."""
    standing = Partnership.objects.filter(withdrawn_at=None).values("pk")
    rows: QuerySet[SharedPosture] = SharedPosture.received.filter(partnership_id__in=standing)
    return rows


class PostureList(Listing):
    """List the postures that business associates show to the tenant, newest first.

    The log of each of them says that it was read.
    """

    scope, operation, tag, act = Scope.POSTURES_READ, "list_shared_postures", TAG, Act.SHARED_POSTURE_READ
    shape, filters, example = PostureShape, PartnershipFilter, POSTURE

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (as above)
        page = page_of(_shown_postures().filter(**asked.values), asked)
        tell_owners(page.rows, Act.SHARED_POSTURE_READ, "page", "shared-postures")
        return page


class PostureDetail(Reading):
    """Read what a business associate shows by a grant.

    Its log says that it was read.
    """

    scope, operation, tag, act = Scope.POSTURES_READ, "read_shared_posture", TAG, Act.SHARED_POSTURE_READ
    shape = PostureDetailShape
    example = {
        **POSTURE, "safeguards": [{"citation": "164.312(b)", "status": "not_satisfied"}], "findings": [],
        "evidence": [],
    }  # fmt: skip

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> SharedPosture:  # noqa: ARG002 (as above)
        return open_shared(ids["grant_id"])


class NodeList(Listing):
    """List subcontractors below the tenant's business associates, newest first.

    Each is told by the business associate's side, under a pseudonym until all on the way agreed to its name.
    """

    scope, operation, tag, act = Scope.CHAIN_READ, "list_chain", TAG, Act.CHAIN_READ
    shape, filters, example = NodeShape, PartnershipFilter, NODE

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (as above)
        wanted = asked.values.get("partnership_id")
        living = {key: each for key, each in living_partnerships().items() if wanted in {None, key}}
        nodes = sorted(received_nodes(living), key=lambda node: node.pk, reverse=True)
        last = asked.last
        return _told(cut([node for node in nodes if last is None or node.pk < last], asked, _id), living)


def _id(node: ChainNode) -> UUID:
    return node.pk


def _told(page: Page, living: dict[UUID, Partnership]) -> Page:
    for partnership_id in {node.partnership_id for node in page.rows}:
        each = living[partnership_id]
        tell_sharer(
            each.viewer_id, Act.CHAIN_READ, reader=each.upstream_name, object_type="partnership", object_id=each.pk
        )  # fmt: skip
    return page


class DutyList(Listing):
    """List duties by time: what is due in a period, from every part of the calendar.

    All of them on one page; ask for a shorter period where there are more than 2000. A client sees the clocks of
    agreements, verifications, notices, questionnaires, sharing, partnerships and exits; a member those that the role
    may see.
    """

    scope, operation, tag, act = Scope.DUTIES_READ, "list_duties", "Calendar", Act.CALENDAR_READ
    shape, filters, example = DutyShape, DutyFilters, DUTY

    def get(self, request: Request, **ids: Any) -> Response:  # noqa: ARG002 (as every listing)
        asked, plain = self.asked(request), request._request
        lines = list(_duties(asked, getattr(plain, "may", _as_client)))
        if len(lines) > MOST_DUTIES:
            raise InvalidInput(f"More than {MOST_DUTIES} duties are in this period. Ask for a shorter one.")
        tell_sharers(lines, plain.tenant.name)  # type: ignore[attr-defined] # the middleware sets it
        record(Act.CALENDAR_READ, object_type="page", object_id="calendar", shown=len(lines))
        return Response({"data": self.shown(lines, asked), "next": None})


def _as_client(permission: Permission) -> bool:
    return permission is PERMISSIONS[Scope.DUTIES_READ]


def _duties(asked: Asked, may: Any) -> Iterator[Line]:
    given = asked.values
    since: datetime = given.get("since", timezone.now())
    if not FIRST_YEAR <= since.year <= LAST_YEAR:
        raise InvalidInput(f"The calendar has the years {FIRST_YEAR} to {LAST_YEAR}.")
    until: datetime = given.get("until", since + LOOKS_AHEAD)
    if not timedelta(0) < until - since <= LONGEST:
        raise InvalidInput("Ask for a period that begins before it ends, of two years at most.")
    doing = {None: Doing.ALL, True: Doing.DONE, False: Doing.OPEN}[given.get("done")]
    yield from list_duties(since, until, may, Wanted(given.get("part", ""), given.get("side", ""), doing))
