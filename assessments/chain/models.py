"""What is told up the chain of subcontractors, by whose consent, and the alerts that come of it.

States and reasons are words of assessments.chain.words.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from accounts.models import Person, Tenant
from accounts.tenancy.models import SharedModel, TenantForeignKey, TenantModel
from accounts.tenancy.rls import ImmutableColumns
from assessments.partners.models import BusinessAssociate

LEVELS = 6
"""How deep the chain is told: level 1 is a business associate's own subcontractor."""


class ChainConsent(TenantModel):
    """That a subcontractor of the tenant handles the PHI of one upstream party, and what that party may know of it.

    `partnership_id` is the received partnership, `upstream` its other party.
    """

    partnership_id = models.UUIDField()
    upstream = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, editable=False, db_index=False, related_name="+"
    )
    associate = TenantForeignKey(BusinessAssociate, on_delete=models.PROTECT, related_name="chain_consents")
    service = models.CharField(max_length=16)
    telling = models.CharField(max_length=16, default="nothing")
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "partnership_id", "associate"], name="assessments_chainconsent_once"
            ),
            ImmutableColumns(
                name="assessments_chainconsent_fixed",
                columns=("partnership_id", "upstream_id", "associate_id"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.associate_id}: {self.telling}"


class ChainNode(SharedModel):
    """What the viewer is told of one subcontractor at or below the tenant, under one partnership of the two.

    `path` leads to it by the viewer's pseudonyms, its own last; `depth` is its length. `name` is empty until every
    tenant on the way has unmasked it. `subject` is for the next tenant on the way up alone: which organisation it is,
    as a keyed digest, sealed for the viewer. Rows are changed in place and withdrawn; `changed_at` says when.
    """

    partnership_id = models.UUIDField()
    pseudonym = models.CharField(max_length=32)
    service = models.CharField(max_length=16)
    agreement_state = models.CharField(max_length=16)
    verified_at = models.DateTimeField(null=True, blank=True)
    broken = ArrayField(models.CharField(max_length=32))
    depth = models.PositiveSmallIntegerField()
    path = ArrayField(models.CharField(max_length=32))
    name = models.CharField(max_length=200, blank=True)
    subject = models.BinaryField(max_length=128)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "partnership_id", "path"],
                condition=models.Q(withdrawn_at=None),
                name="assessments_chainnode_once",
            ),
            models.CheckConstraint(
                condition=models.Q(depth__gte=1, depth__lte=LEVELS), name="assessments_chainnode_depth"
            ),
            ImmutableColumns(name="assessments_chainnode_fixed", columns=("viewer_id", "partnership_id")),
        )
        indexes = (
            models.Index(
                fields=["viewer", "partnership_id"],
                condition=models.Q(withdrawn_at=None),
                name="chainnode_told",
            ),
            models.Index(fields=["changed_at"], name="chainnode_changed"),
        )

    def __str__(self) -> str:
        return self.pseudonym


class ChainAlert(TenantModel):
    """A broken link below a business associate of the tenant. It holds no name: that is looked up while it is told.

    One row a break: a link that breaks again makes another.
    """

    associate = TenantForeignKey(BusinessAssociate, on_delete=models.PROTECT, related_name="chain_alerts")
    partnership_id = models.UUIDField()
    pseudonym = models.CharField(max_length=32)
    service = models.CharField(max_length=16)
    path = ArrayField(models.CharField(max_length=32))
    reasons = ArrayField(models.CharField(max_length=32))
    began_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "partnership_id", "path"],
                condition=models.Q(ended_at=None),
                name="assessments_chainalert_once",
            ),
        )
        indexes = (models.Index(fields=["tenant", "associate", "began_at"], name="chainalert_associate"),)

    def __str__(self) -> str:
        return f"{self.pseudonym}: {', '.join(self.reasons)}"


class ChainState(TenantModel):
    """When what the tenant tells was last computed, and since when it is to be computed again, if it is.

    `computed_at` is the time before anything was read.
    """

    computed_at = models.DateTimeField(null=True)
    stale_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["tenant"], name="assessments_chainstate_once"),)
        indexes = (
            models.Index(
                fields=["stale_at"], condition=models.Q(stale_at__isnull=False), name="chainstate_stale"
            ),
        )

    def __str__(self) -> str:
        return f"computed {self.computed_at}"
