"""The audit log's table. Written by accounts.audit alone; never changed or deleted by anybody."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from accounts.tenancy.models import TenantModel


class TransactionIdField(models.Field):  # type: ignore[type-arg]
    """PostgreSQL's 64-bit transaction id: orders entries by commit visibility for whoever seals the log."""

    def db_type(self, connection: object) -> str:  # noqa: ARG002
        return "xid8"

    def from_db_value(self, value: str | None, *_: object) -> int | None:
        return None if value is None else int(value)


class CurrentTransactionId(models.Func):
    """The id of the transaction that inserts the row."""

    function = "pg_current_xact_id"
    arity = 0


class AuditEntry(TenantModel):
    """Who did or read what, when, how it ended. `body` is the whole entry as canonical JSON, `mac` its HMAC."""

    append_only = True

    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    transaction_id = TransactionIdField(
        db_default=CurrentTransactionId(output_field=TransactionIdField()), editable=False
    )
    act = models.CharField(max_length=64)
    outcome = models.CharField(max_length=16)
    object_type = models.CharField(max_length=32, blank=True)
    object_id = models.CharField(max_length=256, blank=True)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_name = models.CharField(max_length=254, blank=True)
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    body = models.BinaryField()
    mac = models.BinaryField()
    mac_key_id = models.CharField(max_length=32)

    class Meta:
        indexes = (
            models.Index(fields=["tenant", "-occurred_at", "-id"], name="auditentry_time"),
            models.Index(fields=["tenant", "act", "-occurred_at", "-id"], name="auditentry_act"),
            models.Index(fields=["tenant", "actor_id", "-occurred_at", "-id"], name="auditentry_actor"),
            models.Index(fields=["tenant", "object_id", "-occurred_at"], name="auditentry_object"),
        )

    def __str__(self) -> str:
        return f"{self.act} {self.outcome} by {self.actor_name}"
