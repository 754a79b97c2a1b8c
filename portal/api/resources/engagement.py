"""What an engagement shows its auditors, to their machines: the same services as the auditors' pages, and no others.

Everything comes from assessments.engagements, whose every question has the scope in its WHERE. A client's requests run
on the auditors' connection, which can change nothing; a member who is an auditor reads by session as on the pages.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, cast
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import ApiRequest
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.clients.scopes import Scope
from accounts.errors import InvalidInput, NotFound
from assessments.checks.base import Outcome, Severity
from assessments.engagements import documents, reading, scope, work
from assessments.engagements.models import Side
from assessments.models import Engagement, FindingPeriod
from assessments.posture import title_of
from assessments.submitted.pages import as_download, open_for_download
from assessments.submitted.reading import OURS, tool_checks
from evidence import services as evidence_services
from portal.api.endpoints import Endpoint
from portal.api.query import Asked, Page, page_of
from portal.api.resources import audits, evidence, requests, safeguards, submissions
from portal.api.resources.fields import Moment, choice, text


class AuditedSafeguardShape(safeguards.SafeguardShape):
    """A safeguard in scope, by the evidence in scope, as of the end of the period. `since` is null."""


class AuditedEvidenceShape(evidence.EvidenceShape):
    """A sealed answer in scope, as the organisation's own clients see it."""


class AuditedFindingShape(serializers.Serializer[Any]):
    """A check's outcome for one resource as of the end of the period, or as of now while the period lasts."""

    id = serializers.UUIDField(source="finding_id", read_only=True)
    connection = serializers.UUIDField(source="finding.connection_id", read_only=True, allow_null=True)
    source = text(  # type: ignore[assignment]  # the metaclass takes fields away
        "finding.source", help_text="The tool whose check it is; empty for our own."
    )
    check = text("finding.check_id")
    title = serializers.SerializerMethodField()
    severity = serializers.ChoiceField(
        source="finding.severity", choices=[str(each) for each in Severity], read_only=True
    )
    outcome = serializers.ChoiceField(choices=[str(each) for each in Outcome], read_only=True)
    resource = text("finding.resource_arn")
    resource_name = text("finding.resource_name")
    region = text("finding.region")
    observed = text()

    def get_title(self, row: FindingPeriod) -> str:
        """The check's title."""
        return title_of(row.finding.check_id, getattr(row, "tools", {}))


class AuditedFindingFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    outcome = choice(*Outcome)
    check = serializers.CharField(max_length=300, required=False)
    source = serializers.CharField(  # type: ignore[assignment]  # as above
        max_length=64, required=False, help_text="A tool, such as prowler; surety for our own checks."
    )


class AuditedPeriodShape(serializers.Serializer[Any]):
    """What a finding said for a while, cut to the engagement's period; `until` is null where it held at the end."""

    outcome = serializers.ChoiceField(choices=[str(each) for each in Outcome], read_only=True)
    observed = text()
    since = Moment(source="begins_at")
    until = Moment(source="ends_at", allow_null=True)
    submission = serializers.UUIDField(
        source="document.pk", read_only=True, allow_null=True, help_text="The tool's document that said it."
    )


class AuditedHistoryShape(serializers.Serializer[Any]):
    """A finding over the engagement's period, newest first."""

    id = serializers.UUIDField(source="finding.pk", read_only=True)
    connection = serializers.UUIDField(source="finding.connection_id", read_only=True, allow_null=True)
    source = text(  # type: ignore[assignment]  # the metaclass takes fields away
        "finding.source", help_text="The tool whose check it is; empty for our own."
    )
    check = text("finding.check_id")
    title = text()
    resource = text("finding.resource_arn")
    region = text("finding.region")
    periods = AuditedPeriodShape(many=True, read_only=True)


class AuditedEvidenceFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    collector = serializers.CharField(max_length=32, required=False)
    citation = serializers.CharField(max_length=64, required=False, help_text="What it is evidence of.")


class AuditedSubmissionFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    citation = serializers.CharField(max_length=64, required=False, help_text="What it is evidence of.")


class AuditedSubmissionShape(serializers.Serializer[Any]):
    """Another tool's document in scope. `receipt` is signed (a JWS, RFC 7515) by the keys of `/receipt-keys`."""

    id = serializers.UUIDField(read_only=True)
    sequence = serializers.IntegerField(read_only=True)
    digest = text(help_text="SHA-256 of the document, in hex.")
    size = serializers.IntegerField(read_only=True, help_text="Bytes.")
    received_at = Moment()
    receipt = text()
    sender = text()
    name = text("shown_name")
    format = text()
    producer = text()
    producer_version = text()
    produced_at = Moment(allow_null=True)
    effective_from = Moment(allow_null=True)
    effective_to = Moment(allow_null=True)
    citations = serializers.ListField(child=serializers.CharField(), read_only=True)


class AuditedRequestShape(requests.RequestShape):
    """What an auditor asked the organisation for, and how far that is."""


