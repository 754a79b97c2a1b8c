"""What a client's token may do, in words of the interface: resource:action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from accounts.permissions import Permission


class Scope(StrEnum):
    """What a machine's token is for. PROVISIONING is of identity providers' tokens alone."""

    PROVISIONING = "provisioning"
    SAFEGUARDS_READ = "safeguards:read"
    FINDINGS_READ = "findings:read"
    EVIDENCE_READ = "evidence:read"
    EVIDENCE_EXPORT = "evidence:export"
    CONNECTIONS_READ = "connections:read"
    RUNS_READ = "runs:read"
    RUNS_START = "runs:start"
    PARTNERS_READ = "partners:read"
    ENGAGEMENTS_READ = "engagements:read"
    ENGAGEMENT_AUDIT = "engagement:audit"
    PACKAGES_READ = "packages:read"
    AUDIT_READ = "audit:read"
    PARTNERS_WRITE = "partners:write"
    CONNECTIONS_WRITE = "connections:write"
    PACKAGES_CREATE = "packages:create"
    PACKAGES_EXPORT = "packages:export"
    AGREEMENTS_READ = "agreements:read"
    VERIFICATIONS_READ = "verifications:read"
    QUESTIONNAIRES_READ = "questionnaires:read"
    NOTICES_READ = "notices:read"
    NOTICES_ACKNOWLEDGE = "notices:acknowledge"
    EXITS_READ = "exits:read"
    POSTURES_READ = "postures:read"
    GRANTS_REVOKE = "grants:revoke"
    CHAIN_READ = "chain:read"
    DUTIES_READ = "duties:read"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    SUBMISSIONS_PUSH = "submissions:push"
    SUBMISSIONS_READ = "submissions:read"
    SUBMISSIONS_DELETE = "submissions:delete"


WORDS: Mapping[Scope, str] = MappingProxyType(
    {
        Scope.SAFEGUARDS_READ: "Read safeguards and their statuses, now and on past days",
        Scope.FINDINGS_READ: "Read findings",
        Scope.EVIDENCE_READ: "Read which evidence there is, and where it came from",
        Scope.EVIDENCE_EXPORT: "Download evidence, as it was sealed",
        Scope.CONNECTIONS_READ: "Read AWS connections",
        Scope.RUNS_READ: "Read collection runs and their results",
        Scope.RUNS_START: "Start a collection run",
        Scope.PARTNERS_READ: "Read the register of business associates and what is shared",
        Scope.ENGAGEMENTS_READ: "Read engagements of auditors",
        Scope.ENGAGEMENT_AUDIT: "Read what an engagement shows its auditors; for their clients alone",
        Scope.PACKAGES_READ: "Read which evidence packages were made",
        Scope.AUDIT_READ: "Search the audit log",
        Scope.PARTNERS_WRITE: "Add, change and end entries of the register of business associates",
        Scope.CONNECTIONS_WRITE: "Connect AWS accounts, verify and remove connections",
        Scope.PACKAGES_CREATE: "Ask for evidence packages",
        Scope.PACKAGES_EXPORT: "Download the evidence packages that it asked for",
        Scope.AGREEMENTS_READ: "Read agreements, and what covered entities show of theirs",
        Scope.VERIFICATIONS_READ: "Read verifications, made and received",
        Scope.QUESTIONNAIRES_READ: "Read how questionnaires stand, sent and received",
        Scope.NOTICES_READ: "Read notices, sent and received",
        Scope.NOTICES_ACKNOWLEDGE: "Acknowledge notices that were received",
        Scope.EXITS_READ: "Read exits, of both sides",
        Scope.POSTURES_READ: "Read the postures that business associates show",
        Scope.GRANTS_REVOKE: "End what is shown to a covered entity",
        Scope.CHAIN_READ: "Read the subcontractors below business associates",
        Scope.DUTIES_READ: "Read the calendar of duties",
        Scope.WEBHOOKS_READ: "Read webhooks and what became of their deliveries",
        Scope.WEBHOOKS_WRITE: "Add, change, test, replay and remove webhooks, and give them secrets",
        Scope.SUBMISSIONS_PUSH: "Send documents of other tools as evidence",
        Scope.SUBMISSIONS_READ: "Read what became of documents that were sent, and their receipts",
        Scope.SUBMISSIONS_DELETE: "Delete documents that it sent itself and that are held back",
    }
)
"""The scopes that a client can be given, as the page says them."""

PERMISSIONS: Mapping[Scope, Permission] = MappingProxyType(
    {
        Scope.SAFEGUARDS_READ: Permission.POSTURE_READ,
        Scope.FINDINGS_READ: Permission.POSTURE_READ,
        Scope.EVIDENCE_READ: Permission.EVIDENCE_READ,
        Scope.EVIDENCE_EXPORT: Permission.EVIDENCE_EXPORT,
        Scope.CONNECTIONS_READ: Permission.CONNECTION_READ,
        Scope.RUNS_READ: Permission.EVIDENCE_READ,
        Scope.RUNS_START: Permission.COLLECTION_START,
        Scope.PARTNERS_READ: Permission.PARTNER_READ,
        Scope.ENGAGEMENTS_READ: Permission.ENGAGEMENT_READ,
        Scope.ENGAGEMENT_AUDIT: Permission.ENGAGEMENT_AUDIT,
        Scope.PACKAGES_READ: Permission.PACKAGE_CREATE,
        Scope.AUDIT_READ: Permission.AUDIT_READ,
        Scope.PARTNERS_WRITE: Permission.PARTNER_CHANGE,
        Scope.CONNECTIONS_WRITE: Permission.CONNECTION_CHANGE,
        Scope.PACKAGES_CREATE: Permission.PACKAGE_CREATE,
        Scope.PACKAGES_EXPORT: Permission.PACKAGE_CREATE,
        Scope.AGREEMENTS_READ: Permission.PARTNER_READ,
        Scope.VERIFICATIONS_READ: Permission.PARTNER_READ,
        Scope.QUESTIONNAIRES_READ: Permission.PARTNER_READ,
        Scope.NOTICES_READ: Permission.PARTNER_READ,
        Scope.NOTICES_ACKNOWLEDGE: Permission.PARTNER_CHANGE,
        Scope.EXITS_READ: Permission.PARTNER_READ,
        Scope.POSTURES_READ: Permission.PARTNER_READ,
        Scope.GRANTS_REVOKE: Permission.SHARING_CHANGE,
        Scope.CHAIN_READ: Permission.PARTNER_READ,
        Scope.DUTIES_READ: Permission.PARTNER_READ,
        Scope.WEBHOOKS_READ: Permission.WEBHOOK_CHANGE,
        Scope.WEBHOOKS_WRITE: Permission.WEBHOOK_CHANGE,
        Scope.SUBMISSIONS_PUSH: Permission.SUBMISSION_SEND,
        Scope.SUBMISSIONS_READ: Permission.EVIDENCE_READ,
        Scope.SUBMISSIONS_DELETE: Permission.SUBMISSION_RELEASE,
    }
)
"""What a person needs for the same: the interface answers sessions too, and nobody gives what they haven't."""

