"""A tenant's machines, by which secrets and proofs they come in, and what their writing requests were answered."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from accounts.tenancy.models import TenantForeignKey, TenantModel

AUDITORS_SCOPE = "engagement:audit"
"""The one scope of auditors' clients, which no other client has (accounts.clients.scopes, which knows permissions)."""


class ApiClient(TenantModel):
    """A machine of the tenant's: what it may, for how long, and from where.

    `scopes` are accounts.clients.scopes.Scope values. Empty `safeguards` (citations), `connections` (ids) and
    `networks` (CIDR) narrow nothing. One with an `engagement` (an id) is its auditors', who may read what it shows and
    nothing else, on the auditors' connection. `minute_began_at` and `minute_requests` count for the limit of requests.
    """

    name = models.CharField(max_length=100)
    scopes = ArrayField(models.CharField(max_length=32))
    safeguards = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    connections = ArrayField(models.UUIDField(), default=list, blank=True)
    networks = ArrayField(models.CharField(max_length=43), default=list, blank=True)
    engagement = models.UUIDField(null=True, blank=True)
    created_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_address = models.GenericIPAddressField(null=True, blank=True)
    minute_began_at = models.DateTimeField(null=True, blank=True)
    minute_requests = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = (models.Index(fields=["tenant", "-created_at"], name="apiclient_newest"),)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(engagement=None)
                ^ models.Q(scopes__contains=[AUDITORS_SCOPE], scopes__len=1),
                name="accounts_apiclient_auditors",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def is_live(self, at: datetime) -> bool:
        """Whether it is let in."""
        return self.revoked_at is None and at < self.expires_at

    @property
    def state(self) -> str:
        """In one word: active, revoked or expired."""
        if self.revoked_at:
            return "revoked"
        return "active" if timezone.now() < self.expires_at else "expired"


class ApiSecret(TenantModel):
    """A secret of a client, of which only the digest is kept (SHA-256), and its last four characters for people."""

    client = TenantForeignKey(ApiClient, on_delete=models.CASCADE, related_name="secrets")
    secret_digest = models.BinaryField(max_length=32)
    ending = models.CharField(max_length=4)
    created_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "client", "secret_digest"], name="accounts_apisecret_once"
            ),
        )

    def __str__(self) -> str:
        return f"…{self.ending}"


class TrustKind(models.TextChoices):
    """Who says who a client without a secret is."""

    AWS = "aws", "AWS"
    OIDC = "oidc", "CI system (OpenID Connect)"


class ClientTrust(TenantModel):
    """Whom a client may prove to be, in place of a secret.

    Of AWS: `account` and `arn`, a role or user whose last part may hold `*`. Of OpenID Connect: `issuer`, `audience`
    (empty: this portal's address) and `subject`, which may hold `*`; `keys` is the issuer's JWK set as it was fetched.
    `last_proven` is who came last: an ARN or a subject.
    """

    client = TenantForeignKey(ApiClient, on_delete=models.CASCADE, related_name="trusts")
    kind = models.CharField(max_length=8, choices=TrustKind)
    account = models.CharField(max_length=12, blank=True)
    arn = models.CharField(max_length=512, blank=True)
    issuer = models.CharField(max_length=500, blank=True)
    audience = models.CharField(max_length=500, blank=True)
    subject = models.CharField(max_length=255, blank=True)
    keys = models.JSONField(default=dict, blank=True)
    keys_fetched_at = models.DateTimeField(null=True, blank=True)
    keys_asked_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_proven = models.CharField(max_length=512, blank=True)

    def __str__(self) -> str:
        return self.arn or self.subject


class SpentProof(models.Model):
    """A proof that was used, by its SHA-256, for as long as it could be used again; whoever's client it was."""

    digest = models.BinaryField(max_length=32, primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return "spent proof"


class KeptAnswer(TenantModel):
    """What a writing request was answered, so that its repetition gets the same bytes (Idempotency-Key).

    `caller` is a client's id or a person's. `asked_digest` is the SHA-256 of method, address and body. The answer's
    body can hold a secret that is shown once: `sealed_body` is sealed (accounts.sealing).
    """

    caller = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    asked_digest = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    sealed_body = models.BinaryField()
    answered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "caller", "key"], name="accounts_keptanswer_once"),
        )
        indexes = (models.Index(fields=["tenant", "answered_at"], name="keptanswer_age"),)

    def __str__(self) -> str:
        return f"answer {self.status}"
