"""What happened, who was told when, and what came back."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.utils import timezone

from accounts.models import Person
from accounts.tenancy.models import SharedModel, TenantForeignKey, TenantModel
from accounts.tenancy.rls import ImmutableColumns
from assessments.notices.kinds import Kind, Side
from evidence.models import Blob


def owner_of(row: TenantModel) -> UUID:
    """Whose row it is; a row that was read always has a tenant."""
    assert row.tenant_id is not None  # noqa: S101 (the column takes no NULL)
    return row.tenant_id


KINDS = [(each.value, each.label) for each in Kind]


class Occurrence(TenantModel):
    """What happened at the tenant: as a business associate with notices, as a covered entity with duties of its own.

    `zone` is where it was discovered, whose calendar days count. Individuals are numbers alone: PHI is never kept.
    """

    title = models.CharField(max_length=200)
    details = models.TextField(max_length=4000, blank=True)
    kind = models.CharField(max_length=32, choices=KINDS)
    side = models.CharField(max_length=32, choices=[(each.value, each.value) for each in Side])
    drill = models.BooleanField(default=False)
    zone = models.CharField(max_length=64)
    discovered_at = models.DateTimeField()
    individuals = models.PositiveIntegerField(null=True, blank=True)
    most_in_one_state = models.PositiveIntegerField(null=True, blank=True)
    from_notice = models.UUIDField(null=True, blank=True)
    sent_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            ImmutableColumns(
                name="assessments_occurrence_fixed",
                columns=("kind", "side", "drill", "zone", "discovered_at", "sent_by_id", "sent_at"),
            ),
        )
        indexes = (models.Index(fields=["tenant", "-sent_at", "-id"], name="occurrence_newest"),)

    def __str__(self) -> str:
        return self.title


class Notice(SharedModel):
    """What one partner upstream is told of an occurrence, with its own deadline. `rule` says where that comes from.

    `revision` counts what the viewer is to be told: 1 for the notice itself, one more for each update.
    """

    title = models.CharField(max_length=200)
    details = models.TextField(max_length=4000, blank=True)
    occurrence = TenantForeignKey(Occurrence, on_delete=models.PROTECT, related_name="notices")
    partnership_id = models.UUIDField()
    kind = models.CharField(max_length=32, choices=KINDS)
    drill = models.BooleanField(default=False)
    zone = models.CharField(max_length=64)
    sender_name = models.CharField(max_length=200)
    recipient_name = models.CharField(max_length=200)
    individuals = models.PositiveIntegerField(null=True, blank=True)
    discovered_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    due_at = models.DateTimeField()
    rule = models.CharField(max_length=300)
    revision = models.PositiveSmallIntegerField(default=1)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "occurrence", "partnership_id"], name="assessments_notice_once"
            ),
            ImmutableColumns(
                name="assessments_notice_fixed",
                columns=(
                    "occurrence_id", "partnership_id", "viewer_id", "kind", "drill", "discovered_at", "sent_at",
                    "due_at", "rule",
                ),
            ),
        )  # fmt: skip
        indexes = (
            models.Index(fields=["viewer", "-sent_at"], name="notice_received"),
            models.Index(fields=["tenant", "partnership_id", "-sent_at"], name="notice_sent"),
        )

    def __str__(self) -> str:
        return self.title


class NoticeUpdate(SharedModel):
    """What the sender added later. The one that `closes` is the last."""

    append_only = True

    text = models.TextField(max_length=4000)
    by_name = models.CharField(max_length=200)
    notice = TenantForeignKey(Notice, on_delete=models.PROTECT, related_name="updates")
    number = models.PositiveSmallIntegerField()
    closes = models.BooleanField(default=False)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "notice", "number"], name="assessments_noticeupdate_number"
            ),
        )

    def __str__(self) -> str:
        return f"update {self.number}"


class Acknowledgement(SharedModel):
    """That the partner upstream has taken note, who there, and when. Shown to the notice's sender."""

    append_only = True

    by_name = models.CharField(max_length=200)
    note = models.CharField(max_length=500, blank=True)
    notice_id = models.UUIDField()
    partnership_id = models.UUIDField()
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "notice_id"], name="assessments_acknowledgement_once"),
        )
        indexes = (models.Index(fields=["viewer", "notice_id"], name="acknowledgement_of"),)

    def __str__(self) -> str:
        return f"acknowledged by {self.by_name}"


class NoticeReceived(TenantModel):
    """That the tenant's people were told of a notice that it received, as far as `told_revision`."""

    sender_name = models.CharField(max_length=200)
    notice_id = models.UUIDField()
    told_revision = models.PositiveSmallIntegerField(default=0)
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "notice_id"], name="assessments_noticereceived_once"),
        )

    def __str__(self) -> str:
        return f"notice of {self.sender_name}"


