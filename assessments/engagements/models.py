"""Engagements and what is done in them. What an auditor writes is only ever inserted, never changed.

An auditor's session may insert into the tables of AUDITOR_WRITES and change nothing (PostgreSQL's grants), so what
moves on, such as a request's state, is a row with the next number rather than a changed one.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import Invitation, Person
from accounts.tenancy.models import TenantForeignKey, TenantModel
from evidence.models import Snapshot, Submission

FRAMEWORK = "HIPAA Security Rule"


class Side(models.TextChoices):
    """Who speaks in an engagement."""

    AUDITOR = "auditor", "Auditor"
    TENANT = "tenant", "Tenant"


class Engagement(TenantModel):
    """An auditor's access: to what (citations, connections), of when (period), and from when to when.

    `citations` and `connection_ids`: None is everything, an empty list nothing. A standard in `citations` brings its
    specifications. The evidence's period is of whole days in UTC, both included. Access lasts in [opens_at, closes_at)
    and ends at once with `ended_at`.
    """

    title = models.CharField(max_length=200)
    firm = models.CharField(max_length=200)
    framework = models.CharField(max_length=100, default=FRAMEWORK)
    citations = ArrayField(models.CharField(max_length=32), null=True, blank=True)
    connection_ids = ArrayField(models.UUIDField(), null=True, blank=True)
    period_from = models.DateField()
    period_to = models.DateField()
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(period_from__lte=models.F("period_to")),
                name="assessments_engagement_period",
            ),
            models.CheckConstraint(
                condition=models.Q(opens_at__lt=models.F("closes_at")), name="assessments_engagement_access"
            ),
        )

    def __str__(self) -> str:
        return f"{self.title} by {self.firm}"

    @property
    def starts(self) -> datetime:
        """The first instant of the evidence's period."""
        return datetime.combine(self.period_from, time.min, UTC)

    @property
    def ends(self) -> datetime:
        """The first instant after the evidence's period."""
        return datetime.combine(self.period_to + timedelta(days=1), time.min, UTC)

    def is_open(self, at: datetime) -> bool:
        """Whether auditors have access at a time."""
        return self.ended_at is None and self.opens_at <= at < self.closes_at

    def state(self, at: datetime) -> str:
        """One word for people: ended, over, open or not yet open."""
        if self.ended_at:
            return "ended"
        if at >= self.closes_at:
            return "over"
        return "open" if at >= self.opens_at else "not yet open"


class EngagementAuditor(TenantModel):
    """A named auditor of an engagement. `person` is None until the invitation is taken up."""

    engagement = TenantForeignKey(Engagement, on_delete=models.PROTECT, related_name="auditors")
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=200, blank=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    invitation = TenantForeignKey(Invitation, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "engagement", "email"], name="assessments_engagementauditor_once"
            ),
        )
        indexes = (models.Index(fields=["tenant", "person"], name="engagementauditor_person"),)

    def __str__(self) -> str:
        return f"{self.name or self.email}"


class RequestState(models.TextChoices):
    """Where a request stands."""

    ASKED = "asked", "Asked"
    ANSWERED = "answered", "Answered"
    NEED_MORE = "need_more", "Needs more"
    ACCEPTED = "accepted", "Accepted"
    WITHDRAWN = "withdrawn", "Withdrawn"


class EvidenceRequest(TenantModel):
    """What the auditor asks the tenant for. Its state is the state of its last message."""

    engagement = TenantForeignKey(Engagement, on_delete=models.PROTECT, related_name="requests")
    citation = models.CharField(max_length=32)
    title = models.CharField(max_length=200)
    due_on = models.DateField()
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        indexes = (models.Index(fields=["tenant", "engagement", "due_on"], name="evidencerequest_due"),)

    def __str__(self) -> str:
        return self.title


class RequestMessage(TenantModel):
    """One message of a request's thread; `state` is the request's from then on. `number` counts from 1.

    Two that move the same request at the same time collide on the number, so that none overtakes the other.
    """

    append_only = True

    request = TenantForeignKey(EvidenceRequest, on_delete=models.PROTECT, related_name="messages")
    number = models.PositiveIntegerField()
    side = models.CharField(max_length=16, choices=Side)
    author = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    act = models.CharField(max_length=16)
    state = models.CharField(max_length=16, choices=RequestState)
    text = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "request", "number"], name="assessments_requestmessage_number"
            ),
        )

    def __str__(self) -> str:
        return f"{self.number}: {self.act}"


class RequestEvidence(TenantModel):
    """What the tenant attached to an answer: a snapshot, or a submitted document.

    `digest` is that of what it holds (SHA-256 of the plaintext, hex).
    """

    append_only = True

    message = TenantForeignKey(RequestMessage, on_delete=models.PROTECT, related_name="evidence")
    snapshot = TenantForeignKey(Snapshot, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    submission = TenantForeignKey(
        Submission, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "message", "snapshot"], name="assessments_requestevidence_once"
            ),
            models.UniqueConstraint(
                fields=["tenant", "message", "submission"], name="assessments_requestevidence_document_once"
            ),
            models.CheckConstraint(
                condition=models.Q(snapshot__isnull=True, submission__isnull=False)
                | models.Q(snapshot__isnull=False, submission__isnull=True),
                name="assessments_requestevidence_is_one",
            ),
        )

    def __str__(self) -> str:
        return self.digest


