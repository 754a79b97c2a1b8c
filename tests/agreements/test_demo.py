"""The demonstration's agreements stand in different states, whenever it is started."""

from __future__ import annotations

import pytest

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.agreements.states import State
from assessments.models import Agreement
from portal.demo.agreements import seed_agreements
from portal.demo.partners import seed_business_associates
from tests.factories import make_member

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_demonstration_shows_agreements_in_different_states(tenant):
    make_member(tenant, Role.SECURITY_OFFICIAL)
    with open_tenant(tenant.pk):
        seed_business_associates("mercy-lakes")
        for _ in range(2):
            seed_agreements("mercy-lakes")
        rows = Agreement.objects.with_state().order_by("associate__reference")
        assert list(rows.values_list("state", "version", "clauses_missing")) == [
            (State.IN_FORCE, 2, 0), (State.EXPIRING, 1, 2), (State.EXPIRED, 1, 0), (State.NEGOTIATION, 1, 0),
        ]  # fmt: skip
