"""Grants, and what they show: rows of the party that shows, read by the one other tenant that each names."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from accounts.models import Person
from accounts.tenancy.models import SharedModel
from accounts.tenancy.rls import ImmutableColumns
from assessments.sharing.levels import Level


class SharingGrant(SharedModel):
    """A business associate's consent to show safeguards to the upstream party of one partnership.

    It holds from `shown_from` until `shown_until` (NULL: until it is revoked) or `withdrawn_at`. Its terms never
    change: changing them is to revoke it and to make the next `version`. `citations` are in the order of the Rule.
    """

    partnership_id = models.UUIDField()
    citations = ArrayField(models.CharField(max_length=32))
    level = models.PositiveSmallIntegerField(choices=Level)
    version = models.PositiveIntegerField()
    upstream_name = models.CharField(max_length=200)
    downstream_name = models.CharField(max_length=200)
    granted_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", db_index=False)
    granted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "partnership_id"],
                condition=models.Q(withdrawn_at=None),
                name="assessments_sharinggrant_standing",
            ),
            models.UniqueConstraint(
                fields=["tenant", "partnership_id", "version"], name="assessments_sharinggrant_version"
            ),
            ImmutableColumns(
                name="assessments_sharinggrant_fixed",
                columns=(
                    "viewer_id", "partnership_id", "citations", "level", "version", "shown_from", "shown_until",
                    "granted_by_id", "granted_at",
                ),
            ),
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.downstream_name} to {self.upstream_name}, version {self.version}"


class Counts(models.Model):
    """How many of a grant's safeguards have which status.

    `not_evidenced`: nothing was found that could be judged. `undetermined`: something was looked at that doesn't
    decide it. `required_gaps` are those among `gaps` that the Rule doesn't let a party replace (164.306(d)(2)).
    """

    evidenced = models.PositiveSmallIntegerField()
    gaps = models.PositiveSmallIntegerField()
    not_evidenced = models.PositiveSmallIntegerField()
    undetermined = models.PositiveSmallIntegerField()
    required_gaps = models.PositiveSmallIntegerField()

    class Meta:
        abstract = True


class SharedPosture(SharedModel, Counts):
    """What a grant shows now; one row a grant. assessments.sharing.compose says what is in it at each level.

    `as_of`: the newest evaluation; at level 1, which shows no freshness, when the content last changed.
    `digest` is of the content without its times of collection, so that what is unchanged isn't written again.
    """

    grant_id = models.UUIDField()
    partnership_id = models.UUIDField()
    level = models.PositiveSmallIntegerField(choices=Level)
    upstream_name = models.CharField(max_length=200)
    downstream_name = models.CharField(max_length=200)
    oldest_evidence_at = models.DateTimeField(null=True, blank=True)
    as_of = models.DateTimeField()
    published_at = models.DateTimeField()
    digest = models.CharField(max_length=64)
    statuses = models.JSONField(default=list)
    findings = models.JSONField(default=list)
    evidence = models.JSONField(default=list)
    collected = models.JSONField(default=dict)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "grant_id"], name="assessments_sharedposture_once"),
            ImmutableColumns(
                name="assessments_sharedposture_fixed",
                columns=("viewer_id", "grant_id", "partnership_id", "level", "shown_from", "shown_until"),
            ),
        )
        indexes = (models.Index(fields=["viewer", "partnership_id"], name="sharedposture_partner"),)

    def __str__(self) -> str:
        return f"{self.downstream_name} to {self.upstream_name}"


class SharedPosturePoint(SharedModel, Counts):
    """The counts from `at` on, until the next point of the same grant: what a chart over time is drawn from."""

    grant_id = models.UUIDField()
    partnership_id = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        constraints = (
            ImmutableColumns(
                name="assessments_sharedposturepoint_fixed",
                columns=(
                    "viewer_id", "grant_id", "partnership_id", "at", "shown_from", "shown_until", "evidenced",
                    "gaps", "not_evidenced", "undetermined", "required_gaps",
                ),
            ),
        )  # fmt: skip
        indexes = (
            models.Index(fields=["tenant", "grant_id", "at"], name="posturepoint_grant"),
            models.Index(fields=["viewer", "partnership_id", "at"], name="posturepoint_partner"),
        )

    def __str__(self) -> str:
        return f"{self.evidenced} evidenced, {self.gaps} gaps at {self.at:%Y-%m-%d %H:%M}"

    @property
    def words(self) -> str:
        """The counts as a sentence, for who can't see the bar."""
        return (
            f"{self.evidenced} evidenced, {self.gaps} with a gap, {self.undetermined} not decided,"
            f" {self.not_evidenced} without evidence"
        )
