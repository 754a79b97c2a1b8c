"""Questionnaires of both sides: how each stands. Questions and answers stay with people."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import serializers

from accounts.audit.events import Act
from accounts.clients.scopes import Reach, Scope
from accounts.errors import NotFound
from assessments.models import Partnership, Questionnaire
from assessments.questionnaires.states import State, received_with_state, sent_with_state
from portal.api.endpoints import Listing, Reading
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

TAG = "Questionnaires"


class QuestionnaireShape(serializers.Serializer[Any]):
    """What a covered entity asks of a business associate. `partner` is its register entry, null on the other side."""

    id = serializers.UUIDField(read_only=True)
    side = side_field()
    partnership = serializers.UUIDField(source="partnership_id", allow_null=True, read_only=True)
    partner = serializers.SerializerMethodField()
    title = text()
    year = serializers.IntegerField(read_only=True)
    upstream = text("upstream_name")
    downstream = text("downstream_name")
    state = serializers.ChoiceField(choices=[str(each) for each in State], read_only=True)
    round = serializers.IntegerField(read_only=True)
    sent_at = Moment()
    due_on = serializers.DateField(read_only=True)
    accepted_at = Moment(allow_null=True)

    def get_partner(self, row: Any) -> UUID | None:
        """The register is the upstream party's own."""
        return row.associate_id if row.side == UPSTREAM else None


class QuestionnaireFilters(SideFilter):
    """What the list can be narrowed to."""

    state = choice(*State)
    year = serializers.IntegerField(min_value=2000, max_value=2100, required=False)


QUESTIONNAIRE: dict[str, Any] = {
    "id": "019a7c90-0100-7d3e-9b2a-1c4d5e6f7a23", "side": "upstream",
    "partnership": "019a7c22-0100-7d3e-9b2a-1c4d5e6f7a07", "partner": "019a7c20-0100-7d3e-9b2a-1c4d5e6f7a05",
    "title": "Security Rule, yearly", "year": 2026, "upstream": "General Hospital", "downstream": "Northfield Billing",
    "state": "sent", "round": 1, "sent_at": "2026-03-01T06:00:00Z", "due_on": "2026-04-01", "accepted_at": None,
}  # fmt: skip


def _both() -> dict[str, QuerySet[Questionnaire]]:
    today = timezone.now().date()
    standing = Partnership.received.filter(withdrawn_at=None).values("pk")
    return {
        UPSTREAM: sent_with_state(today),
        DOWNSTREAM: received_with_state(today).filter(partnership_id__in=standing),
    }


class QuestionnaireList(Listing):
    """List questionnaires, newest first: sent by the tenant (upstream) and to it (downstream).

    The log of whoever asks says that it was read.
    """

    scope, operation, tag = Scope.QUESTIONNAIRES_READ, "list_questionnaires", TAG
    act, shape, filters, example = (
        Act.QUESTIONNAIRE_LIST,
        QuestionnaireShape,
        QuestionnaireFilters,
        QUESTIONNAIRE,
    )

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (a narrowed client has no such scope)
        page = page_of_both(asked, _both())
        tell_owners(page.rows, Act.QUESTIONNAIRE_LIST, "page", "questionnaires")
        return page


class QuestionnaireDetail(Reading):
    """Read how one questionnaire stands."""

    scope, operation, tag = Scope.QUESTIONNAIRES_READ, "read_questionnaire", TAG
    act, shape, example = Act.QUESTIONNAIRE_READ, QuestionnaireShape, QUESTIONNAIRE

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> Questionnaire:  # noqa: ARG002 (as above)
        found: Questionnaire | None = find_on_either(ids["questionnaire_id"], _both())
        if found is None:
            raise NotFound("There is no such questionnaire.")
        tell_owners([found], Act.QUESTIONNAIRE_READ, "questionnaire")
        return found
