"""Submitted documents and the streams that they belong to."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.tenancy.models import TenantForeignKey, TenantModel
from accounts.tenancy.rls import ImmutableColumns

LONGEST_NAME = 255


class SubmissionState(models.TextChoices):
    """How far a document is. Only an accepted one is evidence."""

    RECEIVED = "received", "Being read"
    ACCEPTED = "accepted", "Accepted"
    REFUSED = "refused", "Refused"
    QUARANTINED = "quarantined", "Held back"
    DELETED = "deleted", "Deleted"


class SubmissionStream(TenantModel):
    """A series of documents of one producer about the same things, such as one scanner's over one account.

    Findings are told apart by their stream: a later document of a stream speaks of the findings of earlier ones.
    `complete_at` is the time of the newest document that said everything which the stream knew.
    """

    producer = models.CharField(max_length=64)
    name = models.CharField(max_length=100)
    complete_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "producer", "name"], name="evidence_submissionstream_once"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Submission(TenantModel):
    """A document as it was sent, and what became of it.

    `sequence` counts the tenant's submissions without a gap. `receipt` is the signed answer (a JWS). What the sender
    says: `declared_format`, `stream_name`, `complete`, `citations` (what it is evidence for), `effective_from` and
    `effective_to` (the period that it tells of). `reach_...`: what the client was narrowed to. `address`,
    `wrapped_key`, `key_id`, `ciphertext_digest`: the sealed bytes, until they are evidence and have a Blob.
    `state`, `due_at`, `fence`, `attempt`: the row is the queue. `found` are identifiers that the PHI guard met,
    masked (JSON: weight, kind, place, form), `released` whether two people took it nevertheless; `counts` what came
    of the outcomes.
    """

    sequence = models.PositiveBigIntegerField()
    client = TenantForeignKey(
        "accounts.ApiClient", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    person = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    sender = models.CharField(max_length=150)
    receipt = models.TextField()
    received_at = models.DateTimeField()
    digest = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    name = models.CharField(max_length=LONGEST_NAME, blank=True)
    media_type = models.CharField(max_length=100)
    declared_format = models.CharField(max_length=32, blank=True)
    stream_name = models.CharField(max_length=100, blank=True)
    complete = models.BooleanField(default=False)
    citations = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    effective_from = models.DateTimeField(null=True, blank=True)
    effective_to = models.DateTimeField(null=True, blank=True)
    mapping = models.JSONField(null=True, blank=True)
    reach_safeguards = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    reach_connections = ArrayField(models.UUIDField(), default=list, blank=True)

    address = models.CharField(max_length=200)
    wrapped_key = models.BinaryField()
    key_id = models.CharField(max_length=200)
    ciphertext_digest = models.CharField(max_length=64)
    stored_size = models.PositiveBigIntegerField()
    blob = TenantForeignKey(
        "evidence.Blob", on_delete=models.PROTECT, null=True, blank=True, related_name="submissions"
    )

    state = models.CharField(max_length=16, choices=SubmissionState, default=SubmissionState.RECEIVED)
    due_at = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempt = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)
    found = models.JSONField(default=list)
    released = models.BooleanField(default=False)
    format = models.CharField(max_length=32, blank=True)
    producer = models.CharField(max_length=200, blank=True)
    producer_version = models.CharField(max_length=100, blank=True)
    produced_at = models.DateTimeField(null=True, blank=True)
    header = models.JSONField(default=dict)
    stream = TenantForeignKey(
        SubmissionStream, on_delete=models.PROTECT, null=True, blank=True, related_name="submissions"
    )
    counts = models.JSONField(default=dict)
    processed_at = models.DateTimeField(null=True, blank=True)
    deleted_by = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    deletion_reason = models.TextField(blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "sequence"], name="evidence_submission_sequence"),
            ImmutableColumns(
                name="evidence_submission_fixed",
                columns=("sequence", "receipt", "received_at", "digest", "size", "sender", "citations"),
            ),
        )
        indexes = (
            models.Index(fields=["tenant", "-received_at", "-id"], name="submission_newest"),
            models.Index(
                fields=["due_at"], condition=models.Q(state=SubmissionState.RECEIVED), name="submission_due"
            ),
        )

    def __str__(self) -> str:
        return self.name or f"submission {self.sequence}"

    @property
    def context(self) -> str:
        """What is authenticated with the sealed bytes."""
        return submission_context(self.tenant_id, self.address)

    @property
    def shown_name(self) -> str:
        """The file's name, "" where it may be what identifies a patient."""
        hidden = {SubmissionState.RECEIVED, SubmissionState.QUARANTINED, SubmissionState.DELETED}
        return "" if self.state in hidden and self.found else self.name

    @property
    def look(self) -> str:
        """The look of its state on pages."""
        return "running" if self.state == SubmissionState.RECEIVED else self.state

    @property
    def title(self) -> str:
        """What pages call it."""
        return self.shown_name or f"Document {self.sequence}"


class ReleaseDecision(TenantModel):
    """What one person decided about a document that was held back: that it holds no PHI, and why. Two release it."""

    append_only = True

    submission = TenantForeignKey(Submission, on_delete=models.PROTECT, related_name="decisions")
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=150)
    reason = models.TextField()
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "submission", "person"], name="evidence_releasedecision_once"
            ),
        )

    def __str__(self) -> str:
        return self.person_name


class SubmissionMapping(TenantModel):
    """What the columns of a CSV, or the fields of a plain JSON document, mean (evidence.formats.kit.mapping).

    A change is a further row with the same name: whoever names an id gets what was tried out under it. A retired one
    is named by no further document.
    """

    name = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    description = models.CharField(max_length=200, blank=True)
    content = models.JSONField()
    created_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "name", "version"], name="evidence_submissionmapping_version"
            ),
            ImmutableColumns(
                name="evidence_submissionmapping_fixed",
                columns=("version", "content", "created_by_id", "created_at"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.name}, version {self.version}"


def submission_context(tenant_id: Any, address: str) -> str:
    """What is authenticated with a document's sealed bytes, whose digest isn't known before they are sealed."""
    return f"{tenant_id}|submission|{address}"
