"""What the evidence means under the Security Rule, kept as periods: rows are added only where something changed."""

from __future__ import annotations

from django.db import models

from accounts.tenancy.models import TenantForeignKey, TenantModel
from accounts.tenancy.rls import Periods
from assessments.agreements.models import (
    Agreement,
    AgreementReminder,
    AgreementTerms,
    AgreementVersion,
    ClauseMark,
)
from assessments.chain.models import ChainAlert, ChainConsent, ChainNode, ChainState
from assessments.duties.models import CalendarFeed
from assessments.engagements.models import (
    Conclusion,
    Engagement,
    EngagementAuditor,
    EvidenceRequest,
    RequestEvidence,
    RequestMessage,
    SafeguardComment,
    Sample,
    SampleDraw,
    SampleItem,
    SampleResult,
)
from assessments.exits.models import (
    Exit,
    ExitCertificate,
    ExitEvidence,
    ExitPackage,
    ExitPaper,
    ExitProof,
    ExitResource,
    ExitReview,
)
from assessments.notices.models import (
    Acknowledgement,
    BreachAssessment,
    BreachStep,
    Notice,
    NoticeEvent,
    NoticeReceived,
    NoticeTimeline,
    NoticeTold,
    NoticeUpdate,
    Occurrence,
    OutsideNotice,
    OutsideRecipient,
)
from assessments.packages.models import Package
from assessments.partners.models import BusinessAssociate, BusinessAssociateImport
from assessments.partnerships.models import Partnership, PartnershipDeparture, PartnershipInvitation
from assessments.questionnaires.models import (
    AnswerReview,
    Answers,
    AnswersDraft,
    AnswersImport,
    GuestLink,
    Questionnaire,
    QuestionnaireTemplate,
    TemplateVersion,
)
from assessments.sharing.models import SharedPosture, SharedPosturePoint, SharingGrant
from assessments.status import Status
from assessments.submitted.models import SubmittedCheck
from assessments.timers.models import Timer
from assessments.verifications.models import (
    VerificationDelivery,
    VerificationDocument,
    VerificationPacket,
    VerificationReceipt,
    VerificationRecipient,
    VerificationReminder,
    VerificationSection,
)
from evidence.models import AwsConnection, CollectionRun, Submission, SubmissionStream

__all__ = [
    "Acknowledgement",
    "Agreement",
    "AgreementReminder",
    "AgreementTerms",
    "AgreementVersion",
    "AnswerReview",
    "Answers",
    "AnswersDraft",
    "AnswersImport",
    "BreachAssessment",
    "BreachStep",
    "BusinessAssociate",
    "BusinessAssociateImport",
    "CalendarFeed",
    "ChainAlert",
    "ChainConsent",
    "ChainNode",
    "ChainState",
    "ClauseMark",
    "Conclusion",
    "Engagement",
    "EngagementAuditor",
    "Evaluation",
    "EvidenceRequest",
    "Exit",
    "ExitCertificate",
    "ExitEvidence",
    "ExitPackage",
    "ExitPaper",
    "ExitProof",
    "ExitResource",
    "ExitReview",
    "Finding",
    "FindingPeriod",
    "GuestLink",
    "Notice",
    "NoticeEvent",
    "NoticeReceived",
    "NoticeTimeline",
    "NoticeTold",
    "NoticeUpdate",
    "Occurrence",
    "OutsideNotice",
    "OutsideRecipient",
    "Package",
    "Partnership",
    "PartnershipDeparture",
    "PartnershipInvitation",
    "Questionnaire",
    "QuestionnaireTemplate",
    "RequestEvidence",
    "RequestMessage",
    "SafeguardComment",
    "SafeguardStatus",
    "Sample",
    "SampleDraw",
    "SampleItem",
    "SampleResult",
    "SharedPosture",
    "SharedPosturePoint",
    "SharingGrant",
    "SubmittedCheck",
    "TemplateVersion",
    "Timer",
    "VerificationDelivery",
    "VerificationDocument",
    "VerificationPacket",
    "VerificationReceipt",
    "VerificationRecipient",
    "VerificationReminder",
    "VerificationSection",
]

OUTCOMES = [("PASS", "Pass"), ("FAIL", "Fail"), ("UNKNOWN", "Unknown"), ("NOT_APPLICABLE", "Not applicable")]
SEVERITIES = [("critical", "Critical"), ("high", "High"), ("medium", "Medium"), ("low", "Low")]


