"""Where a tenant's log is sent. The row is the queue: its position says what the receiver has not acknowledged."""

from __future__ import annotations

from django.db import models

from accounts.tenancy.models import TenantModel


class StreamKind(models.TextChoices):
    WEBHOOK = "webhook", "Webhook"
    SYSLOG = "syslog", "Syslog over TLS"


class StreamState(models.TextChoices):
    """`FAILING` is active too: it is tried again, ever more rarely."""

    ACTIVE = "active", "Active"
    FAILING = "failing", "Failing"
    PAUSED = "paused", "Paused"


class AuditStream(TenantModel):
    """A receiver of the tenant's log, in the order of the leaves, each at least once.

    `position` is the index of the next leaf to send. A worker holds the row by `lease_until` and `fence`.
    """

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=16, choices=StreamKind)
    target = models.CharField(max_length=2048)
    """An https address, or host:port."""
    authority = models.TextField(blank=True)
    """The certificates (PEM) of the receiver's own authority; empty for the public ones."""
    secret = models.BinaryField(default=bytes)
    """The webhook's signing secret, sealed (accounts.sealing)."""
    state = models.CharField(max_length=16, choices=StreamState, default=StreamState.ACTIVE)
    position = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    due_at = models.DateTimeField(auto_now_add=True)
    """When it is tried next."""
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)

    class Meta:
        indexes = (models.Index(fields=["due_at"], name="auditstream_due"),)

    def __str__(self) -> str:
        return self.name
