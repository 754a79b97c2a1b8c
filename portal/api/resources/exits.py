"""Exits of both sides: PHI that is to be returned or destroyed, item by item."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.audit.events import Act
from accounts.clients.scopes import Reach, Scope
from accounts.errors import NotFound
from assessments.exits.models import Said
from assessments.exits.reading import Picture, Standing, note_reading, pictures_of, received_exits
from assessments.models import Exit
from portal.api.endpoints import Listing, Reading
from portal.api.query import Asked, Page
from portal.api.resources.fields import Moment, text
from portal.api.resources.sides import DOWNSTREAM, SIDES, UPSTREAM, SideFilter, find_on_either, page_of_both

TAG = "Exits"


class ExitShape(serializers.Serializer[Any]):
    """That PHI has to be returned or destroyed by `due_at`. `answered` and `accepted` of `items` are."""

    id = serializers.UUIDField(source="exit.pk", read_only=True)
    side = serializers.ChoiceField(source="exit.side", choices=SIDES, read_only=True)
    partnership = serializers.UUIDField(source="exit.partnership_id", allow_null=True, read_only=True)
    partner = serializers.SerializerMethodField()
    upstream = text("exit.upstream_name")
    downstream = text("exit.downstream_name")
    standing = serializers.ChoiceField(choices=[str(each) for each in Standing], read_only=True)
    items = serializers.SerializerMethodField()
    answered = serializers.IntegerField(read_only=True)
    accepted = serializers.IntegerField(read_only=True)
    certified = serializers.SerializerMethodField()
    began_at = Moment(source="exit.began_at")
    due_at = Moment(source="exit.due_at")
    closed_at = Moment(source="exit.closed_at", allow_null=True)

    def get_partner(self, picture: Picture) -> UUID | None:
        """The register is the upstream party's own."""
        return picture.exit.associate_id if picture.exit.side == UPSTREAM else None  # type: ignore[attr-defined] # sides gives it

    def get_items(self, picture: Picture) -> int:
        """How many."""
        return len(picture.lines)

    def get_certified(self, picture: Picture) -> bool:
        """Whether there is a certificate, from here or on paper."""
        return picture.certificate is not None or bool(picture.papers)


class ItemShape(serializers.Serializer[Any]):
    """One thing to be done, and what is said of it. `said` is empty until it is answered."""

    key = text("item.key")
    title = text("item.title")
    citation = text("item.citation")
    standing = serializers.ChoiceField(choices=[str(each) for each in Standing], read_only=True)
    said = serializers.SerializerMethodField()

    def get_said(self, line: Any) -> str:
        """A word, or nothing."""
        return str(Said(line.proof.said)) if line.proof else ""


class ExitDetailShape(ExitShape):
    """An exit with its checklist."""

    checklist = ItemShape(source="lines", many=True, read_only=True)


class ExitFilters(SideFilter):
    """What the list can be narrowed to."""

    closed = serializers.BooleanField(required=False, source="closed_at__isnull")

    def validate_closed(self, value: bool) -> bool:  # noqa: FBT001 (as DRF calls it)
        """Closed is to have a time of closing."""
        return not value


EXIT: dict[str, Any] = {
    "id": "019a7ca0-0100-7d3e-9b2a-1c4d5e6f7a24", "side": "upstream",
    "partnership": "019a7c22-0100-7d3e-9b2a-1c4d5e6f7a07", "partner": "019a7c20-0100-7d3e-9b2a-1c4d5e6f7a05",
    "upstream": "General Hospital", "downstream": "Northfield Billing", "standing": "waiting", "items": 7,
    "answered": 2, "accepted": 1, "certified": False, "began_at": "2026-03-01T06:00:00Z",
    "due_at": "2026-03-31T23:59:59Z", "closed_at": None,
}  # fmt: skip
ITEM = {
    "key": "access", "title": "Access is withdrawn", "citation": "164.308(a)(3)(ii)(C)", "standing": "accepted",
    "said": "done",
}  # fmt: skip


def _both() -> dict[str, QuerySet[Exit]]:
    return {UPSTREAM: Exit.objects.all(), DOWNSTREAM: received_exits()}


def _pictures(rows: list[Any]) -> list[Picture]:
    """All of them, whose readings stand in the other parties' logs."""
    found = pictures_of(rows)
    for picture in found:
        note_reading(picture)
    return found


class ExitList(Listing):
    """List exits, newest first: begun by the tenant (upstream) and with it (downstream).

    The other party's log says that it was read.
    """

    scope, operation, tag, act = Scope.EXITS_READ, "list_exits", TAG, Act.EXIT_LIST
    shape, filters, example = ExitShape, ExitFilters, EXIT

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (a narrowed client has no such scope)
        page = page_of_both(asked, _both())
        return Page(_pictures(page.rows), page.next)


class ExitDetail(Reading):
    """Read one exit with its checklist."""

    scope, operation, tag, act = Scope.EXITS_READ, "read_exit", TAG, Act.EXIT_READ
    shape, example = ExitDetailShape, {**EXIT, "checklist": [ITEM]}

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> Picture:  # noqa: ARG002 (as above)
        found = find_on_either(ids["exit_id"], _both())
        if found is None:
            raise NotFound("There is no such exit.")
        return _pictures([found])[0]
