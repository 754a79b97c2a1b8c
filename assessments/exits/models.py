"""Exits, what is said of each item, what AWS shows of it, and certificates of return or destruction.

`Exit` and `ExitReview` are rows of the upstream party (the covered entity); `ExitProof`, `ExitEvidence`,
`ExitCertificate` and `ExitPackage` of the downstream one. Each shows its own to the other, whether their partnership
stands or has ended: nothing here is withdrawn with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from django.db import models
from django.utils import timezone

from accounts.models import Person
from accounts.tenancy.models import SharedModel, TenantForeignKey, TenantModel
from accounts.tenancy.rls import ImmutableColumns
from assessments.certified import KeptPackage
from assessments.partners.models import BusinessAssociate
from evidence.models import AwsConnection, Blob


class Exit(SharedModel):
    """That PHI has to be returned or destroyed by `due_at` (45 CFR 164.504(e)(2)(ii)(J)).

    `partnership_id` is None for a business associate that isn't a tenant: the upstream party then is its own viewer and
    records all by itself. `items` (JSON) is the checklist as it was when the exit began: [{"key", "title", "why",
    "citation", "answers", "phi"}]. `told_at`: when the downstream party's people were told and its clock set.
    """

    associate = TenantForeignKey(BusinessAssociate, on_delete=models.PROTECT, related_name="exits")
    partnership_id = models.UUIDField(null=True, blank=True)
    agreement_id = models.UUIDField(null=True, blank=True)
    agreement = models.CharField(max_length=300, blank=True)
    upstream_name = models.CharField(max_length=200)
    downstream_name = models.CharField(max_length=200)
    reason = models.TextField(max_length=1000)
    items = models.JSONField()
    began_at = models.DateTimeField(default=timezone.now)
    began_by_name = models.CharField(max_length=200)
    runs_from = models.DateField()
    return_days = models.PositiveSmallIntegerField()
    days_why = models.CharField(max_length=200)
    due_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by_name = models.CharField(max_length=200, blank=True)
    closed_note = models.TextField(max_length=1000, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "associate"],
                condition=models.Q(closed_at=None),
                name="assessments_exit_open",
            ),
            ImmutableColumns(
                name="assessments_exit_fixed",
                columns=(
                    "viewer_id", "associate_id", "partnership_id", "agreement_id", "items", "began_at", "runs_from",
                    "return_days", "due_at", "shown_from", "shown_until", "withdrawn_at",
                ),
            ),
        )  # fmt: skip
        indexes = (
            models.Index(fields=["tenant", "associate", "-began_at"], name="exit_by_associate"),
            models.Index(fields=["viewer", "partnership_id"], name="exit_by_partnership"),
        )

    def __str__(self) -> str:
        return f"exit of {self.downstream_name}"

    @property
    def upstream_id(self) -> UUID:
        """The tenant to which PHI comes back."""
        return cast("UUID", self.tenant_id)

    @property
    def downstream_id(self) -> UUID:
        """The tenant that held it; the upstream one itself for an exit by hand."""
        return self.viewer_id

    @property
    def by_hand(self) -> bool:
        """Whether the business associate isn't a tenant here."""
        return self.partnership_id is None

    def is_overdue(self, at: datetime) -> bool:
        """Whether its day has passed."""
        return self.closed_at is None and at > self.due_at


class Said(models.TextChoices):
    """What is said of an item. What isn't feasible or doesn't apply needs a reason."""

    RETURNED = "returned", "Returned"
    DESTROYED = "destroyed", "Destroyed"
    DONE = "done", "Done"
    NOT_FEASIBLE = "not_feasible", "Not feasible"
    NOT_APPLICABLE = "not_applicable", "Not applicable"


REASONED = frozenset({Said.NOT_FEASIBLE, Said.NOT_APPLICABLE})


