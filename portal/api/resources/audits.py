"""The audit log, engagements of auditors, and packages of evidence."""

from __future__ import annotations

import json
from typing import Any, cast
from uuid import UUID

from django.http import StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from accounts.access import ApiRequest
from accounts.audit.events import Act, ActOutcome
from accounts.audit.search import Wanted, find_ids
from accounts.audit.shown import Line, Standing, check_entries
from accounts.clients.scopes import Reach, Scope
from accounts.errors import NotFound
from assessments.models import Engagement, Package
from assessments.packages import services as packages
from assessments.packages.models import PackageState
from assessments.packages.views import stream_package
from assessments.rule.model import SECURITY_RULE
from portal.api.endpoints import Acting, Doing, Endpoint, Listing, Reading, person_of
from portal.api.query import Asked, Page, cut, page_of
from portal.api.resources.fields import Moment, choice, text


class ActorShape(serializers.Serializer[Any]):
    """Who acted, and from which address."""

    kind = text()
    id = text()
    name = text()
    address = text(allow_blank=True)


class ObjectShape(serializers.Serializer[Any]):
    """What was acted on."""

    type = text(allow_blank=True)
    id = text(allow_blank=True)


class EntryShape(serializers.Serializer[Any]):
    """An entry of the audit log, checked as it is shown. `index` is its place in the sealed log, once it is sealed."""

    id = text()
    at = text()
    act = text()
    outcome = serializers.ChoiceField(choices=[str(each) for each in ActOutcome], read_only=True)
    actor = ActorShape(read_only=True)
    object = ObjectShape(read_only=True)
    request = text(allow_blank=True)
    details = serializers.DictField(read_only=True)
    standing = serializers.ChoiceField(choices=[str(each) for each in Standing], read_only=True)
    index = serializers.IntegerField(allow_null=True, read_only=True)

    def to_representation(self, line: Line) -> dict[str, Any]:
        """What the entry's own sealed words say; its row's columns only repeat them."""
        said = json.loads(bytes(line.entry.body))
        return super().to_representation({**said, "standing": line.standing, "index": line.index})


class EntryFilters(serializers.Serializer[Any]):
    """What is looked for. `until` is not within the range."""

    act = choice(*Act)
    outcome = choice(*ActOutcome)
    actor = serializers.CharField(max_length=64, required=False, help_text="The id of a person or a client.")
    object = serializers.CharField(max_length=256, required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)


class EngagementShape(serializers.Serializer[Any]):
    """An auditor's engagement. `citations` and `connections` are null where everything is in scope."""

    id = serializers.UUIDField(read_only=True)
    title = text()
    firm = text()
    framework = text()
    citations = serializers.ListField(child=serializers.CharField(), allow_null=True, read_only=True)
    connections = serializers.ListField(
        source="connection_ids", child=serializers.UUIDField(), allow_null=True, read_only=True
    )
    period_from = serializers.DateField(read_only=True)
    period_to = serializers.DateField(read_only=True)
    opens_at = Moment()
    closes_at = Moment()
    ended_at = Moment(allow_null=True)
    state = serializers.SerializerMethodField()

    def get_state(self, row: Engagement) -> str:
        """ended, over, open or not yet open."""
        return row.state(timezone.now())


class PackageShape(serializers.Serializer[Any]):
    """A package of evidence, sealed and signed. `sha256` and `bytes` are of the ZIP, once it is made."""

    id = serializers.UUIDField(read_only=True)
    engagement = serializers.UUIDField(source="engagement_id", allow_null=True, read_only=True)
    state = serializers.ChoiceField(choices=PackageState.choices, read_only=True)
    period_from = serializers.DateField(read_only=True)
    period_to = serializers.DateField(read_only=True)
    requested_at = Moment()
    ready_at = Moment(allow_null=True)
    keep_until = Moment(allow_null=True)
    sha256 = text(allow_blank=True)
    bytes = serializers.IntegerField(source="size", read_only=True)


class PackageFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    engagement = serializers.UUIDField(required=False)
    state = choice(*PackageState.values)


ENTRY: dict[str, Any] = {
    "id": "019a7c30-0100-7d3e-9b2a-1c4d5e6f7a08", "at": "2026-03-01T06:00:00.000000Z", "act": "evidence.read",
    "outcome": "done", "object": {"type": "snapshot", "id": "019a7c12-0a00-7e10-8d1b-9a6c4f2e7b03"},
    "actor": {"kind": "person", "id": "019a7c00-0100-7d3e-9b2a-1c4d5e6f7a09", "name": "ada@example.org",
              "address": "192.0.2.10"},
    "request": "019a7c30-00ff-7d3e-9b2a-1c4d5e6f7a10", "details": {}, "standing": "verified", "index": 4211,
}  # fmt: skip
ENGAGEMENT: dict[str, Any] = {
    "id": "019a7c40-0100-7d3e-9b2a-1c4d5e6f7a11", "title": "Security Rule examination 2026", "firm": "Audit LLP",
    "framework": "HIPAA Security Rule", "citations": None, "connections": None, "period_from": "2026-01-01",
    "period_to": "2026-06-30", "opens_at": "2026-07-01T00:00:00Z", "closes_at": "2026-09-01T00:00:00Z",
    "ended_at": None, "state": "not yet open",
}  # fmt: skip
PACKAGE: dict[str, Any] = {
    "id": "019a7c41-0100-7d3e-9b2a-1c4d5e6f7a12", "engagement": None, "state": "ready", "period_from": "2026-01-01",
    "period_to": "2026-06-30", "requested_at": "2026-07-01T09:00:00Z", "ready_at": "2026-07-01T09:01:10Z",
    "keep_until": "2026-07-31T09:01:10Z", "sha256": "9f86d081884c7d65" * 4, "bytes": 18423111,
}  # fmt: skip


