"""The package's row: what was asked for, how far it is, and where the result lies. The row is the queue."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from accounts.models import Person
from accounts.tenancy.models import TenantForeignKey, TenantModel
from accounts.tenancy.rls import ImmutableColumns
from assessments.engagements.models import Engagement
from evidence.vault import StreamKept


class PackageState(models.TextChoices):
    """How far a package is. One that waits has a reason: a worker, or the seal of the log, isn't there yet."""

    WAITING = "waiting", "Waiting"
    BUILDING = "building", "Being made"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"
    REMOVED = "removed", "Removed"


class Package(TenantModel):
    """A package of evidence: of which safeguards, connections and days, without which fields, asked by whom.

    `citations` and `connection_ids`: None is everything, an empty list nothing; those of its engagement where it has
    one. `withheld` holds patterns of evidence.fields. A worker holds it by `fence` until `lease_until`; `due_at` is
    when one looks again. The ZIP lies at `address` in the vault; `sha256` and `size` are of its plaintext.
    `link_number` counts the links given out; only the SHA-256 of the last one's token is kept. `contents` (JSON):
    counts of what is in it, written when it is ready.
    """

    engagement = TenantForeignKey(
        Engagement, on_delete=models.PROTECT, null=True, blank=True, related_name="packages"
    )
    citations = ArrayField(models.CharField(max_length=32), null=True, blank=True)
    connection_ids = ArrayField(models.UUIDField(), null=True, blank=True)
    period_from = models.DateField()
    period_to = models.DateField()
    withheld = ArrayField(models.CharField(max_length=300), default=list)
    withheld_reason = models.TextField(blank=True)
    requested_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)

    state = models.CharField(max_length=16, choices=PackageState, default=PackageState.WAITING)
    note = models.CharField(max_length=500, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempt = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    bytes_done = models.PositiveBigIntegerField(default=0)
    bytes_total = models.PositiveBigIntegerField(default=0)

    address = models.CharField(max_length=200, blank=True)
    wrapped_key = models.BinaryField(default=b"")
    key_id = models.CharField(max_length=200, blank=True)
    ciphertext_digest = models.CharField(max_length=64, blank=True)
    stored_size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    contents = models.JSONField(default=dict)
    ready_at = models.DateTimeField(null=True, blank=True)
    keep_until = models.DateTimeField(null=True, blank=True)

    token_digest = models.BinaryField(null=True, max_length=32)
    link_number = models.PositiveIntegerField(default=0)
    link_expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(period_from__lte=models.F("period_to")), name="assessments_package_period"
            ),
            models.UniqueConstraint(fields=["tenant", "token_digest"], name="assessments_package_token"),
            ImmutableColumns(
                name="assessments_package_fixed",
                columns=(
                    "engagement_id", "citations", "connection_ids", "period_from", "period_to", "withheld",
                    "requested_by_id",
                ),
            ),
        )  # fmt: skip
        indexes = (
            models.Index(fields=["tenant", "-requested_at", "-id"], name="package_by_time"),
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="package_due"),
        )

    def __str__(self) -> str:
        return f"evidence package of {self.period_from} to {self.period_to}"

    def scope(self) -> Engagement:
        """The package's scope as the functions of engagements.scope take it; not an engagement that exists."""
        return Engagement(
            tenant_id=self.tenant_id, citations=self.citations, connection_ids=self.connection_ids,
            period_from=self.period_from, period_to=self.period_to,
        )  # fmt: skip

    @property
    def context(self) -> str:
        """What the ciphertext is bound to."""
        return f"{self.tenant_id}|package|{self.pk}"

    @property
    def kept(self) -> StreamKept:
        """Where the ciphertext lies."""
        return StreamKept(
            self.address, bytes(self.wrapped_key), self.key_id, self.ciphertext_digest, self.stored_size
        )

    @property
    def file_name(self) -> str:
        """What the ZIP is called when it is downloaded."""
        return f"evidence-package-{self.period_from}-to-{self.period_to}-{str(self.pk)[-8:]}.zip"

    def is_open_to_links(self, at: datetime) -> bool:
        """Whether its last link still works."""
        return (
            self.state == PackageState.READY
            and self.link_expires_at is not None
            and at < self.link_expires_at
        )
