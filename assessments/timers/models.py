"""What is to happen to a row at a time."""

from __future__ import annotations

from django.db import models

from accounts.tenancy.models import TenantModel


class Timer(TenantModel):
    """That the handler of `kind` is called for the row `row_id` at `due_at`. One a kind and row: setting it moves it.

    `ring_at` is when a worker looks at it next: the due time, later after a failure, NULL once it is done.
    """

    kind = models.CharField(max_length=64)
    row_id = models.UUIDField()
    due_at = models.DateTimeField()
    ring_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "kind", "row_id"], name="assessments_timer_once"),
        )
        indexes = (
            models.Index(fields=["ring_at"], condition=models.Q(ring_at__isnull=False), name="timer_due"),
        )

    def __str__(self) -> str:
        return f"{self.kind} at {self.due_at:%Y-%m-%d %H:%M}"
