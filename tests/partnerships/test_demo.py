"""The demonstration's organisations work with each other, and a second start changes nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.audit.models import AuditEntry
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from assessments.models import Acknowledgement, Exit, Notice, Partnership, SharedPosture, VerificationPacket
from assessments.questionnaires.states import State, sent_with_state
from assessments.verifications.dates import Standing
from assessments.verifications.reading import lines_for_recipient
from portal.demo.exits import seed_exits
from portal.demo.notices import seed_notices
from portal.demo.partners import Parties, seed_business_associates, seed_partnerships
from portal.demo.questionnaires import seed_questionnaires
from portal.demo.sharing import seed_grant
from portal.demo.verifications import seed_verification
from tests.factories import make_member, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


def found_parties() -> Parties:
    hospital = make_tenant(name="Mercy Lakes Hospital")
    imaging, billing = (make_tenant(kind="business_associate") for _ in range(2))
    for tenant, role in (
        (hospital, Role.OWNER), (hospital, Role.SECURITY_OFFICIAL), (imaging, Role.OWNER),
        (imaging, Role.SECURITY_OFFICIAL), (billing, Role.OWNER),
    ):  # fmt: skip
        make_member(tenant, role)
    with open_tenant(hospital.pk):
        seed_business_associates("mercy-lakes")
    reverse("overview")
    return Parties(hospital.pk, imaging.pk, billing.pk)


def seed_all(parties: Parties) -> None:
    seed_partnerships(parties)
    seed_grant(parties)
    seed_questionnaires(parties)
    seed_notices(parties)
    seed_verification(parties)
    seed_exits(parties)


def count_acts(parties: Parties) -> list[int]:
    return [_count(tenant_id) for tenant_id in parties]


def _count(tenant_id: UUID) -> int:
    with open_tenant(tenant_id):
        return AuditEntry.objects.count()


def read_hospital(hospital_id: UUID) -> dict[str, Any]:
    with open_tenant(hospital_id):
        return {
            "partners": sorted(Partnership.objects.values_list("associate__name", flat=True)),
            "questionnaires": sorted(
                State(each.state) for each in sent_with_state(timezone.now().date())  # type: ignore[attr-defined]
            ),
            "notices": sorted(Notice.received.values_list("kind", "drill")),
            "exits": Exit.objects.filter(closed_at=None).count(),
            "acknowledged": Acknowledgement.objects.count(),
            "shown": SharedPosture.received.count(),
            "verifications": {each.partnership.downstream_name: each.standing for each in lines_for_recipient()},
        }  # fmt: skip


def test_partners_are_at_work_for_the_hospital_and_are_so_once():
    parties = found_parties()
    seed_all(parties)
    before = count_acts(parties)
    seed_all(parties)
    assert count_acts(parties) == before
    found = read_hospital(parties.hospital)
    assert found["partners"] == ["Cedar Billing", "Northwind Imaging"]
    assert found["questionnaires"] == sorted(
        [State.IN_REVIEW, State.OVERDUE, State.ACCEPTED, State.SENT, State.IN_WORK]
    )
    assert found["notices"] == [("contingency", False), ("contingency", True), ("incident", False)]
    assert (found["acknowledged"], found["shown"], found["exits"]) == (2, 1, 2)
    assert sorted(found["verifications"].values()) == [Standing.DUE, Standing.OVERDUE]
    with open_tenant(parties.imaging):
        assert VerificationPacket.objects.get().state == "certified"