class NoticeTold(SharedModel):
    """By which ways a notice reached the tenant's people, and when first. Shown to the notice's sender."""

    notice_id = models.UUIDField()
    mailed_at = models.DateTimeField(null=True)
    webhook_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "notice_id"], name="assessments_noticetold_once"),
        )
        indexes = (models.Index(fields=["viewer", "notice_id"], name="noticetold_of"),)

    def __str__(self) -> str:
        return f"told of {self.notice_id}"


class NoticeEvent(TenantModel):
    """What happened to an occurrence's notices on the sender's side, in order, for the timeline."""

    append_only = True

    recipient = models.CharField(max_length=200, blank=True)
    text = models.TextField(max_length=4000, blank=True)
    occurrence = TenantForeignKey(Occurrence, on_delete=models.PROTECT, related_name="events")
    notice_id = models.UUIDField(null=True, blank=True)
    kind = models.CharField(max_length=32)
    by_name = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (models.Index(fields=["tenant", "occurrence", "at"], name="noticeevent_order"),)

    def __str__(self) -> str:
        return self.kind


class OutsideRecipient(TenantModel):
    """A covered entity that is no tenant here: it is told by e-mail, with the hours that its agreement says."""

    name = models.CharField(max_length=200)
    email = models.EmailField(max_length=254)
    contingency_hours = models.PositiveIntegerField(null=True, blank=True)
    workforce_hours = models.PositiveIntegerField(null=True, blank=True)
    incident_hours = models.PositiveIntegerField(null=True, blank=True)
    breach_hours = models.PositiveIntegerField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class OutsideNotice(TenantModel):
    """A notice to one that is no tenant: a link by e-mail opens it, until it expires. Only its digest is kept."""

    recipient_name = models.CharField(max_length=200)
    email = models.EmailField(max_length=254)
    occurrence = TenantForeignKey(Occurrence, on_delete=models.PROTECT, related_name="outside")
    recipient = TenantForeignKey(OutsideRecipient, on_delete=models.PROTECT, related_name="notices")
    token_digest = models.BinaryField(max_length=32)
    due_at = models.DateTimeField()
    rule = models.CharField(max_length=300)
    expires_at = models.DateTimeField()
    revision = models.PositiveSmallIntegerField(default=1)
    told_revision = models.PositiveSmallIntegerField(default=0)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "token_digest"], name="assessments_outsidenotice_token"
            ),
            models.UniqueConstraint(
                fields=["tenant", "occurrence", "recipient"], name="assessments_outsidenotice_once"
            ),
            ImmutableColumns(
                name="assessments_outsidenotice_fixed",
                columns=("occurrence_id", "recipient_id", "token_digest", "due_at", "rule"),
            ),
        )

    def __str__(self) -> str:
        return f"notice to {self.recipient_name}"


class BreachAssessment(TenantModel):
    """The four factors of 164.402(2) as somebody weighed them. A version never changes; the newest holds."""

    append_only = True

    nature = models.TextField(max_length=4000)
    recipient = models.TextField(max_length=4000)
    acquired = models.TextField(max_length=4000)
    mitigated = models.TextField(max_length=4000)
    occurrence = TenantForeignKey(Occurrence, on_delete=models.PROTECT, related_name="assessments")
    version = models.PositiveSmallIntegerField()
    low_probability = models.BooleanField()
    individuals = models.PositiveIntegerField(null=True, blank=True)
    most_in_one_state = models.PositiveIntegerField(null=True, blank=True)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "occurrence", "version"], name="assessments_breachassessment_version"
            ),
        )

    def __str__(self) -> str:
        return f"version {self.version}"


class BreachStep(TenantModel):
    """That a duty after a breach was done, on which day, by whom."""

    append_only = True

    note = models.CharField(max_length=300, blank=True)
    occurrence = TenantForeignKey(Occurrence, on_delete=models.PROTECT, related_name="steps")
    step = models.SlugField(max_length=32, db_index=False)
    done_on = models.DateField()
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "occurrence", "step"], name="assessments_breachstep_once"
            ),
        )

    def __str__(self) -> str:
        return self.step


class NoticeTimeline(TenantModel):
    """A document of all that happened, as it was made: sealed in the vault, its digest signed by the log's key."""

    append_only = True

    by_name = models.CharField(max_length=200)
    occurrence = TenantForeignKey(Occurrence, on_delete=models.PROTECT, related_name="timelines")
    blob = TenantForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    signature_id = models.UUIDField()
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"timeline of {self.at:%Y-%m-%d %H:%M}"
