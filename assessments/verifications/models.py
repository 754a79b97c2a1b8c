"""The verification packet, the document that is frozen when it is certified, its deliveries, and their answers.

`VerificationDelivery` is the business associate's row that one covered entity reads; `VerificationReceipt` is that
covered entity's answer, a row of its own that the business associate reads.
"""

from __future__ import annotations

from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import Person
from accounts.tenancy.models import SharedModel, TenantForeignKey, TenantModel
from accounts.tenancy.rls import ImmutableColumns
from assessments.certified import KeptPackage
from assessments.rule.proposed import RuleSet
from assessments.status import Status


def owner_of(row: TenantModel) -> UUID:
    """The tenant whose row it is."""
    owner: UUID = row.tenant_id  # type: ignore[assignment] # a row has a tenant
    return owner


RULE_SETS = [(each.value, each.label) for each in RuleSet]


class PacketState(models.TextChoices):
    """How far a packet is. A change of a reviewed one makes it a draft again; a certified one never changes."""

    DRAFT = "draft", "Draft"
    REVIEWED = "reviewed", "Reviewed"
    CERTIFIED = "certified", "Certified"
    DELIVERED = "delivered", "Delivered"


class Answer(models.TextChoices):
    """What a covered entity said of a delivery. Opening it is having received it."""

    RECEIVED = "received", "Received"
    ACCEPTED = "accepted", "Accepted"
    REFUSED = "refused", "Refused"


class VerificationPacket(TenantModel, KeptPackage):
    """A packet in the making, and what became of it. `as_of` is when its evidence was read.

    `snapshots` (JSON) are those in force then: [{id, collector, region, collected_at}].

    `citations` are safeguards beside the technical ones. The expert is a person with a name and a qualification, who
    need not use the portal; `reviewed_by` is who recorded the review. The officer is who certified.
    """

    title = models.CharField(max_length=200)
    rule_set = models.CharField(max_length=16, choices=RULE_SETS, default=RuleSet.CURRENT.value)
    covers = models.TextField(max_length=4000, blank=True)
    additions = models.TextField(max_length=10000, blank=True)
    citations = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    state = models.CharField(max_length=16, choices=PacketState, default=PacketState.DRAFT)
    as_of = models.DateTimeField()
    snapshots = models.JSONField(default=list)
    drafted_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField(auto_now_add=True)

    expert_name = models.CharField(max_length=200, blank=True)
    expert_qualification = models.CharField(max_length=400, blank=True)
    reviewed_on = models.DateField(null=True, blank=True)
    reviewed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    officer_name = models.CharField(max_length=200, blank=True)
    officer_title = models.CharField(max_length=200, blank=True)
    authority = models.CharField(max_length=400, blank=True)
    certified_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    certified_at = models.DateTimeField(null=True, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["tenant", "-drafted_at", "-id"], name="packet_by_time"),)

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Whether it can still be changed."""
        return self.state in {PacketState.DRAFT, PacketState.REVIEWED}

    @property
    def context(self) -> str:
        """What the ZIP's ciphertext is bound to."""
        return package_context(self.tenant_id, self.pk)

    @property
    def file_name(self) -> str:
        """What the ZIP is called when it is downloaded."""
        return f"verification-{self.certified_at:%Y-%m-%d}-{str(self.pk)[-8:]}.zip"


def package_context(tenant_id: object, packet_id: object) -> str:
    """What the ciphertext of a packet's ZIP is bound to."""
    return f"{tenant_id}|verification|{packet_id}"


class VerificationSection(TenantModel):
    """The analysis of one safeguard. `drafted` was written from the evidence; `analysis` is what the expert says.

    `facts` (JSON): see assessments.verifications.analysis.Facts.
    """

    packet = TenantForeignKey(VerificationPacket, on_delete=models.PROTECT, related_name="sections")
    position = models.PositiveSmallIntegerField()
    citation = models.CharField(max_length=32)
    status = models.CharField(max_length=32, choices=[(status.value, status.label) for status in Status])
    drafted = models.TextField()
    analysis = models.TextField(max_length=10000)
    facts = models.JSONField()
    edited_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    edited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "packet", "citation"], name="assessments_verificationsection_once"
            ),
        )

    def __str__(self) -> str:
        return self.citation


class VerificationRecipient(TenantModel):
    """A covered entity that a packet is for, and what of the work for it the packet covers."""

    packet = TenantForeignKey(VerificationPacket, on_delete=models.PROTECT, related_name="recipients")
    partnership_id = models.UUIDField()
    name = models.CharField(max_length=200)
    scope = models.TextField(max_length=2000, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "packet", "partnership_id"], name="assessments_verificationrecipient_once"
            ),
        )

    def __str__(self) -> str:
        return self.name