class Evaluation(TenantModel):
    """All checks over what one run collected. `counts`: results by outcome, findings opened, changed and closed."""

    run = TenantForeignKey(CollectionRun, on_delete=models.PROTECT, related_name="evaluations")
    connection = TenantForeignKey(AwsConnection, on_delete=models.PROTECT, related_name="evaluations")
    at = models.DateTimeField()
    counts = models.JSONField(default=dict)
    finished_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["tenant", "run"], name="assessments_evaluation_once"),)

    def __str__(self) -> str:
        return f"evaluation of {self.at:%Y-%m-%d %H:%M}"


class Finding(TenantModel):
    """The lasting record for one check and one resource; its columns hold the period that is open now.

    `scope` is the region (or "global") whose collection says whether the resource still exists.
    `resource_key` is the SHA-256 of check, scope and ARN in hex, shortened to 32 digits. `gone_at` is set when a
    complete listing no longer has the resource.
    What another tool said has its `source` ("prowler"; "" for our own checks), the `stream` of its documents, and
    the `submission` that said it last; `seen_at` is when the tool saw it, `muted` whether the tool suppresses it. Its
    connection is the one of the account that it names, where the tenant has one.
    """

    connection = TenantForeignKey(
        AwsConnection, on_delete=models.PROTECT, null=True, blank=True, related_name="findings"
    )
    source = models.CharField(max_length=64, blank=True, default="")
    stream = TenantForeignKey(
        SubmissionStream,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="findings",
        db_index=False,
    )
    submission = TenantForeignKey(
        Submission, on_delete=models.PROTECT, null=True, blank=True, related_name="findings", db_index=False
    )
    seen_at = models.DateTimeField(null=True, blank=True)
    muted = models.BooleanField(default=False)
    check_id = models.CharField(max_length=300)
    resource_key = models.CharField(max_length=32)
    resource_arn = models.CharField(max_length=2048)
    resource_name = models.CharField(max_length=512)
    resource_kind = models.CharField(max_length=128, blank=True)
    region = models.CharField(max_length=32)
    scope = models.CharField(max_length=32)
    severity = models.CharField(max_length=16, choices=SEVERITIES)
    outcome = models.CharField(max_length=16, choices=OUTCOMES)
    observed = models.TextField()
    missing_action = models.CharField(max_length=128, blank=True)
    first_seen_at = models.DateTimeField()
    since = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "connection", "check_id", "resource_key"],
                condition=models.Q(stream=None),
                name="assessments_finding_once",
            ),
            models.UniqueConstraint(
                fields=["tenant", "stream", "check_id", "resource_key"],
                condition=models.Q(stream__isnull=False),
                name="assessments_finding_submitted_once",
            ),
        )
        indexes = (
            models.Index(
                fields=["tenant", "check_id", "outcome"],
                include=["severity", "connection"],
                condition=models.Q(gone_at=None),
                name="finding_by_check",
            ),
            models.Index(
                fields=["tenant", "outcome", "severity", "-since", "id"],
                condition=models.Q(gone_at=None),
                name="finding_by_outcome",
            ),
            models.Index(fields=["tenant", "-since", "-id"], name="finding_by_change"),
        )

    def __str__(self) -> str:
        return f"{self.check_id} on {self.resource_name}"


class FindingPeriod(TenantModel):
    """What a finding said during [valid_from, valid_to); `submission` where a document said it."""

    finding = TenantForeignKey(Finding, on_delete=models.PROTECT, related_name="periods")
    submission = TenantForeignKey(
        Submission, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    outcome = models.CharField(max_length=16, choices=OUTCOMES)
    observed = models.TextField()
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (Periods(name="assessments_findingperiod_apart", columns=("finding_id",)),)

    def __str__(self) -> str:
        return f"{self.outcome} from {self.valid_from:%Y-%m-%d %H:%M}"


class SafeguardStatus(TenantModel):
    """What the tenant's evidence says of one safeguard during [valid_from, valid_to).

    `reasons` and `coverage` are `assessments.status.Derived` as JSON.
    """

    citation = models.CharField(max_length=32)
    status = models.CharField(max_length=32, choices=[(status.value, status.label) for status in Status])
    reasons = models.JSONField()
    coverage = models.JSONField()
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            Periods(name="assessments_safeguardstatus_apart", columns=("citation",)),
            models.UniqueConstraint(
                fields=["tenant", "citation"],
                condition=models.Q(valid_to=None),
                name="assessments_status_current",
            ),
        )

    def __str__(self) -> str:
        return f"{self.citation}: {self.status}"