class AuditedThreadShape(requests.ThreadShape):
    """A request with its thread, oldest message first."""


_RESOURCE: dict[str, Any] = {
    "id": "019a7c11-6f00-7a53-9d0c-3c8f1c2f6d01", "connection": "019a7c10-1f00-7c2e-8f2a-5b1e7d9a4c02",
    "source": "", "check": "s3_bucket_encrypted", "title": "S3 buckets are encrypted",
    "resource": "arn:aws:s3:::images", "region": "us-east-1",
}  # fmt: skip
_SAID = {"outcome": "FAIL", "observed": "The bucket has no default encryption."}
FINDING: dict[str, Any] = {**_RESOURCE, **_SAID, "severity": "high", "resource_name": "images"}
HISTORY: dict[str, Any] = {
    **_RESOURCE,
    "periods": [{**_SAID, "since": "2026-03-01T06:00:00Z", "until": None, "submission": None}],
}
SUBMISSION: dict[str, Any] = {
    name: submissions.SUBMISSION[name] for name in map(str, AuditedSubmissionShape().fields)
}


class Scoped(Endpoint):
    """An address of the caller's one engagement. `act` is what the audit log calls a reading of it."""

    scope, tag = Scope.ENGAGEMENT_AUDIT, "Auditors"
    act: ClassVar[Act] = Act.POSTURE_READ

    def find(self, engagement: Engagement, asked: Asked, **ids: Any) -> Any:
        raise NotImplementedError

    def get(self, request: Request, **ids: Any) -> HttpResponse:
        asked, engagement = self.asked(request), engagement_of(request)
        found = self.find(engagement, asked, **ids)
        kind, thing = next(iter(ids.items()), ("engagement_id", engagement.pk))
        record(
            self.act, object_type="safeguard" if kind == "citation" else kind.removesuffix("_id"), object_id=thing,
            engagement=str(engagement.pk),
        )  # fmt: skip
        if isinstance(found, Page):
            return Response({"data": self.shown(found.rows, asked), "next": found.next})
        return Response(self.shown([found], asked)[0])


class Audited(Scoped):
    """Read the engagement that the client is for."""

    operation, act = "read_audited_engagement", Act.ENGAGEMENT_READ
    shape, example = audits.EngagementShape, audits.ENGAGEMENT

    def find(self, engagement: Engagement, asked: Asked, **ids: Any) -> Engagement:  # noqa: ARG002 (it has no filters)
        return engagement


class SafeguardList(Scoped):
    """List the safeguards in scope with their statuses as of the end of the period, on one page.

    They are derived from the AWS accounts in scope alone, by our own checks and other tools'. `since` is null.
    """

    operation, paged = "list_audited_safeguards", True
    shape, example = AuditedSafeguardShape, safeguards.EXAMPLE

    def find(self, engagement: Engagement, asked: Asked, **ids: Any) -> Page:  # noqa: ARG002 (as above)
        return Page(reading.read_states(engagement), None)


class SafeguardDetail(Scoped):
    """Read one safeguard in scope."""

    operation = "read_audited_safeguard"
    shape, example = AuditedSafeguardShape, safeguards.EXAMPLE

    def find(self, engagement: Engagement, asked: Asked, **ids: Any) -> Any:  # noqa: ARG002 (as above)
        return reading.read_safeguard(engagement, ids["citation"]).state


class FindingList(Scoped):
    """List findings in scope as they stood at the end of the period, newest first."""

    operation, paged = "list_audited_findings", True
    shape, filters, example = AuditedFindingShape, AuditedFindingFilters, FINDING

    def find(self, engagement: Engagement, asked: Asked, **ids: Any) -> Page:  # noqa: ARG002 (as above)
        given = dict(asked.values)
        rows = scope.standing_periods(engagement).select_related("finding")
        if "check" in given:
            rows = rows.filter(finding__check_id=given.pop("check"))
        if "source" in given:
            source = given.pop("source")
            rows = rows.filter(finding__source="" if source == OURS else source)
        return page_of(rows.filter(**given), asked)

    def shown(self, things: Iterable[Any], asked: Asked) -> list[dict[str, Any]]:
        """The rows with the titles of other tools' checks."""
        rows = list(things)
        tools = tool_checks(row.finding.check_id for row in rows)
        for row in rows:
            row.tools = tools
        return super().shown(rows, asked)


class FindingDetail(Scoped):
    """Read one finding in scope, over the period."""

    operation, shape, example = "read_audited_finding", AuditedHistoryShape, HISTORY

    def find(self, engagement: Engagement, asked: Asked, **ids: Any) -> Any:  # noqa: ARG002 (as above)
        return reading.read_finding(engagement, ids["finding_id"])


