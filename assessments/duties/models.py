"""The link by which a member's calendar program reads the duties."""

from __future__ import annotations

from django.db import models

from accounts.models import Person
from accounts.tenancy.models import TenantModel


class CalendarFeed(TenantModel):
    """A member's private link to the calendar of duties. Only the SHA-256 of its token is kept.

    A member has one that works: the next one ends it. It answers as long as the member's role may read the calendar.
    `asked` of `asked_since` count its requests, for the limit. `told_on`: the last day on which those were told whose
    rows it showed.
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    token_digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    told_on = models.DateField(null=True, blank=True)
    asked = models.PositiveIntegerField(default=0)
    asked_since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "token_digest"], name="assessments_calendarfeed_token"),
            models.UniqueConstraint(
                fields=["tenant", "person"],
                condition=models.Q(revoked_at=None),
                name="assessments_calendarfeed_live",
            ),
        )
        # The look-up by a link's token knows no tenant.
        indexes = (models.Index(fields=["token_digest"], name="calendarfeed_digest"),)

    def __str__(self) -> str:
        return f"calendar link of {self.created_at:%Y-%m-%d}"