class Extent(models.TextChoices):
    """How much of a population a test looks at."""

    ONE = "one", "Test of one"
    FEW = "few", "Test of a few"
    PERIOD = "period", "Test of the period, day by day"


class Sample(TenantModel):
    """A test with its frozen population: sorted items, and the SHA-256 of them joined by newlines, in hex."""

    append_only = True

    engagement = TenantForeignKey(Engagement, on_delete=models.PROTECT, related_name="samples")
    citation = models.CharField(max_length=32)
    title = models.CharField(max_length=200)
    extent = models.CharField(max_length=16, choices=Extent)
    source = models.CharField(max_length=32)
    subject = models.CharField(max_length=100, blank=True)
    population = ArrayField(models.TextField())
    population_sha256 = models.CharField(max_length=64)
    frozen_at = models.DateTimeField(auto_now_add=True)
    frozen_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return self.title


class SampleDraw(TenantModel):
    """The seed that the auditor gave after the freeze, and the sample's size. There is one for each sample."""

    append_only = True

    sample = TenantForeignKey(Sample, on_delete=models.PROTECT, related_name="draws")
    seed = models.CharField(max_length=128)
    size = models.PositiveIntegerField()
    drawn_at = models.DateTimeField(auto_now_add=True)
    drawn_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "sample"], name="assessments_sampledraw_once"),
        )

    def __str__(self) -> str:
        return f"{self.size} by {self.seed}"


class SampleItem(TenantModel):
    """An item that was drawn. `position` counts from 0 by rank; a replacement says which it replaces and why."""

    append_only = True

    sample = TenantForeignKey(Sample, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveIntegerField()
    item = models.TextField()
    replaces = TenantForeignKey("self", on_delete=models.PROTECT, null=True, related_name="replacements")
    reason = models.TextField(blank=True)
    drawn_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "sample", "position"], name="assessments_sampleitem_position"
            ),
            models.UniqueConstraint(
                fields=["tenant", "replaces"],
                condition=models.Q(replaces__isnull=False),
                name="assessments_sampleitem_replaced_once",
            ),
        )

    def __str__(self) -> str:
        return self.item


class Result(models.TextChoices):
    """What the auditor found of one drawn item."""

    EFFECTIVE = "effective", "Effective"
    NOT_EFFECTIVE = "not_effective", "Not effective"
    NOT_TESTED = "not_tested", "Not tested"


class SampleResult(TenantModel):
    """The auditor's finding on a drawn item; the highest `version` holds."""

    append_only = True

    item = TenantForeignKey(SampleItem, on_delete=models.PROTECT, related_name="results")
    version = models.PositiveIntegerField()
    result = models.CharField(max_length=16, choices=Result)
    note = models.TextField(blank=True)
    author = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "item", "version"], name="assessments_sampleresult_version"
            ),
        )

    def __str__(self) -> str:
        return self.result


class SafeguardComment(TenantModel):
    """What one side says to the other about a safeguard."""

    append_only = True

    engagement = TenantForeignKey(Engagement, on_delete=models.PROTECT, related_name="comments")
    citation = models.CharField(max_length=32)
    side = models.CharField(max_length=16, choices=Side)
    author = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (
            models.Index(fields=["tenant", "engagement", "citation", "at"], name="comment_by_safeguard"),
        )

    def __str__(self) -> str:
        return f"on {self.citation}"


class Judgement(models.TextChoices):
    """What an auditor concludes of a safeguard."""

    EFFECTIVE = "effective", "Effective"
    NOT_EFFECTIVE = "not_effective", "Not effective"
    NOT_CONCLUDED = "not_concluded", "Not concluded"


class Conclusion(TenantModel):
    """An auditor's conclusion on a safeguard; the highest `version` holds. The tenant sees those that are `shared`."""

    append_only = True

    engagement = TenantForeignKey(Engagement, on_delete=models.PROTECT, related_name="conclusions")
    citation = models.CharField(max_length=32)
    version = models.PositiveIntegerField()
    judgement = models.CharField(max_length=16, choices=Judgement)
    reasons = models.TextField()
    shared = models.BooleanField(default=False)
    author = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "engagement", "citation", "version"], name="assessments_conclusion_version"
            ),
        )

    def __str__(self) -> str:
        return f"{self.citation}: {self.judgement}"


AUDITOR_WRITES: tuple[type[TenantModel], ...] = (
    EvidenceRequest, RequestMessage, Sample, SampleDraw, SampleItem, SampleResult, SafeguardComment, Conclusion,
)  # fmt: skip
"""Where an auditor's session may insert rows; migration 0003 grants it."""
