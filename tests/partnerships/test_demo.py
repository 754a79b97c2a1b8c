"""The demonstration's two tenants can be made partners, once."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import Partnership
from portal.demo.partners import seed_business_associates, seed_partnership
from tests.factories import make_member, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_demonstrations_partner_works_for_its_hospital():
    hospital, partner = make_tenant(), make_tenant(kind="business_associate")
    make_member(hospital, Role.SECURITY_OFFICIAL)
    make_member(partner, Role.OWNER)
    with open_tenant(hospital.pk):
        seed_business_associates("mercy-lakes")
    reverse("overview")
    for _ in range(2):
        seed_partnership(hospital.pk, partner.pk)
    with open_tenant(hospital.pk):
        made = Partnership.objects.select_related("associate").get()
    assert (made.associate.name, made.viewer_id) == ("Northwind Imaging", partner.pk)
