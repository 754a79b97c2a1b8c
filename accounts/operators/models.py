"""Windows through which one person of the operator's staff sees a tenant, for hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from django.db import models
from django.db.models import F, Q

from accounts.tenancy.models import TenantModel
from accounts.tenancy.rls import ImmutableColumns

LONGEST_HOURS = 8
EMERGENCY_HOURS = 1


class WindowState(StrEnum):
    """Where a window is on its way."""

    ASKED = "asked"
    APPROVED = "approved"
    OPEN = "open"
    REFUSED = "refused"
    REVOKED = "revoked"
    ENDED = "ended"

    @property
    def label(self) -> str:
        """The words shown to people."""
        return {"asked": "Waits for a second operator", "approved": "Waits for an owner"}.get(
            self.value, self.value.capitalize()
        )


class OperatorWindow(TenantModel):
    """What one operator asked for, another approved, and an owner granted.

    An emergency window (45 CFR 164.312(a)(2)(ii)) is opened by the approval, where the tenant allows that.
    """

    asked_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    reason = models.CharField(max_length=500)
    ticket = models.CharField(max_length=64)
    hours = models.PositiveSmallIntegerField()
    emergency = models.BooleanField(default=False)
    approved_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    granted_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    opened_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    with_evidence = models.BooleanField(default=False)
    closed_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            ImmutableColumns(
                name="accounts_operatorwindow_fixed",
                columns=("asked_by_id", "asked_at", "reason", "ticket", "hours", "emergency"),
            ),
            models.CheckConstraint(
                name="accounts_operatorwindow_two_operators",
                condition=Q(approved_by=None) | ~Q(approved_by=F("asked_by")),
            ),
            models.CheckConstraint(
                name="accounts_operatorwindow_hours", condition=Q(hours__gte=1, hours__lte=LONGEST_HOURS)
            ),
            models.CheckConstraint(
                name="accounts_operatorwindow_opened",
                condition=Q(opened_at=None, ends_at=None)
                | Q(
                    Q(granted_by__isnull=False) | Q(emergency=True, hours__lte=EMERGENCY_HOURS),
                    approved_by__isnull=False,
                    opened_at__isnull=False,
                    ends_at__lte=F("opened_at") + timedelta(hours=LONGEST_HOURS),
                ),
            ),
        )
        indexes = (models.Index(fields=["tenant", "ends_at"], name="operatorwindow_end"),)

    def __str__(self) -> str:
        return f"{self.ticket}: {self.reason}"

    def state(self, at: datetime) -> WindowState:
        """Where it is at a time."""
        if self.closed_at:
            return WindowState.REVOKED if self.opened_at else WindowState.REFUSED
        if self.ends_at:
            return WindowState.OPEN if at < self.ends_at else WindowState.ENDED
        return WindowState.APPROVED if self.approved_at else WindowState.ASKED
