"""The parts that have clocks. A part adds its own line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.permissions import Permission
from assessments.agreements.duties import duties as of_agreements
from assessments.duties.access import duties as of_access
from assessments.duties.access import duties_of_clients as of_clients
from assessments.duties.evidence import duties as of_evidence
from assessments.duties.types import Duty
from assessments.engagements.duties import duties as of_engagements
from assessments.exits.duties import duties as of_exits
from assessments.notices.duties import duties as of_notices
from assessments.packages.duties import duties as of_packages
from assessments.partnerships.duties import duties as of_partnerships
from assessments.questionnaires.duties import duties as of_questionnaires
from assessments.sharing.duties import duties as of_sharing
from assessments.verifications.duties import duties as of_verifications


@dataclass(frozen=True, slots=True)
class Part:
    """A part with clocks: `duties(since, until)` gives those of [since, until); who `needs` nothing less sees them."""

    slug: str
    label: str
    needs: Permission
    duties: Callable[[datetime, datetime], Iterable[Duty]]


PARTS: tuple[Part, ...] = (
    Part("agreements", "Agreements", Permission.PARTNER_READ, of_agreements),
    Part("verifications", "Verifications", Permission.PARTNER_READ, of_verifications),
    Part("notices", "Notices and breaches", Permission.PARTNER_READ, of_notices),
    Part("questionnaires", "Questionnaires", Permission.PARTNER_READ, of_questionnaires),
    Part("sharing", "Sharing", Permission.PARTNER_READ, of_sharing),
    Part("partnerships", "Invitations of partners", Permission.PARTNER_READ, of_partnerships),
    Part("exits", "Exits", Permission.PARTNER_READ, of_exits),
    Part("engagements", "Audits", Permission.ENGAGEMENT_READ, of_engagements),
    Part("packages", "Packages", Permission.PACKAGE_CREATE, of_packages),
    Part("evidence", "Evidence", Permission.CONNECTION_READ, of_evidence),
    Part("access", "Provisioning", Permission.TENANT_CHANGE, of_access),
    Part("clients", "API clients", Permission.API_CLIENT_CHANGE, of_clients),
)