class VerificationDocument(TenantModel):
    """What was certified, for good: the text as canonical JSON (RFC 8785) and as PDF/A, with the SHA-256 of each."""

    append_only = True

    packet = TenantForeignKey(VerificationPacket, on_delete=models.PROTECT, related_name="documents")
    content = models.TextField()
    content_sha256 = models.CharField(max_length=64)
    pdf = models.BinaryField()
    pdf_sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "packet"], name="assessments_verificationdocument_once"
            ),
        )

    def __str__(self) -> str:
        return self.pdf_sha256


class DeliveryState(models.TextChoices):
    """A covered entity has one current delivery of a business associate; the next one takes its place."""

    CURRENT = "current", "Current"
    SUPERSEDED = "superseded", "Superseded"


class VerificationDelivery(SharedModel, KeptPackage):
    """A certified packet as one covered entity has it. What was delivered stays: it can't be changed or taken back.

    The viewer's process opens the one ZIP in the vault by this row, so that it is stored once however many have it.
    `sha256` is of the PDF; `due_on` the day by which the next one is due.
    """

    partnership_id = models.UUIDField()
    packet_id = models.UUIDField()
    sender_name = models.CharField(max_length=200)
    recipient_name = models.CharField(max_length=200)
    title = models.CharField(max_length=200)
    scope = models.TextField(max_length=2000, blank=True)
    rule_set = models.CharField(max_length=16, choices=RULE_SETS)
    year = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, choices=DeliveryState, default=DeliveryState.CURRENT)
    certified_at = models.DateTimeField()
    delivered_at = models.DateTimeField()
    due_on = models.DateField()
    sha256 = models.CharField(max_length=64)
    expert_name = models.CharField(max_length=200)
    expert_qualification = models.CharField(max_length=400)
    officer_name = models.CharField(max_length=200)
    officer_title = models.CharField(max_length=200)
    evidenced = models.PositiveSmallIntegerField()
    gaps = models.PositiveSmallIntegerField()
    not_evidenced = models.PositiveSmallIntegerField()
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "partnership_id", "packet_id"], name="assessments_verificationdelivery_once"
            ),
            models.UniqueConstraint(
                fields=["tenant", "partnership_id"],
                condition=models.Q(state=DeliveryState.CURRENT),
                name="assessments_verificationdelivery_current",
            ),
            ImmutableColumns(
                name="assessments_verificationdelivery_fixed",
                columns=(
                    "viewer_id", "partnership_id", "packet_id", "certified_at", "delivered_at", "due_on", "sha256",
                    "package_sha256", "shown_from", "shown_until", "withdrawn_at",
                ),
            ),
        )  # fmt: skip
        indexes = (
            models.Index(fields=["viewer", "partnership_id", "state"], name="delivery_by_partnership"),
        )

    def __str__(self) -> str:
        return f"{self.title} for {self.recipient_name}"

    @property
    def context(self) -> str:
        """What the ZIP's ciphertext is bound to."""
        return package_context(self.tenant_id, self.packet_id)

    @property
    def file_name(self) -> str:
        """What the ZIP is called when it is downloaded."""
        return f"verification-{self.certified_at:%Y-%m-%d}-{str(self.packet_id)[-8:]}.zip"


class VerificationReceipt(SharedModel):
    """The covered entity's answer to a delivery. A refusal has reasons; accepted or refused is said once."""

    partnership_id = models.UUIDField()
    delivery_id = models.UUIDField()
    answer = models.CharField(max_length=16, choices=Answer)
    reasons = models.TextField(max_length=4000, blank=True)
    by_name = models.CharField(max_length=200)
    received_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "delivery_id"], name="assessments_verificationreceipt_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(answer=Answer.REFUSED) | ~models.Q(reasons=""),
                name="assessments_verificationreceipt_reasons",
            ),
        )

    def __str__(self) -> str:
        return self.answer


class Stage(models.TextChoices):
    """When a reminder is sent, seen from the day on which a verification is due."""

    BEFORE = "before", "30 days before"
    DUE = "due", "on the day"
    AFTER = "after", "30 days after"


class VerificationReminder(TenantModel):
    """That the tenant's own people were reminded: once for each day that is due and stage."""

    append_only = True

    partnership_id = models.UUIDField()
    due_on = models.DateField()
    stage = models.CharField(max_length=16, choices=Stage)
    mails = models.PositiveSmallIntegerField()
    sent_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "partnership_id", "due_on", "stage"],
                name="assessments_verificationreminder_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.stage} {self.due_on}"
