"""A tenant's identity providers, its verified domains, and the people whom a provider knows."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.urls import reverse

from accounts.permissions import Role
from accounts.tenancy.models import TenantForeignKey, TenantModel

MAPPED_ROLES = (Role.OWNER, Role.SECURITY_OFFICIAL, Role.CONTRIBUTOR, Role.VIEWER)
"""The roles that a provider's groups may give. Auditors come by invitation alone, for their time and scope."""
JIT_ROLES = MAPPED_ROLES[1:]
"""The roles that a person without a mapped group may get: an owner is always made on purpose."""
LONGEST_SUBJECT = 512


class ProviderKind(models.TextChoices):
    """The protocol that a provider speaks."""

    OIDC = "oidc", "OpenID Connect"
    SAML = "saml", "SAML 2.0"


class SecondFactorProof(models.TextChoices):
    """When a provider's word counts as a second factor."""

    NEVER = "never", "Never: ask our own second factor after it"
    WHEN_SAID = "when_said", "When its answer says so (amr, acr or AuthnContext)"
    ALWAYS = "always", "Always: it asks for one at every sign-in"


class Purpose(models.TextChoices):
    """What a round trip to a provider is for."""

    SIGN_IN = "sign_in"
    STEP_UP = "step_up"
    TEST = "test"


class IdentityProvider(TenantModel):
    """Where a tenant's people prove who they are.

    `issuer` is OIDC's issuer or SAML's entity ID. `endpoints` are OIDC's discovery values or SAML's
    {"sign_in": url}; `keys` a JWK set or {"certificates": [base64 DER]}. `client_secret` is sealed.
    `second_factor_values` are amr, acr or AuthnContextClassRef values that mean a second factor.
    """

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=8, choices=ProviderKind)
    issuer = models.CharField(max_length=1000, blank=True)
    client_id = models.CharField(max_length=255, blank=True)
    client_secret = models.BinaryField(blank=True, default=b"")
    metadata_url = models.CharField(max_length=1000, blank=True)
    endpoints = models.JSONField(default=dict, blank=True)
    keys = models.JSONField(default=dict, blank=True)
    keys_fetched_at = models.DateTimeField(null=True, blank=True)
    email_claim = models.CharField(max_length=255, default="email")
    groups_claim = models.CharField(max_length=255, default="groups", blank=True)
    provider_proves_second_factor = models.CharField(
        max_length=16, choices=SecondFactorProof, default=SecondFactorProof.NEVER
    )
    second_factor_values = models.JSONField(default=list, blank=True)
    just_in_time = models.BooleanField(default=True)
    default_role = models.CharField(
        max_length=32, default=Role.VIEWER.value, choices=[(role.value, role.label) for role in JIT_ROLES]
    )
    listed = models.BooleanField(default=True)
    enabled = models.BooleanField(default=False)
    tested_at = models.DateTimeField(null=True, blank=True)
    test_report = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    @property
    def is_oidc(self) -> bool:
        return self.kind == ProviderKind.OIDC

    @property
    def is_set_up(self) -> bool:
        """Whether everything is there that a sign-in needs."""
        return bool(self.issuer and self.endpoints and (not self.is_oidc or self.client_id))

    @property
    def secret_place(self) -> str:
        """Where the client secret is sealed for."""
        return f"sso:{self.pk}"

    @property
    def start_path(self) -> str:
        return reverse("sso-start", args=[self.pk])


class VerifiedDomain(TenantModel):
    """A mail domain that a tenant says is its own; `verified_at` tells since when DNS has said so too.

    The newest proof of all tenants holds (accounts.sso.domains.holder), so that a row alone proves nothing.
    """

    domain = models.CharField(max_length=253)
    challenge = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "domain"], name="accounts_verifieddomain_once"),
        )
        indexes = (models.Index(fields=["domain"], name="verifieddomain_domain"),)

    def __str__(self) -> str:
        return self.domain


class GroupRole(TenantModel):
    """A group of a provider whose people get a role."""

    provider = TenantForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="+")
    group = models.CharField(max_length=255)
    role = models.CharField(max_length=32, choices=[(role.value, role.label) for role in MAPPED_ROLES])

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "provider", "group"], name="accounts_grouprole_once"),
        )

    def __str__(self) -> str:
        return f"{self.group} as {self.role}"


class ExternalIdentity(TenantModel):
    """A person as a provider knows them, by its subject. `role_given` is the role that groups gave last."""

    provider = TenantForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=LONGEST_SUBJECT)
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    email = models.EmailField(max_length=254)
    role_given = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "provider", "subject"], name="accounts_externalidentity_subject"
            ),
            models.UniqueConstraint(
                fields=["tenant", "provider", "person"], name="accounts_externalidentity_person"
            ),
        )

    def __str__(self) -> str:
        return f"{self.email} ({self.subject})"


class SsoFlow(TenantModel):
    """A round trip to a provider, answered once, within minutes, by the browser that began it.

    `handle` is OIDC's state or SAML's request ID; `browser` the SHA-256 of the cookie. `asserted` holds a SAML
    answer that was verified, until the browser fetches it.
    """

    provider = TenantForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=16, choices=Purpose)
    handle = models.CharField(max_length=64)
    browser = models.BinaryField(max_length=32)
    nonce = models.CharField(max_length=64, blank=True)
    verifier = models.CharField(max_length=128, blank=True)
    wanted = models.CharField(max_length=2000, blank=True)
    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    asserted = models.JSONField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["tenant", "handle"], name="accounts_ssoflow_handle"),)

    def __str__(self) -> str:
        return f"{self.purpose} at {self.created_at}"

    def is_open(self, at: datetime) -> bool:
        """Whether the browser may still finish it."""
        return self.finished_at is None and at < self.expires_at


class SeenAssertion(TenantModel):
    """A SAML assertion that was accepted, by the SHA-256 of its ID, for as long as it could be sent again."""

    provider = TenantForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="+")
    digest = models.BinaryField(max_length=32)
    subject = models.CharField(max_length=LONGEST_SUBJECT)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "provider", "digest"], name="accounts_seenassertion_once"
            ),
        )

    def __str__(self) -> str:
        return f"until {self.expires_at}"


class BreakGlass(TenantModel):
    """An owner who may still sign in with a password where single sign-on is required."""

    membership = TenantForeignKey("accounts.Membership", on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "membership"], name="accounts_breakglass_once"),
        )

    def __str__(self) -> str:
        return str(self.membership_id)
