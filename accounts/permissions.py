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
    SUBMISSION_SEND = "submission.send"
    SUBMISSION_RELEASE = "submission.release"
    MAPPING_CHANGE = "mapping.change"
    CONNECTION_READ = "connection.read"
    CONNECTION_CHANGE = "connection.change"
    COLLECTION_START = "collection.start"
    MEMBER_READ = "member.read"
    MEMBER_CHANGE = "member.change"
    AUDIT_READ = "audit.read"
    AUDIT_EXPORT = "audit.export"
    STREAM_CHANGE = "stream.change"
    API_CLIENT_CHANGE = "api_client.change"
    WEBHOOK_CHANGE = "webhook.change"
    TENANT_CHANGE = "tenant.change"
    PACKAGE_CREATE = "package.create"
    PARTNER_READ = "partner.read"
    PARTNER_CHANGE = "partner.change"
    NOTICE_SEND = "notice.send"
    QUESTIONNAIRE_ANSWER = "questionnaire.answer"
    SHARING_CHANGE = "sharing.change"
    VERIFICATION_CERTIFY = "verification.certify"
    ENGAGEMENT_READ = "engagement.read"
    ENGAGEMENT_ANSWER = "engagement.answer"
    ENGAGEMENT_CHANGE = "engagement.change"
    ENGAGEMENT_AUDIT = "engagement.audit"
    """An auditor's alone: what is in the scope of an engagement that is open."""


class Role(StrEnum):
    """A member's role in one tenant."""

    OWNER = "owner"
    SECURITY_OFFICIAL = "security_official"
    CONTRIBUTOR = "contributor"
    VIEWER = "viewer"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    """The operator's staff inside a window that the tenant granted; never a membership's role."""

    @property
    def label(self) -> str:
        """The words shown to people."""
        return self.value.replace("_", " ").capitalize()


MEMBER_ROLES = tuple(role for role in Role if role is not Role.OPERATOR)
"""The roles that a membership can have."""
PROVISIONED_ROLES = (Role.SECURITY_OFFICIAL, Role.CONTRIBUTOR, Role.VIEWER)
"""The roles that a directory's groups can give, the highest first. Owners are made by owners, auditors invited."""

_READ_POSTURE = {
    Permission.POSTURE_READ,
    Permission.CONNECTION_READ,
    Permission.PARTNER_READ,
    Permission.ENGAGEMENT_READ,
}
_READ_EVIDENCE = {*_READ_POSTURE, Permission.EVIDENCE_READ}
_WORK = {
    *_READ_EVIDENCE,
    Permission.EVIDENCE_EXPORT,
    Permission.COLLECTION_START,
    Permission.SUBMISSION_SEND,
    Permission.ENGAGEMENT_ANSWER,
    Permission.QUESTIONNAIRE_ANSWER,
}
_TENANTS_OWN = set(Permission) - {Permission.ENGAGEMENT_AUDIT}

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.OWNER: frozenset(_TENANTS_OWN),
        Role.SECURITY_OFFICIAL: frozenset(
            _TENANTS_OWN - {Permission.TENANT_CHANGE, Permission.VERIFICATION_CERTIFY}
        ),
        Role.CONTRIBUTOR: frozenset(_WORK),
        Role.VIEWER: frozenset(_READ_POSTURE),
        Role.AUDITOR: frozenset({Permission.ENGAGEMENT_AUDIT}),
        Role.OPERATOR: frozenset({Permission.POSTURE_READ, Permission.CONNECTION_READ}),
    }
)


def allows(role: Role, permission: Permission) -> bool:
    """Whether the role includes the permission."""
    return permission in ROLE_PERMISSIONS[role]
