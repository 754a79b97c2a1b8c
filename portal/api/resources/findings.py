"""What checks found."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.clients.scopes import Reach, Scope
from accounts.errors import NotFound
from assessments.checks.base import Outcome, Severity, checks
from assessments.models import Finding
from assessments.posture import title_of
from assessments.worklist import FindingFilter
from portal.api.endpoints import Listing, Reading
from portal.api.query import Asked, Page, page_of
from portal.api.resources.fields import Moment, choice, text


class FindingShape(serializers.Serializer[Any]):
    """One check's outcome for one resource, as it stands. `gone_at`: a complete listing has the resource no more."""

    id = serializers.UUIDField(read_only=True)
    connection = serializers.UUIDField(source="connection_id", read_only=True)
    check = text("check_id")
    title = serializers.SerializerMethodField()
    citations = serializers.SerializerMethodField()
    severity = serializers.ChoiceField(choices=[str(each) for each in Severity], read_only=True)
    outcome = serializers.ChoiceField(choices=[str(each) for each in Outcome], read_only=True)
    resource = text("resource_arn")
    resource_name = text()
    region = text()
    observed = text()
    missing_action = text(help_text="The IAM action that kept us from seeing, where that is known.")
    first_seen_at = Moment()
    since = Moment()
    gone_at = Moment(allow_null=True)

    def get_title(self, row: Finding) -> str:
        """The check's title."""
        return title_of(row.check_id)

    def get_citations(self, row: Finding) -> list[str]:
        """The safeguards that the check supports."""
        return list(checks()[row.check_id].supports) if row.check_id in checks() else []


class FindingFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    outcome = choice(*Outcome)
    severity = choice(*Severity)
    region = serializers.CharField(max_length=32, required=False)
    connection = serializers.UUIDField(required=False)
    check = serializers.CharField(max_length=100, required=False)
    citation = serializers.CharField(
        max_length=64, required=False, help_text="A safeguard that the check supports."
    )
    gone = serializers.BooleanField(required=False, help_text="true: those whose resource is gone, instead.")


EXAMPLE: dict[str, Any] = {
    "id": "019a7c11-6f00-7a53-9d0c-3c8f1c2f6d01", "connection": "019a7c10-1f00-7c2e-8f2a-5b1e7d9a4c02",
    "check": "s3_bucket_encrypted", "title": "S3 buckets are encrypted", "citations": ["164.312(a)(2)(iv)"],
    "severity": "high", "outcome": "FAIL", "resource": "arn:aws:s3:::images", "resource_name": "images",
    "region": "us-east-1", "observed": "The bucket has no default encryption.", "missing_action": "",
    "first_seen_at": "2026-03-01T06:00:00Z", "since": "2026-03-01T06:00:00Z", "gone_at": None,
}  # fmt: skip


def within(reach: Reach) -> QuerySet[Finding]:
    """The findings that a caller may see."""
    rows: QuerySet[Finding] = Finding.objects.all()
    if reach.connections:
        rows = rows.filter(connection__in=reach.connections)
    if reach.safeguards:
        rows = rows.filter(
            check_id__in=[each.id for each in checks().values() if reach.safeguards & set(each.supports)]
        )
    return rows


class FindingList(Listing):
    """List findings, newest first.

    Those whose resource is still there, unless `gone` is asked for.
    """

    scope, operation, tag = Scope.FINDINGS_READ, "list_findings", "Findings"
    shape, filters, example = FindingShape, FindingFilters, EXAMPLE

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:
        given = dict(asked.values)
        rows = within(reach).filter(gone_at__isnull=not given.pop("gone", False))
        exact = {name: given.pop(name) for name in ("outcome",) if name in given}
        if "check" in given:
            exact["check_id"] = given.pop("check")
        return page_of(FindingFilter(**given).apply(rows.filter(**exact)), asked)


class FindingDetail(Reading):
    """Read one finding."""

    scope, operation, tag = Scope.FINDINGS_READ, "read_finding", "Findings"
    shape, example = FindingShape, EXAMPLE

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> Finding:  # noqa: ARG002 (as every reading)
        found: Finding | None = within(reach).filter(pk=ids["finding_id"]).first()
        if found is None:
            raise NotFound("There is no such finding.")
        return found
