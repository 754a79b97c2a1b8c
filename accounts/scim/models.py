"""What an identity provider told a tenant, and the tokens by which it may."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from accounts.permissions import PROVISIONED_ROLES
from accounts.tenancy.models import TenantForeignKey, TenantModel


class ScimToken(TenantModel):
    """A bearer token of the tenant's identity provider, of which only the digest is kept (SHA-256)."""

    name = models.CharField(max_length=100)
    token_digest = models.BinaryField(max_length=32)
    created_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    minute_began_at = models.DateTimeField(null=True, blank=True)
    minute_requests = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "token_digest"], name="accounts_scimtoken_token"),
        )

    def __str__(self) -> str:
        return self.name

    def is_live(self, at: datetime) -> bool:
        """Whether it lets in."""
        return self.revoked_at is None and at < self.expires_at


class ScimUser(TenantModel):
    """The tenant's view of a person, as its identity provider tells it.

    `user_name` and `external_id` are kept as they came; `user_name_key` is what user names are compared by.
    `attributes` are the others that are kept, in SCIM's JSON. Whether the user is active isn't kept: it is whether
    the person has a membership.
    """

    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    user_name = models.CharField(max_length=254)
    user_name_key = models.CharField(max_length=508)
    external_id = models.CharField(max_length=254, blank=True)
    attributes = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "person"], name="accounts_scimuser_person"),
            models.UniqueConstraint(fields=["tenant", "user_name_key"], name="accounts_scimuser_name"),
        )
        indexes = (models.Index(fields=["tenant", "external_id"], name="scimuser_external"),)

    def __str__(self) -> str:
        return self.user_name


class ScimGroup(TenantModel):
    """A group of the identity provider; its members get `role`, or nothing by it where that is empty."""

    display_name = models.CharField(max_length=254)
    external_id = models.CharField(max_length=254, blank=True)
    role = models.CharField(
        max_length=32, blank=True, choices=[(role.value, role.label) for role in PROVISIONED_ROLES]
    )
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["tenant", "display_name"], name="scimgroup_name"),)

    def __str__(self) -> str:
        return self.display_name


class ScimGroupMember(TenantModel):
    """A user in a group."""

    group = TenantForeignKey(ScimGroup, on_delete=models.CASCADE, related_name="+")
    user = TenantForeignKey(ScimUser, on_delete=models.CASCADE, related_name="+")
    display = models.CharField(max_length=254, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "group", "user"], name="accounts_scimgroupmember_once"),
        )
        indexes = (models.Index(fields=["tenant", "user"], name="scimgroupmember_user"),)

    def __str__(self) -> str:
        return f"{self.user_id} in {self.group_id}"
