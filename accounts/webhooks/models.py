"""Endpoints of a tenant, and the outbox: messages in the act's transaction, one delivery for each endpoint."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from accounts.tenancy.models import TenantForeignKey, TenantModel


class DeliveryState(models.TextChoices):
    """`DEAD` is tried no more, unless somebody replays it."""

    PENDING = "pending", "Waiting"
    DELIVERED = "delivered", "Delivered"
    DEAD = "dead", "Dead letter"


class WebhookEndpoint(TenantModel):
    """An address of the tenant's own that is told of events.

    `secret` signs, and beside it `previous_secret` until `previous_until`; both are sealed (accounts.sealing).
    `failing_since` is when deliveries began to fail without one that succeeded.
    """

    description = models.CharField(max_length=200)
    url = models.CharField(max_length=2048)
    events = ArrayField(models.CharField(max_length=64))
    """Values of EventType."""
    secret = models.BinaryField()
    previous_secret = models.BinaryField(default=bytes)
    previous_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    disabled_at = models.DateTimeField(null=True)
    disabled_reason = models.CharField(max_length=300, blank=True)
    delivered_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.description


class WebhookMessage(TenantModel):
    """An event, written in the transaction of what happened.

    `key` tells it from others of its type, so that it is written once; `data` is what receivers get.
    """

    type = models.CharField(max_length=64)
    key = models.CharField(max_length=200)
    data = models.JSONField()
    occurred_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "type", "key"], name="accounts_webhookmessage_once"),
        )
        indexes = (models.Index(fields=["occurred_at"], name="webhookmessage_age"),)

    def __str__(self) -> str:
        return self.type


class WebhookDelivery(TenantModel):
    """One message on its way to one endpoint. The row is the queue: a worker holds it by `lease_until` and `fence`."""

    endpoint = TenantForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    message = TenantForeignKey(WebhookMessage, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=16, choices=DeliveryState, default=DeliveryState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    """What the receiver answered last, if it did."""
    error = models.CharField(max_length=300, blank=True)
    answer = models.TextField(blank=True)
    """The beginning of the last answer's body, 1 kB at most: a stranger's words."""
    milliseconds = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "endpoint", "message"], name="accounts_webhookdelivery_once"
            ),
        )
        indexes = (
            models.Index(fields=["due_at"], condition=models.Q(state="pending"), name="webhookdelivery_due"),
            models.Index(fields=["tenant", "endpoint", "state", "id"], name="webhookdelivery_list"),
            models.Index(fields=["tenant", "message"], name="webhookdelivery_message"),
        )

    def __str__(self) -> str:
        return self.state


class WebhookHandover(TenantModel):
    """An event of another tenant that came about here: written in the act's transaction, handed over after it."""

    type = models.CharField(max_length=64)
    key = models.CharField(max_length=200)
    to_tenant_id = models.UUIDField()
    data = models.JSONField()
    occurred_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (models.Index(fields=["occurred_at"], name="webhookhandover_age"),)

    def __str__(self) -> str:
        return self.type
