"""What the demonstration's business associate lets the hospital see of its posture."""

from __future__ import annotations

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import SharingGrant
from assessments.sharing.levels import Level
from assessments.sharing.services import Terms, make_grant
from assessments.verifications.analysis import TECHNICAL
from portal.demo.partners import Parties, find_partnership
from portal.demo.people import person_of


def seed_grant(parties: Parties) -> None:
    """Grants findings of the technical safeguards, once; one that somebody revoked stays revoked."""
    with open_tenant(parties.imaging):
        if not SharingGrant.objects.exists():
            terms = Terms(Level.FINDINGS, TECHNICAL)
            make_grant(partnership=find_partnership(), terms=terms, by=person_of(Role.OWNER))
