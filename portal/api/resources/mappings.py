"""Saved mappings, which say what a CSV's or a plain JSON document's fields mean."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.audit.events import Act
from accounts.clients.scopes import Reach, Scope
from evidence.models import SubmissionMapping
from portal.api.endpoints import Listing
from portal.api.query import Asked, Page, page_of
from portal.api.resources.fields import Moment, text


class MappingShape(serializers.Serializer[Any]):
    """One version of a mapping. Name its `id` when you send a document; a retired one can't be named."""

    id = serializers.UUIDField(read_only=True)
    name = text()
    version = serializers.IntegerField(read_only=True)
    description = text()
    content = serializers.DictField(read_only=True)
    created_at = Moment()
    retired_at = Moment(allow_null=True)


class MappingFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    name = serializers.CharField(max_length=100, required=False)
    retired = serializers.BooleanField(required=False, help_text="false: those that can be named alone.")


EXAMPLE: dict[str, Any] = {
    "id": "019a7c15-6a00-7b1d-8e44-2f6b7c8d9e01", "name": "backup-report", "version": 2,
    "description": "The backup tool's nightly CSV",
    "content": {"check": "rule", "resource": "host", "result": "state", "results": {"ok": "PASS", "bad": "FAIL"}},
    "created_at": "2026-02-11T09:20:00Z", "retired_at": None,
}  # fmt: skip


class MappingList(Listing):
    """List saved mappings, newest first."""

    scope, operation, tag = Scope.SUBMISSIONS_READ, "list_mappings", "Submissions"
    shape, filters, example = MappingShape, MappingFilters, EXAMPLE
    act = Act.MAPPING_READ

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:  # noqa: ARG002 (they hold nothing of accounts)
        given = dict(asked.values)
        if "retired" in given:
            given["retired_at__isnull"] = not given.pop("retired")
        return page_of(SubmissionMapping.objects.filter(**given), asked)