class ExitProof(SharedModel):
    """What a party says of one item; the newest of an item counts. Never changed.

    `by_hand`: the upstream party wrote down what it was told otherwise. `protections`: how PHI that can't be returned
    or destroyed stays protected, and what it is still used for. `evidence` (JSON): what was shown of AWS then, in the
    form of `ExitEvidence.facts`, as far as its disclosure went.
    """

    append_only = True

    exit_id = models.UUIDField()
    item = models.CharField(max_length=32)
    said = models.CharField(max_length=16, choices=Said)
    on = models.DateField(null=True, blank=True)
    how = models.TextField(max_length=2000, blank=True)
    reason = models.TextField(max_length=2000, blank=True)
    protections = models.TextField(max_length=2000, blank=True)
    by_hand = models.BooleanField(default=False)
    evidence = models.JSONField(default=dict)
    by_name = models.CharField(max_length=200)
    said_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (
            models.Index(fields=["tenant", "exit_id", "item", "-said_at"], name="exitproof_own"),
            models.Index(fields=["viewer", "exit_id", "item", "-said_at"], name="exitproof_shown"),
        )
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(said__in=["not_feasible", "not_applicable"]) | ~models.Q(reason=""),
                name="assessments_exitproof_reason",
            ),
        )

    def __str__(self) -> str:
        return f"{self.item}: {self.said}"


class Verdict(models.TextChoices):
    """What the upstream party says of an answer."""

    ACCEPTED = "accepted", "Accepted"
    MORE = "more", "More is needed"


class ExitReview(SharedModel):
    """The upstream party's word on one answer; the newest of an answer counts."""

    append_only = True

    exit_id = models.UUIDField()
    proof_id = models.UUIDField()
    item = models.CharField(max_length=32)
    verdict = models.CharField(max_length=16, choices=Verdict)
    words = models.TextField(max_length=2000, blank=True)
    by_name = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (
            models.Index(fields=["tenant", "exit_id"], name="exitreview_own"),
            models.Index(fields=["viewer", "exit_id"], name="exitreview_shown"),
        )
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(verdict="more") | ~models.Q(words=""), name="assessments_exitreview_words"
            ),
        )

    def __str__(self) -> str:
        return f"{self.item}: {self.verdict}"


class ResourceKind(models.TextChoices):
    """What of AWS can hold PHI, or open it."""

    BUCKET = "bucket", "S3 bucket"
    VOLUME = "volume", "EBS volume"
    EBS_SNAPSHOT = "ebs_snapshot", "EBS snapshot"
    IMAGE = "image", "Server image (AMI)"
    DATABASE = "database", "RDS database"
    CLUSTER = "cluster", "RDS cluster"
    DATABASE_SNAPSHOT = "db_snapshot", "RDS snapshot"
    CLUSTER_SNAPSHOT = "cluster_snapshot", "RDS cluster snapshot"
    KEY = "key", "KMS key"


class ExitResource(TenantModel):
    """A resource that held PHI of an exit, as its downstream party named it from what AWS listed.

    `seen_at` and `seen_digest` are of the answer in which AWS listed it: only what is read later can show it gone.
    """

    exit_id = models.UUIDField()
    connection = TenantForeignKey(AwsConnection, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=24, choices=ResourceKind)
    region = models.CharField(max_length=32)
    identifier = models.CharField(max_length=512)
    seen_at = models.DateTimeField()
    seen_digest = models.CharField(max_length=64)
    named_at = models.DateTimeField(auto_now_add=True)
    named_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "exit_id", "connection", "kind", "region", "identifier"],
                name="assessments_exitresource_once",
            ),
            ImmutableColumns(
                name="assessments_exitresource_fixed",
                columns=(
                    "exit_id",
                    "connection_id",
                    "kind",
                    "region",
                    "identifier",
                    "seen_at",
                    "seen_digest",
                ),
            ),
        )

    def __str__(self) -> str:
        return self.identifier


class Disclosure(models.TextChoices):
    """What the downstream party tells of its resources."""

    COUNTS = "counts", "How many are gone, pending, still there or not known"
    NAMES = "names", "Each resource by name, with the evidence"


