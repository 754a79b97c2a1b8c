"""The demonstration's engagement can be made, once, and its auditor finds it."""

from __future__ import annotations

import pytest

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import Engagement
from portal.demo.engagement import seed_engagement
from tests.accounts.factories import make_ready_person, sign_in
from tests.collected import collect
from tests.engagements.factories import make_auditor

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_demonstrations_auditor_finds_requests_and_a_sample(tenant):
    collect(tenant)
    make_ready_person(Role.SECURITY_OFFICIAL, tenant)
    auditor = make_auditor(tenant)
    for _ in range(2):
        seed_engagement(tenant.pk, auditor.email)
    with open_tenant(tenant.pk):
        engagement = Engagement.objects.get()
    page = sign_in(auditor).get(f"/auditor/{engagement.pk}/").content.decode()
    assert "Versions of the imaging buckets" in page
    assert "Buckets that keep versions" in page
