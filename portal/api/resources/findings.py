"""What checks found."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, OuterRef, QuerySet, Subquery
from rest_framework import serializers

from accounts.clients.scopes import Reach, Scope
from accounts.errors import NotFound
from assessments.checks.base import Outcome, Severity, checks
from assessments.models import Finding, SubmittedCheck
from assessments.posture import title_of
from assessments.submitted.reading import supporting
from assessments.worklist import FindingFilter
from portal.api.endpoints import Listing, Reading
from portal.api.query import Asked, Page, page_of
from portal.api.resources.fields import Moment, choice, text


class FindingShape(serializers.Serializer[Any]):
    """One check's outcome for one resource, as it stands. `gone_at`: a complete listing has the resource no more.

    `source` is empty for a check of the portal's own. A finding of another tool's document has the tool's name there,
    the newest `submission` that told of it, and the time at which the tool saw it (`seen_at`).
    """

    id = serializers.UUIDField(read_only=True)
    source = text(  # type: ignore[assignment]  # the metaclass takes fields away
        help_text="Whose check it is: `prowler`. Empty: the portal's own."
    )
    connection = serializers.UUIDField(source="connection_id", read_only=True, allow_null=True)
    submission = serializers.UUIDField(source="submission_id", read_only=True, allow_null=True)
    seen_at = Moment(allow_null=True)
    muted = serializers.BooleanField(read_only=True, help_text="Whether the tool itself suppresses it.")
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
        return getattr(row, "tool_title", None) or title_of(row.check_id)

    def get_citations(self, row: Finding) -> list[str]:
        """The safeguards that the check supports."""
        if row.check_id in checks():
            return list(checks()[row.check_id].supports)
        return list(getattr(row, "tool_citations", None) or [])


class FindingFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    outcome = choice(*Outcome)
    severity = choice(*Severity)
    region = serializers.CharField(max_length=32, required=False)
    connection = serializers.UUIDField(required=False)
    check = serializers.CharField(max_length=300, required=False)
    source = serializers.CharField(  # type: ignore[assignment]  # as above
        max_length=64, required=False, help_text="A tool's name, or `surety` for the portal's own checks."
    )
    citation = serializers.CharField(
        max_length=64, required=False, help_text="A safeguard that the check supports."
    )
    gone = serializers.BooleanField(required=False, help_text="true: those whose resource is gone, instead.")


EXAMPLE: dict[str, Any] = {
    "id": "019a7c11-6f00-7a53-9d0c-3c8f1c2f6d01", "source": "", "connection": "019a7c10-1f00-7c2e-8f2a-5b1e7d9a4c02",
    "submission": None, "seen_at": None, "muted": False,
    "check": "s3_bucket_encrypted", "title": "S3 buckets are encrypted", "citations": ["164.312(a)(2)(iv)"],
    "severity": "high", "outcome": "FAIL", "resource": "arn:aws:s3:::images", "resource_name": "images",
    "region": "us-east-1", "observed": "The bucket has no default encryption.", "missing_action": "",
    "first_seen_at": "2026-03-01T06:00:00Z", "since": "2026-03-01T06:00:00Z", "gone_at": None,
}  # fmt: skip


def within(reach: Reach) -> QuerySet[Finding]:
    """The findings that a caller may see."""
    told = SubmittedCheck.objects.filter(stream=OuterRef("stream"), check_id=OuterRef("check_id"))
    rows: QuerySet[Finding] = Finding.objects.annotate(
        tool_title=Subquery(told.values("title")[:1], output_field=CharField()),
        tool_citations=Subquery(told.values("citations")[:1], output_field=ArrayField(CharField())),
    )
    if reach.connections:
        rows = rows.filter(connection__in=reach.connections)
    if reach.safeguards:
        rows = supporting(rows, reach.safeguards)
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