BY_CONNECTION = frozenset({
    Scope.FINDINGS_READ, Scope.EVIDENCE_READ, Scope.EVIDENCE_EXPORT, Scope.CONNECTIONS_READ, Scope.RUNS_READ,
    Scope.RUNS_START, Scope.SUBMISSIONS_PUSH, Scope.SUBMISSIONS_READ, Scope.SUBMISSIONS_DELETE,
})  # fmt: skip
"""Scopes whose things belong to a connection each; a status is derived over all of them."""
BY_SAFEGUARD = frozenset({
    Scope.SAFEGUARDS_READ, Scope.FINDINGS_READ, Scope.EVIDENCE_READ, Scope.EVIDENCE_EXPORT, Scope.SUBMISSIONS_PUSH,
    Scope.SUBMISSIONS_READ, Scope.SUBMISSIONS_DELETE,
})  # fmt: skip
"""Scopes whose things belong to safeguards."""


@dataclass(frozen=True, slots=True)
class Reach:
    """To which safeguards (citations) and connections a caller is narrowed; an empty set narrows nothing."""

    safeguards: frozenset[str] = frozenset()
    connections: frozenset[UUID] = frozenset()

    def has_safeguard(self, citation: str) -> bool:
        """Whether the safeguard is within reach."""
        return not self.safeguards or citation in self.safeguards

    def has_connection(self, connection_id: UUID) -> bool:
        """Whether the connection is within reach."""
        return not self.connections or connection_id in self.connections


EVERYTHING = Reach()


def unfit_scopes(scopes: frozenset[Scope], reach: Reach) -> list[Scope]:
    """The scopes that can't be narrowed as wanted, so that a narrowed client would see more than it says."""
    fit = set(WORDS)
    if reach.connections:
        fit &= BY_CONNECTION
    if reach.safeguards:
        fit &= BY_SAFEGUARD
    return sorted(scopes - fit)