class EntryList(Listing):
    """Search the audit log, newest first.

    Each entry's keyed digest and its place in the sealed log are checked as it is shown. Reading the log is an act that
    it holds as well.
    """

    scope, operation, tag = Scope.AUDIT_READ, "list_audit_entries", "Audit log"
    shape, filters, example = EntryShape, EntryFilters, ENTRY

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (a narrowed client has no such scope)
        given = dict(asked.values)
        wanted = Wanted(
            given.get("actor"), given.get("object", ""), Act(given["act"]) if "act" in given else None,
            ActOutcome(given["outcome"]) if "outcome" in given else None, given.get("since"), given.get("until"),
        )  # fmt: skip
        page = cut(
            find_ids(wanted, before=asked.last, limit=asked.limit + 1), asked, lambda entry_id: entry_id
        )
        return Page(list(check_entries(page.rows)), page.next)


class EngagementList(Listing):
    """List engagements of auditors, newest first."""

    scope, operation, tag = Scope.ENGAGEMENTS_READ, "list_engagements", "Audits"
    shape, example = EngagementShape, ENGAGEMENT

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (as above)
        return page_of(Engagement.objects.all(), asked)


class EngagementDetail(Reading):
    """Read one engagement."""

    scope, operation, tag = Scope.ENGAGEMENTS_READ, "read_engagement", "Audits"
    shape, example = EngagementShape, ENGAGEMENT

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> Engagement:  # noqa: ARG002 (as above)
        found: Engagement | None = Engagement.objects.filter(pk=ids["engagement_id"]).first()
        if found is None:
            raise NotFound("There is no such engagement.")
        return found


class PackageTakes(serializers.Serializer[Any]):
    """What a package is to hold. With `engagement` its safeguards, connections and period are taken."""

    engagement = serializers.UUIDField(required=False)
    period_from = serializers.DateField()
    period_to = serializers.DateField()
    citations = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(SECURITY_RULE)), min_length=1, max_length=100, required=False,
        help_text="Without it, the whole Rule.",
    )  # fmt: skip
    connections = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=500, required=False, help_text="Without it, all.",
    )  # fmt: skip
    withheld = serializers.ListField(
        child=serializers.CharField(max_length=300), max_length=50, required=False,
        help_text="Names of fields, or pointers in which * stands for any one name, whose values are withheld.",
    )  # fmt: skip
    withheld_reason = serializers.CharField(
        max_length=1000, required=False, help_text="The package tells its reader."
    )


class PackageCreate(Doing):
    """Ask for a package of evidence.

    Workers make it; `Location` says where to see how far it is. A member proves both factors again first.
    """

    scope, operation, tag, act, step_up = (
        Scope.PACKAGES_CREATE,
        "create_package",
        "Audits",
        Act.PACKAGE_CREATE,
        True,
    )
    takes, shape = PackageTakes, PackageShape
    example = {**PACKAGE, "state": "waiting", "ready_at": None, "keep_until": None, "sha256": "", "bytes": 0}

    def do(self, request: ApiRequest, given: dict[str, Any], **_ids: Any) -> tuple[Any, str]:
        wanted = packages.Wanted(
            given["period_from"], given["period_to"], given.get("engagement"), given.get("citations"),
            given.get("connections"), given.get("withheld", ()), given.get("withheld_reason", ""),
        )  # fmt: skip
        made = packages.request_package(wanted=wanted, person=person_of(request))
        return made, reverse("api-package", args=[made.pk])


class PackageContent(Endpoint):
    """Download a package that is ready.

    The ZIP, for who asked for it: a client gets what it, or another client of the same person's, asked for. A member
    proves both factors again first.
    """

    scope, operation, tag, act = Scope.PACKAGES_EXPORT, "download_package", "Audits", Act.PACKAGE_DOWNLOAD
    step_up, media = True, "application/zip"

    def get(self, request: Request, package_id: UUID) -> StreamingHttpResponse:
        self.asked(request)
        package, pieces = packages.open_ready(
            package_id=package_id, person=person_of(cast("ApiRequest", request._request))
        )
        return stream_package(package, pieces)


class PackageList(Acting, Listing):
    """List packages of evidence, newest first."""

    scope, operation, tag, act = Scope.PACKAGES_READ, "list_packages", "Audits", Act.PACKAGE_LIST
    shape, filters, example, doing = PackageShape, PackageFilters, PACKAGE, PackageCreate

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (as above)
        return page_of(Package.objects.filter(**asked.values), asked)


class PackageDetail(Reading):
    """Read how far a package is."""

    scope, operation, tag, act = Scope.PACKAGES_READ, "read_package", "Audits", Act.PACKAGE_READ
    shape, example = PackageShape, PACKAGE

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> Package:  # noqa: ARG002 (as above)
        found: Package | None = Package.objects.filter(pk=ids["package_id"]).first()
        if found is None:
            raise NotFound("There is no such package.")
        return found