class ExitEvidence(SharedModel):
    """What AWS shows now of the resources of an exit; one row an exit, as far as its disclosure goes.

    `facts` (JSON, empty for counts): see assessments.exits.facts.Fact. `as_of`: when AWS was last asked for any.
    """

    exit_id = models.UUIDField()
    disclosure = models.CharField(max_length=16, choices=Disclosure)
    gone = models.PositiveIntegerField(default=0)
    pending = models.PositiveIntegerField(default=0)
    there = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField(default=0)
    pending_until = models.DateTimeField(null=True, blank=True)
    facts = models.JSONField(default=list)
    as_of = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "exit_id"], name="assessments_exitevidence_once"),
            ImmutableColumns(name="assessments_exitevidence_fixed", columns=("viewer_id", "exit_id")),
        )
        indexes = (models.Index(fields=["viewer", "exit_id"], name="exitevidence_shown"),)

    def __str__(self) -> str:
        return f"{self.gone} of {self.total} gone"

    @property
    def total(self) -> int:
        """How many resources were named."""
        return self.gone + self.pending + self.there + self.unknown


class ExitCertificate(SharedModel):
    """A certificate of return or destruction as it was certified: never changed, never taken back, shown for good.

    `content` is canonical JSON (RFC 8785), from which `pdf` is made; the log's entry has both digests. `complete`: all
    is returned or destroyed, and each resource that was named is gone. `kept_until` is six years from certifying
    (164.316(b)(2)(i)): it is shown and kept at least that long.
    """

    append_only = True

    exit_id = models.UUIDField()
    number = models.PositiveSmallIntegerField()
    upstream_name = models.CharField(max_length=200)
    downstream_name = models.CharField(max_length=200)
    officer_name = models.CharField(max_length=200)
    officer_title = models.CharField(max_length=200)
    authority = models.CharField(max_length=400)
    certified_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    certified_at = models.DateTimeField()
    complete = models.BooleanField()
    exceptions = models.PositiveSmallIntegerField()
    content = models.TextField()
    content_sha256 = models.CharField(max_length=64)
    pdf = models.BinaryField()
    pdf_sha256 = models.CharField(max_length=64)
    kept_until = models.DateField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "exit_id", "number"], name="assessments_exitcertificate_once"
            ),
        )
        indexes = (models.Index(fields=["viewer", "exit_id"], name="exitcertificate_shown"),)

    def __str__(self) -> str:
        return f"certificate {self.number} of {self.downstream_name}"

    @property
    def owner_id(self) -> UUID:
        """The tenant that certified."""
        return cast("UUID", self.tenant_id)

    @property
    def package_context(self) -> str:
        """What the ciphertext of its signed ZIP is bound to."""
        return f"{self.tenant_id}|exit|{self.pk}"

    @property
    def file_name(self) -> str:
        """What its files are called, without an ending."""
        return f"certificate-{self.certified_at:%Y-%m-%d}-{str(self.pk)[-8:]}"


class ExitPackage(SharedModel, KeptPackage):
    """The signed ZIP of a certificate, in the vault of its owner."""

    append_only = True

    certificate_id = models.UUIDField()
    signed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "certificate_id"], name="assessments_exitpackage_once"),
        )
        indexes = (models.Index(fields=["viewer", "certificate_id"], name="exitpackage_shown"),)

    def __str__(self) -> str:
        return self.package_sha256


class ExitPaper(TenantModel):
    """A certificate that came outside of the portal, as the upstream party wrote it down; its document, if kept."""

    append_only = True

    exit = TenantForeignKey(Exit, on_delete=models.PROTECT, related_name="papers")
    certified_by = models.CharField(max_length=200)
    title = models.CharField(max_length=200, blank=True)
    certified_on = models.DateField()
    reference = models.CharField(max_length=200, blank=True)
    words = models.TextField(max_length=2000, blank=True)
    blob = TenantForeignKey(Blob, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    file_name = models.CharField(max_length=200, blank=True)
    recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["tenant", "exit", "-recorded_at"], name="exitpaper_by_exit"),)

    def __str__(self) -> str:
        return f"certificate by {self.certified_by}"
