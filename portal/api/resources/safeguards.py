"""Standards and implementation specifications of the Security Rule with their statuses."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from rest_framework import serializers

from accounts.clients.scopes import Reach, Scope
from accounts.errors import NotFound
from assessments.posture import CheckTally, SafeguardFilter, SafeguardState, read_safeguards, read_state
from assessments.rule.model import SECURITY_RULE, Designation, Family
from assessments.status import Status
from portal.api.endpoints import Listing, Reading
from portal.api.query import Asked, Page
from portal.api.resources.fields import Moment, choice, text


class CheckTallyShape(serializers.Serializer[Any]):
    """How one check came out over all resources."""

    id = text()
    title = text()
    severity = text()
    failed = serializers.IntegerField()
    unknown = serializers.IntegerField()
    passed = serializers.IntegerField()
    not_applicable = serializers.IntegerField()

    def to_representation(self, entry: CheckTally) -> dict[str, Any]:
        """By hand: a safeguard can have dozens, whose fields one by one cost as much as the rest of its status."""
        tally = entry.tally
        return {
            "id": tally.check_id, "title": entry.title, "severity": str(entry.severity), "failed": tally.failed,
            "unknown": tally.unknown, "passed": tally.passed, "not_applicable": tally.not_applicable,
        }  # fmt: skip


class SafeguardShape(serializers.Serializer[Any]):
    """A safeguard and what the evidence says of it. `decided` of `total` outcomes were seen."""

    citation = text("safeguard.citation")
    title = text("safeguard.title")
    section = text("safeguard.family.section")
    designation = serializers.ChoiceField(
        source="safeguard.designation",
        choices=[str(each) for each in Designation],
        allow_null=True,
        read_only=True,
    )
    status = serializers.ChoiceField(choices=[str(each) for each in Status], read_only=True)
    why = text()
    needs = serializers.ListField(child=serializers.CharField(), read_only=True)
    checks = CheckTallyShape(many=True, read_only=True)
    decided = serializers.IntegerField(read_only=True)
    total = serializers.IntegerField(read_only=True)
    since = Moment(allow_null=True)


class AsOf(serializers.Serializer[Any]):
    """On which day."""

    as_of = serializers.DateField(
        required=False, help_text="As it stood at the end of that day (UTC); without it, as it stands now."
    )


class SafeguardFilters(AsOf):
    """What the list can be narrowed to."""

    section = choice(*(family.section for family in Family))
    status = choice(*Status)
    designation = choice(*Designation)


EXAMPLE: dict[str, Any] = {
    "citation": "164.312(b)", "title": "Audit controls", "section": "164.312", "designation": "required",
    "status": "not_satisfied", "why": "1 of 4 checks fails.", "needs": ["aws"],
    "checks": [{"id": "cloudtrail_management_events", "title": "CloudTrail records management events",
                "severity": "high", "failed": 1, "unknown": 0, "passed": 3, "not_applicable": 0}],
    "decided": 4, "total": 4, "since": "2026-03-01T06:00:00Z",
}  # fmt: skip


def _at(asked: Asked) -> datetime | None:
    day = asked.values.get("as_of")
    return _end_of(day) if day else None


def _end_of(day: Any) -> datetime:
    return datetime.combine(day, time.max, UTC) + timedelta(0)


class SafeguardList(Listing):
    """List safeguards with their statuses.

    All of the Rule that the client may see, in its order, on one page. Silence is never a pass: what nothing was seen
    of is `undetermined`.
    """

    scope, operation, tag = Scope.SAFEGUARDS_READ, "list_safeguards", "Safeguards"
    shape, filters, example, paged = SafeguardShape, SafeguardFilters, EXAMPLE, True

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:
        wanted = {name: value for name, value in asked.values.items() if name != "as_of"}
        admits = SafeguardFilter(**wanted).admits
        mine = (each for each in read_safeguards(_at(asked)) if reach.has_safeguard(each.safeguard.citation))
        return Page([each for each in mine if admits(each)], None)


class SafeguardDetail(Reading):
    """Read one safeguard with its status."""

    scope, operation, tag = Scope.SAFEGUARDS_READ, "read_safeguard", "Safeguards"
    shape, filters, example = SafeguardShape, AsOf, EXAMPLE

    def read(self, reach: Reach, asked: Asked, **ids: Any) -> SafeguardState:
        citation = str(ids["citation"])
        if citation not in SECURITY_RULE or not reach.has_safeguard(citation):
            raise NotFound(
                "The Security Rule has no such standard or specification, or it isn't this client's to see."
            )
        return read_state(citation, _at(asked))
