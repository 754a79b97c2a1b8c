"""The register of business associates, and drafts of imports into it."""

from __future__ import annotations

from typing import Any

from django.db import models

from accounts.models import Person
from accounts.tenancy.models import TenantModel
from assessments.partners.tiers import Exposure, Reach, Tier, Volume, tier_of


class BusinessAssociate(TenantModel):
    """A business associate as its covered entity keeps it (45 CFR 160.103); it need not use the portal itself.

    `reference` is the tenant's own key for it, by which an import finds it again. Notes never hold PHI.
    """

    reference = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    services = models.TextField(max_length=2000, blank=True)
    creates = models.BooleanField(default=False)
    receives = models.BooleanField(default=False)
    maintains = models.BooleanField(default=False)
    transmits = models.BooleanField(default=False)
    volume = models.CharField(
        max_length=16, default=Volume.UNKNOWN, choices=[(each, each.label) for each in Volume]
    )
    reach = models.CharField(
        max_length=16, default=Reach.UNKNOWN, choices=[(each, each.label) for each in Reach]
    )
    systems = models.TextField(max_length=2000, blank=True)
    minimum_necessary = models.TextField(max_length=2000, blank=True)
    contact_name = models.CharField(max_length=200, blank=True)
    contact_email = models.EmailField(max_length=254, blank=True)
    official_name = models.CharField(max_length=200, blank=True)
    official_email = models.EmailField(max_length=254, blank=True)
    tier = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "reference"], name="assessments_businessassociate_reference"
            ),
        )
        indexes = (models.Index(fields=["tenant", "tier", "name", "id"], name="businessassociate_tier"),)

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves the row with the tier that follows from it."""
        self.tier = self.explained_tier.number
        super().save(*args, **kwargs)

    @property
    def explained_tier(self) -> Tier:
        """The tier with its reasons."""
        return tier_of(Exposure(self.maintains, Volume(self.volume), Reach(self.reach)))

    @property
    def phi_roles(self) -> list[str]:
        """What it does with PHI, in the Rule's words."""
        return [word for word in ("creates", "receives", "maintains", "transmits") if getattr(self, word)]


class BusinessAssociateImport(TenantModel):
    """A sheet that was read and compared with the register. Nothing of it counts until it is confirmed.

    `lines` is a list of what each row would do: see assessments.partners.sheets.Line.
    """

    file_sha256 = models.CharField(max_length=64)
    lines = models.JSONField()
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{len(self.lines)} lines"
