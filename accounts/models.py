"""Tenants, people, and what a person may do in a tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from accounts.audit.models import (
    AuditAnchor,
    AuditCheckpoint,
    AuditEntry,
    AuditEpoch,
    AuditGlobalLeaf,
    AuditGlobalTile,
    AuditKey,
    AuditLeaf,
    AuditSealer,
    AuditSignature,
    AuditTile,
)
from accounts.audit.streams.models import AuditStream
from accounts.clients.models import ApiClient, ApiSecret, ClientTrust, KeptAnswer, SpentProof, TrustKind
from accounts.devices import RecoveryCode, RecoveryCodeDevice, TotpDevice
from accounts.mailed_links import EmailChange, PasswordReset
from accounts.operators.models import OperatorWindow
from accounts.passkeys import Passkey, SpentChallenge
from accounts.permissions import MEMBER_ROLES, PROVISIONED_ROLES, Role
from accounts.scim.models import ScimGroup, ScimGroupMember, ScimToken, ScimUser
from accounts.sessions import Session
from accounts.sso.models import (
    BreakGlass,
    ExternalIdentity,
    GroupRole,
    IdentityProvider,
    SeenAssertion,
    SsoFlow,
    VerifiedDomain,
)
from accounts.tenancy.models import TenantModel, new_id
from accounts.tenancy.rls import RowLevelSecurity
from accounts.throttle import SignInThrottle
from accounts.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookHandover, WebhookMessage

__all__ = [
    "ApiClient",
    "ApiSecret",
    "AuditAnchor",
    "AuditCheckpoint",
    "AuditEntry",
    "AuditEpoch",
    "AuditGlobalLeaf",
    "AuditGlobalTile",
    "AuditKey",
    "AuditLeaf",
    "AuditSealer",
    "AuditSignature",
    "AuditStream",
    "AuditTile",
    "BreakGlass",
    "ClientTrust",
    "EmailChange",
    "ExternalIdentity",
    "GroupRole",
    "IdentityProvider",
    "Invitation",
    "KeptAnswer",
    "Membership",
    "OperatorWindow",
    "Passkey",
    "PasswordReset",
    "Person",
    "RecoveryCode",
    "RecoveryCodeDevice",
    "ScimGroup",
    "ScimGroupMember",
    "ScimToken",
    "ScimUser",
    "SeenAssertion",
    "Session",
    "SignInThrottle",
    "SpentChallenge",
    "SpentProof",
    "SsoFlow",
    "Tenant",
    "TenantKind",
    "TotpDevice",
    "TrustKind",
    "VerifiedDomain",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookHandover",
    "WebhookMessage",
]


class TenantKind(models.TextChoices):
    """What the organisation is under 45 CFR 160.103; the duties differ."""

    COVERED_ENTITY = "covered_entity", "Covered entity"
    BUSINESS_ASSOCIATE = "business_associate", "Business associate"


class Tenant(models.Model):
    """One customer organisation, the unit of isolation. Its own row is guarded like its data."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=63, unique=True)
    kind = models.CharField(max_length=32, choices=TenantKind)
    require_passkey = models.BooleanField(default=False, db_default=False)
    """Whether only a session that was opened by a phishing-resistant factor may enter."""
    created_at = models.DateTimeField(auto_now_add=True)
    sso_required = models.BooleanField(default=False)
    """Whether people of its verified domains come by single sign-on alone (accounts.sso.policy)."""
    provisioned_role = models.CharField(
        max_length=32,
        default=Role.VIEWER.value,
        choices=[(role.value, role.label) for role in PROVISIONED_ROLES],
    )
    """The role of a provisioned member whom no group gives one."""
    emergency_access = models.BooleanField(default=False)
    """Whether two operators can open a window of an hour without an owner (45 CFR 164.312(a)(2)(ii))."""

    class Meta:
        constraints = (RowLevelSecurity(name="accounts_tenant_rls", column="id"),)

    def __str__(self) -> str:
        return self.name


class PersonManager(BaseUserManager["Person"]):
    """Finds people by e-mail address, which is kept in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Person:
        """Creates a person; without a password none can be used to sign in."""
        person = self.model(email=email.strip().lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email=(username or "").strip().lower())


class Person(AbstractBaseUser):  # type: ignore[django-manager-missing] # django-otp's device managers have no types
    """Someone who signs in. Not a tenant's row: one person can be a member of several tenants."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    is_operator = models.BooleanField(default=False, editable=False)
    """One of the operator's staff, who is a member of no tenant. Only `manage.py create_operator` sets it."""
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = PersonManager()

    def __str__(self) -> str:
        return self.name or self.email


class Membership(TenantModel):
    """A person's role in a tenant. An auditor's membership ends by itself at `ends_at`."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=32, choices=[(role.value, role.label) for role in MEMBER_ROLES])
    created_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "person"], name="accounts_membership_once"),
            models.CheckConstraint(
                name="accounts_membership_no_operator", condition=~models.Q(role=Role.OPERATOR.value)
            ),
        )

    def __str__(self) -> str:
        return f"{self.person} as {self.role}"


class Invitation(TenantModel):
    """An offer of membership, taken up once with a token of which only the digest is kept (SHA-256)."""

    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=32, choices=[(role.value, role.label) for role in MEMBER_ROLES])
    membership_ends_at = models.DateTimeField(null=True, blank=True)
    token_digest = models.BinaryField(max_length=32)
    invited_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "token_digest"], name="accounts_invitation_token"),
        )

    def __str__(self) -> str:
        return f"{self.email} as {self.role}"

    def is_open(self, at: datetime) -> bool:
        """Whether it can still be accepted."""
        return self.accepted_at is None and self.revoked_at is None and at < self.expires_at
