"""The audit log's tables. Written by accounts.audit alone; what is sealed is never changed or deleted.

The web application and the workers write entries and ask for signatures; all else is the sealer's (sealer.py).
"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from accounts.tenancy.models import TenantModel
from accounts.tenancy.rls import AppendOnly, WrittenBySealer


class TransactionIdField(models.Field):  # type: ignore[type-arg]
    """PostgreSQL's 64-bit transaction id: orders entries by commit visibility for whoever seals the log."""

    def db_type(self, connection: object) -> str:  # noqa: ARG002
        return "xid8"

    def from_db_value(self, value: str | None, *_: object) -> int | None:
        return None if value is None else int(value)

    def get_prep_value(self, value: int | None) -> str | None:
        return None if value is None else str(value)


class CurrentTransactionId(models.Func):
    """The id of the transaction that inserts the row."""

    function = "pg_current_xact_id"
    arity = 0


class AuditEntry(TenantModel):
    """Who did or read what, when, how it ended. `body` is the whole entry as canonical JSON, `mac` its HMAC."""

    append_only = True
    sealer_sees = True

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
            # Any filter of the page is a few dives into one of these (accounts.audit.search); ids hold the time.
            models.Index(fields=["tenant", "act", "outcome", "id"], name="auditentry_by_act"),
            models.Index(fields=["tenant", "actor_id", "act", "outcome", "id"], name="auditentry_by_actor"),
            models.Index(fields=["tenant", "object_id", "act", "outcome", "id"], name="auditentry_by_object"),
            models.Index(
                fields=["tenant", "actor_id", "object_id", "act", "outcome", "id"], name="auditentry_by_both"
            ),
            models.Index(fields=["transaction_id", "id"], name="auditentry_sealing"),
        )

    def __str__(self) -> str:
        return f"{self.act} {self.outcome} by {self.actor_name}"


class AuditLeaf(TenantModel):
    """An entry's place in its tenant's tree. Its id is the entry's: `AuditLeaf.objects.in_bulk(entry ids)`.

    No foreign key holds it to the entry, since checking one would write to every entry again.
    """

    append_only = True
    sealer_sees = True

    leaf_index = models.BigIntegerField()
    """From 0, without gaps: the order of the log."""
    leaf_hash = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "leaf_index"], name="accounts_auditleaf_index"),
            WrittenBySealer(name="accounts_auditleaf_sealer"),
        )

    def __str__(self) -> str:
        return f"leaf {self.leaf_index}"


class AuditTile(TenantModel):
    """The root of a complete subtree of 256 ** level leaves, so that a proof reads at most 256 rows a level."""

    append_only = True
    sealer_sees = True

    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "level", "index"], name="accounts_audittile_place"),
            WrittenBySealer(name="accounts_audittile_sealer"),
        )

    def __str__(self) -> str:
        return f"tile {self.level}/{self.index}"


class AuditCheckpoint(TenantModel):
    """A tenant's tree at one size: `note` is its signed C2SP checkpoint, whose text is a leaf of the global log."""

    append_only = True
    sealer_sees = True

    size = models.BigIntegerField()
    root = models.BinaryField(max_length=32)
    note = models.TextField()
    epoch = models.IntegerField()
    created_at = models.DateTimeField()
    global_index = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "size"], name="accounts_auditcheckpoint_size"),
            WrittenBySealer(name="accounts_auditcheckpoint_sealer"),
        )
        indexes = (models.Index(fields=["global_index"], name="auditcheckpoint_global"),)

    def __str__(self) -> str:
        return f"checkpoint of {self.size} leaves"


class AuditSignature(TenantModel):
    """A text that the application asks the sealer to sign. Signed within a second or two while the sealer runs."""

    sealer_sees = True

    text = models.TextField()
    note = models.TextField(null=True)
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    signed_at = models.DateTimeField(null=True)
    """When it was signed, or refused: then there is no note."""

    class Meta:
        constraints = (
            WrittenBySealer(name="accounts_auditsignature_sealer", updates=("note", "signed_at"), asked=True),
        )
        indexes = (
            models.Index(
                fields=["asked_at"], condition=models.Q(signed_at=None), name="auditsignature_asked"
            ),
        )

    def __str__(self) -> str:
        return self.text.partition("\n")[0]


