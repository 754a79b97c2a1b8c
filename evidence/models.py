"""What AWS said, when, through which connection; and the sealed bytes that prove it."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.tenancy.models import TenantForeignKey, TenantModel
from accounts.tenancy.rls import ImmutableColumns
from evidence.aws.policy import ROLE_NAME
from evidence.submissions.models import (
    ReleaseDecision,
    Submission,
    SubmissionMapping,
    SubmissionState,
    SubmissionStream,
)

__all__ = [
    "Access",
    "AwsConnection",
    "Blob",
    "CollectionRun",
    "CollectionUnit",
    "ConnectionState",
    "ReleaseDecision",
    "RunState",
    "RunVerdict",
    "Snapshot",
    "Submission",
    "SubmissionMapping",
    "SubmissionState",
    "SubmissionStream",
    "UnitState",
]


class Access(models.TextChoices):
    """How the account is reached: by a role in it, or (command line, single account) by our own credentials."""

    ROLE = "role", "Cross-account role"
    AMBIENT = "ambient", "Credentials of this process"


class ConnectionState(models.TextChoices):
    """Where a connection stands. Only a verified one is collected."""

    PENDING = "pending", "Not verified yet"
    VERIFIED = "verified", "Verified"
    BROKEN = "broken", "Verification failed"
    REMOVED = "removed", "Removed"


class AwsConnection(TenantModel):
    """A tenant's role and external ID for one AWS account.

    The external ID is made here, once per connection, never taken from a request and never changed: it is what
    keeps another tenant from using this tenant's role through us (the confused deputy of the AWS IAM guide).
    `probe` holds the last ProbeReport's steps as JSON; `probe_due_at` is set while a probe is asked for.
    """

    name = models.CharField(max_length=100)
    aws_account_id = models.CharField(max_length=12)
    partition = models.CharField(max_length=16, default="aws")
    role_name = models.CharField(max_length=576, default=ROLE_NAME)
    external_id = models.UUIDField(default=uuid.uuid4, editable=False)
    access = models.CharField(max_length=16, choices=Access, default=Access.ROLE)
    regions = ArrayField(models.CharField(max_length=32))
    holds_phi = models.BooleanField(default=True)
    state = models.CharField(max_length=16, choices=ConnectionState, default=ConnectionState.PENDING)
    probe = models.JSONField(default=list)
    probe_due_at = models.DateTimeField(null=True, blank=True)
    probed_at = models.DateTimeField(null=True, blank=True)
    next_run_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "external_id"], name="evidence_connection_external_id"),
            models.UniqueConstraint(
                fields=["tenant", "aws_account_id"],
                condition=models.Q(removed_at=None),
                name="evidence_connection_account_once",
            ),
            ImmutableColumns(name="evidence_connection_fixed", columns=("external_id", "aws_account_id")),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.aws_account_id})"

    @property
    def role_arn(self) -> str:
        """The role that the tenant creates for us; may hold a path."""
        return f"arn:{self.partition}:iam::{self.aws_account_id}:role/{self.role_name}"


class RunState(models.TextChoices):
    """How far a run is. What came of it is its verdict."""

    RUNNING = "running", "Collecting"
    FINISHED = "finished", "Finished"


class RunVerdict(models.TextChoices):
    """What came of a finished run."""

    COMPLETE = "complete", "Complete"
    PARTIAL = "partial", "With gaps"
    FAILED = "failed", "Nothing collected"


class CollectionRun(TenantModel):
    """One run of collectors over one connection. `trigger`: first, person, client, schedule or command line."""

    connection = TenantForeignKey(AwsConnection, on_delete=models.PROTECT, related_name="runs")
    trigger = models.CharField(max_length=16)
    state = models.CharField(max_length=16, choices=RunState, default=RunState.RUNNING)
    verdict = models.CharField(max_length=16, choices=RunVerdict, blank=True)
    units_total = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["tenant", "connection", "-started_at"], name="run_by_connection"),
            models.Index(fields=["finished_at"], name="run_by_finish"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "connection"],
                condition=models.Q(state=RunState.RUNNING),
                name="evidence_run_one_at_a_time",
            ),
        )

    def __str__(self) -> str:
        return f"run of {self.started_at:%Y-%m-%d %H:%M}"


class Blob(TenantModel):
    """Sealed bytes in the vault. The two digests (SHA-256, hex) tie the plaintext and the stored bytes.

    Addressed by content inside one tenant: equal bytes of two tenants are two blobs. `fields_root` is the root over
    the salted leaves of a JSON document (evidence.fields), "" where there is none: such a blob is shown whole or not.
    `sealed_as` is what was authenticated with bytes that were sealed before their digest was known; "" for others.
    """

    append_only = True

    digest = models.CharField(max_length=64)
    ciphertext_digest = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    stored_size = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=100)
    address = models.CharField(max_length=200)
    wrapped_key = models.BinaryField()
    key_id = models.CharField(max_length=200)
    sealed_at = models.DateTimeField()
    salt = models.BinaryField(default=b"")
    fields_root = models.CharField(max_length=64, blank=True, default="")
    sealed_as = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["tenant", "digest"], name="evidence_blob_once"),)

    def __str__(self) -> str:
        return self.digest


class Snapshot(TenantModel):
    """The sealed answer of one collector in one region.

    An unchanged answer is the same snapshot seen again: each sighting is a CollectionUnit. `provenance` (JSON) is
    of the first: role_arn, session_name, principal, request_ids, api_calls, software.
    """

    append_only = True

    connection = TenantForeignKey(AwsConnection, on_delete=models.PROTECT, related_name="snapshots")
    run = TenantForeignKey(CollectionRun, on_delete=models.PROTECT, related_name="+")
    blob = TenantForeignKey(Blob, on_delete=models.PROTECT, related_name="snapshots")
    collector = models.CharField(max_length=32)
    collector_version = models.PositiveIntegerField()
    region = models.CharField(max_length=32)
    aws_account_id = models.CharField(max_length=12)
    gap_count = models.PositiveIntegerField()
    provenance = models.JSONField()
    collected_at = models.DateTimeField()
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "connection", "collector", "collector_version", "region", "blob"],
                name="evidence_snapshot_once",
            ),
        )
        indexes = (models.Index(fields=["tenant", "-collected_at", "-id"], name="snapshot_by_time"),)

    def __str__(self) -> str:
        return f"{self.collector} in {self.region}"


class UnitState(models.TextChoices):
    """A unit is claimed with a lease; a lease that runs out makes it pending again."""

    PENDING = "pending", "Waiting"
    CLAIMED = "claimed", "Collecting"
    DONE = "done", "Done"


class CollectionUnit(TenantModel):
    """One collector in one region within a run: the row is the queue.

    `fence` grows with each claim; only the holder of the newest may write. `gaps` are full Gap values as JSON,
    with AWS's own words; `api_calls` counts calls by "service:Operation".
    """

    run = TenantForeignKey(CollectionRun, on_delete=models.PROTECT, related_name="units")
    collector = models.CharField(max_length=32)
    region = models.CharField(max_length=32)
    state = models.CharField(max_length=16, choices=UnitState, default=UnitState.PENDING)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempt = models.PositiveIntegerField(default=0)
    snapshot = TenantForeignKey(
        Snapshot, on_delete=models.PROTECT, null=True, blank=True, related_name="sightings"
    )
    gaps = models.JSONField(default=list)
    api_calls = models.JSONField(default=dict)
    seconds_in_aws = models.FloatField(default=0)
    collected_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "run", "collector", "region"], name="evidence_unit_once"
            ),
        )
        indexes = (
            models.Index(
                fields=["state", "lease_until"],
                condition=~models.Q(state=UnitState.DONE),
                name="unit_unfinished",
            ),
            models.Index(fields=["tenant", "snapshot", "-collected_at"], name="unit_by_snapshot"),
        )

    def __str__(self) -> str:
        return f"{self.collector} in {self.region}"
