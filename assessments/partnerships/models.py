"""The relation between two tenants that an agreement covers, and the invitation that it begins with."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from django.db import models

from accounts.models import Person, Tenant
from accounts.tenancy.models import SharedModel, TenantForeignKey, TenantModel
from accounts.tenancy.rls import ImmutableColumns
from assessments.partners.models import BusinessAssociate


class PartnershipInvitation(TenantModel):
    """An offer to an organisation to join its entry in the register with a tenant of its own. Taken up once.

    Only the SHA-256 of the link's token is kept. `accepted_by_tenant` is who took it up.
    """

    associate = TenantForeignKey(BusinessAssociate, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField(max_length=254)
    token_digest = models.BinaryField(max_length=32)
    invited_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by_tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "token_digest"], name="assessments_partnershipinvitation_token"
            ),
            models.UniqueConstraint(
                fields=["tenant", "associate"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="assessments_partnershipinvitation_open",
            ),
        )
        # The look-up by a link's token knows no tenant.
        indexes = (models.Index(fields=["token_digest"], name="partnershipinvitation_digest"),)

    def __str__(self) -> str:
        return self.email

    def is_open(self, at: datetime) -> bool:
        """Whether its link still works."""
        return self.accepted_at is None and self.revoked_at is None and at < self.expires_at


class Partnership(SharedModel):
    """That the viewer is a business associate, or subcontractor, of the tenant (45 CFR 160.103).

    `tenant` is the upstream party, `viewer` the downstream one, which handles PHI on its behalf. Names are as they were
    when it began, since neither party can read the other's own row. It is withdrawn when it ends.
    """

    associate = TenantForeignKey(BusinessAssociate, on_delete=models.PROTECT, related_name="partnerships")
    upstream_name = models.CharField(max_length=200)
    downstream_name = models.CharField(max_length=200)
    began_at = models.DateTimeField(auto_now_add=True)
    ended_reason = models.TextField(max_length=500, blank=True)
    """Why the upstream party ended it: its own note, written when the downstream one sees the row no more."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "viewer"],
                condition=models.Q(withdrawn_at=None),
                name="assessments_partnership_once",
            ),
            models.UniqueConstraint(
                fields=["tenant", "associate"],
                condition=models.Q(withdrawn_at=None),
                name="assessments_partnership_associate",
            ),
            ImmutableColumns(
                name="assessments_partnership_fixed", columns=("viewer_id", "associate_id", "began_at")
            ),
        )

    def __str__(self) -> str:
        return f"{self.upstream_name} and {self.downstream_name}"

    @property
    def upstream_id(self) -> UUID:
        """The upstream party's tenant; the downstream one's is `viewer_id`."""
        return cast("UUID", self.tenant_id)


class PartnershipDeparture(SharedModel):
    """That the downstream party works for the upstream one no more, by its own word; shown to the upstream party.

    The partnership itself is the upstream party's row, which stands until that party ends it.
    """

    partnership_id = models.UUIDField()
    downstream_name = models.CharField(max_length=200)
    reason = models.TextField(max_length=500)
    left_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "partnership_id"], name="assessments_partnershipdeparture_once"
            ),
            ImmutableColumns(
                name="assessments_partnershipdeparture_fixed",
                columns=("viewer_id", "partnership_id", "left_at"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.downstream_name} left"
