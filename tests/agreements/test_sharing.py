"""What a business associate is shown of its agreement: the signed terms, the same as its covered entity's, no more."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry
from accounts.tenancy.scope import open_tenant
from assessments.agreements.models import VersionKind
from assessments.agreements.services import NewVersion, add_version
from assessments.agreements.terms import LAW_HOURS, received_terms
from assessments.models import Agreement, AgreementTerms, AgreementVersion
from tests.agreements.factories import in_days, make_agreement, terms
from tests.factories import make_person, make_tenant
from tests.partnerships.factories import make_partnership
from tests.partnerships.kit import join, make_hospital, make_vendor

pytestmark = pytest.mark.django_db(transaction=True)


def _add(agreement, kind: VersionKind, **fields) -> None:
    said = {"signed_on": in_days(0), "effective_from": in_days(0), **fields}
    with open_tenant(agreement.tenant_id):
        add_version(agreement_id=agreement.pk, new=NewVersion(kind, terms(**said)), by=make_person())


def _shown(partnership, tenant=None) -> list[AgreementTerms]:
    with open_tenant(tenant.pk if tenant else partnership.viewer_id):
        return list(AgreementTerms.received.with_state().filter(partnership_id=partnership.pk))


def test_who_joins_sees_the_agreement_that_was_recorded_before_and_the_reading_is_told():
    hospital, vendor = make_hospital(), make_vendor()
    make_agreement(
        hospital.tenant, associate=hospital.associate, breach_hours=72, other_party="Cedar Billing Inc."
    )
    page = join(hospital, vendor)
    answer = vendor.client.get(f"{page}?tab=agreement")
    assert b"72 hours" in answer.content
    assert b"In force" in answer.content
    with open_tenant(hospital.tenant.pk):
        read = [
            entry
            for entry in AuditEntry.objects.filter(actor_kind="partner", actor_id=str(vendor.tenant.pk))
            if b"agreement.terms_read" in bytes(entry.body)
        ]
    assert len(read) == 1
    assert hospital.client.post(
        f"{hospital.page}partnership/end/", {"reason": "The contract ran out."}
    ).status_code in {200, 302}
    with open_tenant(vendor.tenant.pk):
        assert not AgreementTerms.received.exists()


def test_both_sides_see_the_same_numbers_after_each_change(tenant):
    partnership = make_partnership(tenant)
    agreement = make_agreement(tenant, associate=partnership.associate, breach_hours=120, incident_hours=24)
    for hours in (120, 48, 96):
        if hours != 120:
            _add(agreement, VersionKind.AMENDMENT, breach_hours=hours, incident_hours=24)
        with open_tenant(tenant.pk):
            own = Agreement.objects.with_state().get(pk=agreement.pk)
        (shown,) = _shown(partnership)
        fields = ("breach_hours", "incident_hours", "state", "last_on", "signed_on", "stage")
        assert [getattr(shown, name) for name in fields] == [getattr(own, name) for name in fields]
        assert shown.breach_hours == hours
        with open_tenant(partnership.viewer_id):
            assert received_terms(partnership.pk).breach_hours == hours


def test_a_draft_a_document_and_another_tenant_are_shown_nothing(tenant):
    partnership, stranger = make_partnership(tenant), make_tenant()
    draft = make_agreement(tenant, associate=partnership.associate, kind=VersionKind.DRAFT, breach_hours=72)
    assert _shown(partnership) == []
    with open_tenant(partnership.viewer_id):
        assert received_terms(partnership.pk).breach_hours == LAW_HOURS
    _add(draft, VersionKind.SIGNED, breach_hours=72)
    assert len(_shown(partnership)) == 1
    assert _shown(partnership, stranger) == []
    with open_tenant(partnership.viewer_id):
        assert not AgreementVersion.objects.exists()
