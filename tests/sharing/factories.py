"""Makers of what one tenant shows to another."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from accounts.models import Person, Tenant
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import Partnership, SharingGrant
from assessments.sharing.levels import Level
from assessments.sharing.services import Terms, make_grant
from tests.factories import make_member

TECHNICAL = ("164.312(a)(1)", "164.312(c)(1)")
SCOPE = ("164.308(a)(7)(i)", *TECHNICAL)


def grant(
    partnership: Partnership, level: Level = Level.STATUS, citations: tuple[str, ...] = SCOPE, **terms: Any
) -> SharingGrant:
    """A grant by the partnership's downstream party."""
    downstream: Tenant = partnership.viewer
    by = make_member(downstream, Role.OWNER)
    return grant_as(by, partnership, Terms(level, citations, **terms))


def grant_as(by: Person, partnership: Partnership, terms: Terms) -> SharingGrant:
    downstream: UUID = partnership.viewer_id  # type: ignore[assignment] # a UUID
    with open_tenant(downstream):
        return make_grant(partnership=partnership, terms=terms, by=by)