class AuditGlobalLeaf(models.Model):
    """A leaf of the log of all tenants' checkpoints: the hash of a checkpoint's text, which says nothing by itself."""

    index = models.BigIntegerField(primary_key=True)
    leaf_hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = (
            WrittenBySealer(name="accounts_auditgloballeaf_sealer"),
            AppendOnly(name="accounts_auditgloballeaf_append_only"),
        )

    def __str__(self) -> str:
        return f"global leaf {self.index}"


class AuditGlobalTile(models.Model):
    """As AuditTile, of the log of checkpoints."""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = (
            WrittenBySealer(name="accounts_auditglobaltile_sealer"),
            AppendOnly(name="accounts_auditglobaltile_append_only"),
        )

    def __str__(self) -> str:
        return f"global tile {self.level}/{self.index}"


class AuditAnchor(models.Model):
    """The log of checkpoints at one size, signed, to be kept outside the database; `anchored_at` once it is."""

    size = models.BigIntegerField(primary_key=True)
    epoch = models.IntegerField()
    note = models.TextField()
    created_at = models.DateTimeField()
    location = models.TextField(blank=True)
    anchored_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            WrittenBySealer(name="accounts_auditanchor_sealer", updates=("location", "anchored_at")),
        )
        indexes = (
            models.Index(fields=["size"], condition=models.Q(anchored_at=None), name="auditanchor_waiting"),
        )

    def __str__(self) -> str:
        return f"anchor of {self.size} checkpoints"


class AuditKey(models.Model):
    """A key that signs checkpoints: its public half. `certificate` is the note of the key before over it, if any."""

    key_id = models.CharField(max_length=8, primary_key=True)
    vkey = models.CharField(max_length=128)
    public_key = models.BinaryField(max_length=32)
    certificate = models.TextField(null=True)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (WrittenBySealer(name="accounts_auditkey_sealer", updates=("retired_at",)),)

    def __str__(self) -> str:
        return self.vkey


class AuditEpoch(models.Model):
    """A stretch of the database's life: a new one begins where it was restored, moved, or lacks what is anchored."""

    number = models.IntegerField(primary_key=True)
    started_at = models.DateTimeField()
    reason = models.CharField(max_length=32)
    """Of accounts.audit.epochs.Reason."""
    system_identifier = models.CharField(max_length=20)
    timeline = models.BigIntegerField()
    size = models.BigIntegerField()
    """How many checkpoints the global log had then."""
    anchored_epoch = models.IntegerField(null=True)
    anchored_size = models.BigIntegerField(null=True)
    """The newest anchored checkpoint then. More than `size`: so many are missing from the database."""

    class Meta:
        constraints = (
            WrittenBySealer(name="accounts_auditepoch_sealer"),
            AppendOnly(name="accounts_auditepoch_append_only"),
        )

    def __str__(self) -> str:
        return f"epoch {self.number}: {self.reason}"


class AuditSealer(models.Model):
    """How far the sealer is: the one row of its state. Entries up to the position have leaves.

    The entries of a restored database bear the old cluster's transaction ids, which mean nothing in the new one. So an
    epoch begins with a pass over all entries: from `catching_up_from`, the oldest transaction that was running then,
    the sealer goes on by position. Up to `mixed_until` it meets entries again that the pass has sealed.
    """

    id = models.SmallIntegerField(primary_key=True)
    epoch = models.IntegerField()
    position_xid = TransactionIdField()
    position_id = models.UUIDField()
    catching_up_from = TransactionIdField(null=True)
    mixed_until = TransactionIdField()
    seen_at = models.DateTimeField()
    """When the sealer last ran: it says so every few seconds."""

    class Meta:
        constraints = (
            WrittenBySealer(
                name="accounts_auditsealer_state",
                updates=(
                    "epoch",
                    "position_xid",
                    "position_id",
                    "catching_up_from",
                    "mixed_until",
                    "seen_at",
                ),
            ),
            models.CheckConstraint(condition=models.Q(id=1), name="accounts_auditsealer_one"),
        )

    def __str__(self) -> str:
        return f"sealer at {self.position_xid}"