class EvidenceList(Scoped):
    """List the evidence in scope that was seen in the period, newest first."""

    operation, paged, act = "list_audited_evidence", True, Act.EVIDENCE_LIST
    shape, filters, example = AuditedEvidenceShape, AuditedEvidenceFilters, evidence.EXAMPLE

    def find(self, engagement: Engagement, asked: Asked, **ids: Any) -> Page:  # noqa: ARG002 (as above)
        given = dict(asked.values)
        rows = scope.snapshots(engagement, given.pop("citation", ""))
        return page_of(rows.select_related("blob").filter(**given), asked)


class EvidenceDetail(Scoped):
    """Read where a piece of evidence in scope came from."""

    operation, act = "read_audited_evidence", Act.EVIDENCE_READ
    shape, example = AuditedEvidenceShape, evidence.EXAMPLE

    def find(self, engagement: Engagement, asked: Asked, **ids: Any) -> Any:  # noqa: ARG002 (as above)
        return scope.find_snapshot(engagement, ids["snapshot_id"])


class EvidenceContent(Scoped):
    """Download a piece of evidence in scope: the sealed bytes, after both digests were checked."""

    operation, act = "download_audited_evidence", Act.EVIDENCE_EXPORT

    def get(self, request: Request, **ids: Any) -> HttpResponse:
        self.asked(request)
        engagement = engagement_of(request)
        snapshot = scope.find_snapshot(engagement, ids["snapshot_id"])
        opened = evidence_services.open_snapshot(
            snapshot_id=snapshot.pk, act=Act.EVIDENCE_EXPORT, about={"engagement": str(engagement.pk)}
        )
        headers = {"Content-Disposition": f'attachment; filename="{snapshot.blob.digest[:12]}.json"'}
        return HttpResponse(opened.raw, content_type=snapshot.blob.media_type, headers=headers)


class SubmissionList(Scoped):
    """List other tools' documents that are evidence in scope, newest first.

    Where the engagement names accounts, those documents alone whose tools spoke of these accounts and of no others.
    """

    operation, paged, act = "list_audited_submissions", True, Act.SUBMISSION_READ
    shape, filters, example = AuditedSubmissionShape, AuditedSubmissionFilters, SUBMISSION

    def find(self, engagement: Engagement, asked: Asked, **ids: Any) -> Page:  # noqa: ARG002 (as above)
        given = dict(asked.values)
        return page_of(documents.submissions(engagement, given.pop("citation", "")), asked)


class SubmissionDetail(Scoped):
    """Read one of these documents' facts and its signed receipt."""

    operation, act = "read_audited_submission", Act.SUBMISSION_READ
    shape, example = AuditedSubmissionShape, SUBMISSION

    def find(self, engagement: Engagement, asked: Asked, **ids: Any) -> Any:  # noqa: ARG002 (as above)
        return documents.find_submission(engagement, ids["document_id"])


class SubmissionContent(Scoped):
    """Download one of these documents: its bytes as they were sent, after their digest was checked."""

    operation, act = "download_audited_submission", Act.EVIDENCE_EXPORT
    media = "application/octet-stream"

    def get(self, request: Request, **ids: Any) -> HttpResponse:
        self.asked(request)
        engagement = engagement_of(request)
        row = documents.find_submission(engagement, ids["document_id"])
        answer = as_download(row, open_for_download(row, decides=False))
        record(
            Act.EVIDENCE_EXPORT, object_type="submission", object_id=row.pk, sequence=row.sequence, digest=row.digest,
            engagement=str(engagement.pk),
        )  # fmt: skip
        return cast("HttpResponse", answer)


class RequestList(Scoped):
    """List what the auditors asked for, on one page: what waits first, then by day."""

    operation, paged, act = "list_audited_requests", True, Act.ENGAGEMENT_READ
    shape, example = AuditedRequestShape, requests.REQUEST

    def find(self, engagement: Engagement, asked: Asked, **ids: Any) -> Page:  # noqa: ARG002 (as above)
        return Page(work.list_requests(engagement), None)


class RequestDetail(Scoped):
    """Read one request with its thread, and what was attached to it that is in scope now."""

    operation, act = "read_audited_request", Act.ENGAGEMENT_READ
    shape, example = AuditedThreadShape, requests.THREAD

    def find(self, engagement: Engagement, asked: Asked, **ids: Any) -> Any:  # noqa: ARG002 (as above)
        return requests.as_thread(work.read_request(engagement, ids["request_id"], Side.AUDITOR))


def engagement_of(request: Request) -> Engagement:
    """The client's engagement, or the one that is open to the auditor. Raises NotFound once its access is over."""
    asked = cast("ApiRequest", getattr(request, "_request", request))
    found: Engagement | None = None
    if asked.client is None:
        mine = list(scope.open_engagements(UUID(asked.caller))[:2])
        if len(mine) > 1:
            raise InvalidInput(
                "Several engagements are open to you: use the pages, or a client of one of them."
            )
        found = next(iter(mine), None)
    elif asked.client.engagement is not None:
        found = Engagement.objects.filter(pk=asked.client.engagement).first()
    if found is None or not found.is_open(timezone.now()):
        raise NotFound(scope.NOTHING)
    return found
