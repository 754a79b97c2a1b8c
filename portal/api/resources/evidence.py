"""Sealed evidence: what AWS answered, where it came from, and the bytes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from accounts.audit.events import Act
from accounts.clients.scopes import Reach, Scope
from accounts.errors import NotFound
from assessments.checks.base import checks
from evidence import services
from evidence.models import Snapshot
from portal.api.endpoints import Endpoint, Listing, Reading, reach_of
from portal.api.query import Asked, Page, page_of
from portal.api.resources.fields import Moment, text


class EvidenceShape(serializers.Serializer[Any]):
    """A sealed answer of one collector in one region. `sha256` is of the bytes as they were collected."""

    id = serializers.UUIDField(read_only=True)
    connection = serializers.UUIDField(source="connection_id", read_only=True)
    run = serializers.UUIDField(source="run_id", read_only=True)
    aws_account_id = text()
    collector = text()
    collector_version = serializers.IntegerField(read_only=True)
    region = text()
    gaps = serializers.IntegerField(source="gap_count", read_only=True, help_text="Calls without an answer.")
    sha256 = text("blob.digest")
    bytes = serializers.IntegerField(source="blob.size", read_only=True)
    media_type = text("blob.media_type")
    collected_at = Moment()
    sealed_at = Moment()


class EvidenceFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    collector = serializers.CharField(max_length=32, required=False)
    region = serializers.CharField(max_length=32, required=False)
    connection = serializers.UUIDField(required=False)
    collected_from = serializers.DateTimeField(required=False)
    collected_before = serializers.DateTimeField(required=False)


EXAMPLE: dict[str, Any] = {
    "id": "019a7c12-0a00-7e10-8d1b-9a6c4f2e7b03", "connection": "019a7c10-1f00-7c2e-8f2a-5b1e7d9a4c02",
    "run": "019a7c11-0100-7b44-a3d2-6e5f8c1b9d04", "aws_account_id": "111122223333", "collector": "s3",
    "collector_version": 1, "region": "global", "gaps": 0, "sha256": "9f86d081884c7d65" * 4, "bytes": 48211,
    "media_type": "application/json", "collected_at": "2026-03-01T06:00:04Z", "sealed_at": "2026-03-01T06:00:04Z",
}  # fmt: skip


def within(reach: Reach) -> QuerySet[Snapshot]:
    """The evidence that a caller may see: of its connections, and of collectors that its safeguards' checks read."""
    rows: QuerySet[Snapshot] = Snapshot.objects.select_related("blob")
    if reach.connections:
        rows = rows.filter(connection__in=reach.connections)
    if reach.safeguards:
        needed = (each.collectors for each in checks().values() if reach.safeguards & set(each.supports))
        rows = rows.filter(collector__in={name for names in needed for name in names})
    return rows


def find(reach: Reach, snapshot_id: UUID) -> Snapshot:
    """One piece. Raises NotFound."""
    found: Snapshot | None = within(reach).filter(pk=snapshot_id).first()
    if found is None:
        raise NotFound("There is no such evidence.")
    return found


class EvidenceList(Listing):
    """List evidence, newest first.

    An answer that didn't change is the same piece, seen again.
    """

    scope, operation, tag, act = Scope.EVIDENCE_READ, "list_evidence", "Evidence", Act.EVIDENCE_LIST
    shape, filters, example = EvidenceShape, EvidenceFilters, EXAMPLE

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:
        lookups = {"collected_from": "collected_at__gte", "collected_before": "collected_at__lt"}
        given = {lookups.get(name, name): value for name, value in asked.values.items()}
        return page_of(within(reach).filter(**given), asked)


class EvidenceDetail(Reading):
    """Read where a piece of evidence came from."""

    scope, operation, tag = Scope.EVIDENCE_READ, "read_evidence", "Evidence"
    shape, example = EvidenceShape, EXAMPLE

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> Snapshot:  # noqa: ARG002 (as every reading)
        return find(reach, ids["snapshot_id"])


class EvidenceContent(Endpoint):
    """Download a piece of evidence.

    The sealed bytes as they are, after both digests were checked. A member proves both factors again first.
    """

    scope, operation, tag, step_up = Scope.EVIDENCE_EXPORT, "download_evidence", "Evidence", True

    def get(self, request: Request, snapshot_id: UUID) -> HttpResponse:
        self.asked(request)
        find(reach_of(request), snapshot_id)
        opened = services.open_snapshot(snapshot_id=snapshot_id, act=Act.EVIDENCE_EXPORT)
        headers = {"Content-Disposition": f'attachment; filename="{opened.snapshot.blob.digest[:12]}.json"'}
        return HttpResponse(opened.raw, content_type=opened.snapshot.blob.media_type, headers=headers)
