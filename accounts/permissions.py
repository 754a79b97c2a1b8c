"""Who may do what: one enum of permissions and one table of roles. What is not granted here is refused."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Permission(StrEnum):
    """What a page or an act needs."""

    POSTURE_READ = "posture.read"
    EVIDENCE_READ = "evidence.read"
    EVIDENCE_EXPORT = "evidence.export"
    CONNECTION_READ = "connection.read"
    CONNECTION_CHANGE = "connection.change"
    COLLECTION_START = "collection.start"
    MEMBER_READ = "member.read"
    MEMBER_CHANGE = "member.change"
    AUDIT_READ = "audit.read"
    TENANT_CHANGE = "tenant.change"


class Role(StrEnum):
    """A member's role in one tenant."""

    OWNER = "owner"
    SECURITY_OFFICIAL = "security_official"
    CONTRIBUTOR = "contributor"
    VIEWER = "viewer"
    AUDITOR = "auditor"

    @property
    def label(self) -> str:
        """The words shown to people."""
        return self.value.replace("_", " ").capitalize()


_READ_POSTURE = {Permission.POSTURE_READ, Permission.CONNECTION_READ}
_READ_EVIDENCE = {*_READ_POSTURE, Permission.EVIDENCE_READ}
_WORK = {*_READ_EVIDENCE, Permission.EVIDENCE_EXPORT, Permission.COLLECTION_START}

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.OWNER: frozenset(Permission),
        Role.SECURITY_OFFICIAL: frozenset(set(Permission) - {Permission.TENANT_CHANGE}),
        Role.CONTRIBUTOR: frozenset(_WORK),
        Role.VIEWER: frozenset(_READ_POSTURE),
        Role.AUDITOR: frozenset({*_READ_EVIDENCE, Permission.AUDIT_READ}),
    }
)


def allows(role: Role, permission: Permission) -> bool:
    """Whether the role includes the permission."""
    return permission in ROLE_PERMISSIONS[role]
