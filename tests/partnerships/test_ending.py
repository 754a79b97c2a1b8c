"""What each side sees of a partnership, and how it ends: by the upstream party, or by the downstream one leaving."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.permissions import Role
from accounts.tenancy.scope import current_tenant_id, open_tenant
from assessments.models import (
    Partnership,
    PartnershipDeparture,
    PartnershipInvitation,
    SharedPosture,
    SharingGrant,
    Timer,
)
from assessments.partnerships.joining import WATCH
from assessments.partnerships.services import working_partnerships
from assessments.partnerships.signals import Relation, Side, partnership_ended
from assessments.sharing.levels import Level
from assessments.sharing.services import Terms, make_grant
from assessments.timers.services import run_timer
from tasks.timers import HANDLERS
from tests.accounts.factories import grow_stale, make_ready_person, sign_in
from tests.partnerships.factories import make_partnership
from tests.partnerships.kit import acts, join, make_hospital, make_vendor, send_link

pytestmark = pytest.mark.django_db(transaction=True)
REASON = {"reason": "The contract ran out."}


@pytest.fixture
def hospital():
    return make_hospital()


@pytest.fixture
def vendor():
    return make_vendor()


@pytest.fixture
def page(hospital, vendor) -> str:
    """The vendor's page of the hospital."""
    return join(hospital, vendor)


@contextmanager
def _heard() -> Iterator[list[tuple[Side, object, object]]]:
    """What is heard of ends: the side, whose tenant is open, whose tenant the other is."""
    heard: list[tuple[Side, object, object]] = []

    def hear(relation: Relation, **_: object) -> None:
        heard.append((relation.side, current_tenant_id(), relation.other_tenant_id))

    partnership_ended.connect(hear)
    try:
        yield heard
    finally:
        partnership_ended.disconnect(hear)


def _end(hospital, client=None):
    return (client or hospital.client).post(f"{hospital.page}partnership/end/", REASON)


def test_the_downstream_party_lists_whom_it_works_for(hospital, vendor, page):
    listed = vendor.client.get("/covered-entities/").content.decode()
    assert hospital.tenant.name in listed
    assert page in listed
    assert (
        hospital.tenant.name
        not in hospital.client.get("/covered-entities/").content.decode().split("<main")[1]
    )
    assert b"You work for nobody here yet" in hospital.client.get("/covered-entities/").content


def test_a_tenant_is_upstream_of_one_and_downstream_of_another_at_once(hospital, vendor, page):
    subcontractor = make_partnership(vendor.tenant)
    assert vendor.client.get(page).status_code == 200
    entry = vendor.client.get(f"/business-associates/{subcontractor.associate_id}/partnership/")
    assert subcontractor.downstream_name in entry.content.decode()


def test_each_look_of_the_vendor_stands_in_both_logs(hospital, vendor, page):
    vendor.client.get(page)
    its_id = page.split("/")[2]
    assert acts(vendor.tenant, its_id)[-1] == ("partnership.read", "done", "person")
    assert acts(hospital.tenant, its_id)[-1] == ("partnership.read", "done", "partner")


def test_a_tab_that_isnt_there_is_not_found(vendor, page):
    assert vendor.client.get(f"{page}?tab=nonsense").status_code == 404


def test_many_covered_entities_come_in_pages(vendor):
    for _ in range(52):
        make_partnership(downstream=vendor.tenant)
    first = vendor.client.get("/covered-entities/")
    second = vendor.client.get("/covered-entities/", {"after": first.context["next"]})
    assert (len(first.context["rows"]), len(second.context["rows"])) == (50, 2)
    assert vendor.client.get("/covered-entities/?after=nonsense").status_code == 400


def test_the_end_by_the_hospital_leaves_the_vendor_nothing_at_its_next_request(hospital, vendor, page):
    assert _end(hospital).status_code == 302
    assert vendor.client.get(page).status_code == 404
    assert hospital.tenant.name not in vendor.client.get("/covered-entities/").content.decode()
    shown = hospital.client.get(f"{hospital.page}partnership/").content.decode()
    assert "The contract ran out." in shown
    assert "Invite it" in shown
    assert _end(hospital).status_code == 404


def test_the_end_is_heard_on_both_sides_and_stands_in_both_logs(hospital, vendor, page):
    with _heard() as heard:
        _end(hospital)
    assert heard == [
        (Side.UPSTREAM, hospital.tenant.pk, vendor.tenant.pk),
        (Side.DOWNSTREAM, vendor.tenant.pk, hospital.tenant.pk),
    ]
    its_id = page.split("/")[2]
    assert acts(hospital.tenant, its_id)[-1] == ("partnership.end", "done", "person")
    assert acts(vendor.tenant, its_id)[-1] == ("partnership.end", "done", "partner")


def test_the_end_is_told_to_both_by_mail_without_the_reason(hospital, vendor, page):
    viewer = make_ready_person(Role.VIEWER, vendor.tenant)
    _end(hospital)
    assert {message.to[0] for message in mail.outbox} == {hospital.official.email, vendor.official.email}
    assert viewer.email not in {message.to[0] for message in mail.outbox}
    assert not any("ran out" in message.body for message in mail.outbox)


def test_ending_needs_a_reason_a_fresh_proof_and_a_role(hospital, vendor, page):
    assert hospital.client.post(f"{hospital.page}partnership/end/", {"reason": " "}).status_code == 422
    contributor = sign_in(make_ready_person(Role.CONTRIBUTOR, hospital.tenant))
    assert _end(hospital, contributor).status_code == 403
    grow_stale(hospital.client)
    assert _end(hospital).url.startswith("/step-up/")
    assert vendor.client.get(page).status_code == 200


def test_after_an_end_the_vendor_can_be_invited_and_join_anew(hospital, vendor, page):
    _end(hospital)
    again = join(hospital, vendor)
    assert again != page
    assert vendor.client.get(again).status_code == 200


def test_an_end_that_the_vendors_side_missed_is_settled_by_the_clock(hospital, vendor, page):
    with open_tenant(hospital.tenant.pk):
        Partnership.objects.update(withdrawn_at=timezone.now())
    with open_tenant(vendor.tenant.pk):
        timer = Timer.objects.get(kind=WATCH)
        assert timedelta(hours=23) < timer.ring_at - timezone.now() < timedelta(hours=25)
        Timer.objects.update(ring_at=timezone.now(), due_at=timezone.now())
    with _heard() as heard:
        assert run_timer(tenant_id=vendor.tenant.pk, timer_id=timer.pk, handlers=HANDLERS)
    assert heard == [(Side.DOWNSTREAM, vendor.tenant.pk, None)]
    assert acts(vendor.tenant, page.split("/")[2])[-1] == ("partnership.end", "done", "system")
    assert not run_timer(tenant_id=vendor.tenant.pk, timer_id=timer.pk, handlers=HANDLERS)


def test_the_clock_goes_on_while_the_partnership_stands_and_stops_with_its_end(hospital, vendor, page):
    with open_tenant(vendor.tenant.pk):
        Timer.objects.update(ring_at=timezone.now())
        timer = Timer.objects.get(kind=WATCH)
    with _heard() as heard:
        assert run_timer(tenant_id=vendor.tenant.pk, timer_id=timer.pk, handlers=HANDLERS)
    assert heard == []
    with open_tenant(vendor.tenant.pk):
        assert Timer.objects.get(kind=WATCH).ring_at > timezone.now() + timedelta(hours=23)
    _end(hospital)
    with open_tenant(vendor.tenant.pk):
        assert Timer.objects.get(kind=WATCH).ring_at is None


def test_a_side_that_fails_to_hear_undoes_neither_the_end_nor_its_entries(hospital, vendor, page):
    def fail(relation: Relation, **_: object) -> None:
        if relation.side is Side.DOWNSTREAM:
            raise RuntimeError("a part of the portal failed")

    partnership_ended.connect(fail)
    try:
        assert _end(hospital).status_code == 302
    finally:
        partnership_ended.disconnect(fail)
    assert acts(vendor.tenant, page.split("/")[2])[-1] == ("partnership.end", "done", "partner")
    assert vendor.client.get(page).status_code == 404
    with open_tenant(vendor.tenant.pk):
        assert Timer.objects.get(kind=WATCH).ring_at is not None


def test_leaving_is_told_to_the_hospital_which_is_asked_to_end_it(hospital, vendor, page):
    with _heard() as heard:
        assert vendor.client.post(f"{page}leave/", REASON).status_code == 302
    assert heard == [(Side.DOWNSTREAM, vendor.tenant.pk, hospital.tenant.pk)]
    shown = hospital.client.get(f"{hospital.page}partnership/").content.decode()
    assert f"{vendor.tenant.name} left on" in shown
    assert "The contract ran out." in shown
    assert "partnership/end/" in shown
    assert "You left" in vendor.client.get("/covered-entities/").content.decode()
    assert vendor.client.post(f"{page}leave/", REASON).status_code == 422
    assert {message.to[0] for message in mail.outbox} == {hospital.official.email, vendor.official.email}


def test_leaving_stands_in_both_logs_and_so_does_reading_of_it(hospital, vendor, page):
    vendor.client.post(f"{page}leave/", REASON)
    its_id = page.split("/")[2]
    assert acts(vendor.tenant, its_id)[-1] == ("partnership.leave", "done", "person")
    assert acts(hospital.tenant, its_id)[-1] == ("partnership.leave", "done", "partner")
    hospital.client.get(f"{hospital.page}partnership/")
    assert acts(vendor.tenant, its_id)[-1] == ("partnership.read", "done", "partner")


def test_who_left_no_longer_counts_as_working_for_the_hospital(hospital, vendor, page):
    other = make_partnership(downstream=vendor.tenant)
    vendor.client.post(f"{page}leave/", REASON)
    with open_tenant(vendor.tenant.pk):
        assert [each.pk for each in working_partnerships()] == [other.pk]


def test_after_leaving_the_hospital_ends_it_and_invites_anew(hospital, vendor, page):
    vendor.client.post(f"{page}leave/", REASON)
    assert _end(hospital).status_code == 302
    assert vendor.client.get(page).status_code == 404
    again = join(hospital, vendor)
    assert "You work for it here since" in vendor.client.get(again).content.decode()


def test_leaving_needs_a_reason_a_fresh_proof_and_a_role(vendor, page):
    assert vendor.client.post(f"{page}leave/", {"reason": ""}).status_code == 422
    contributor = sign_in(make_ready_person(Role.CONTRIBUTOR, vendor.tenant))
    assert contributor.get(page).status_code == 200
    assert contributor.post(f"{page}leave/", REASON).status_code == 403
    grow_stale(vendor.client)
    assert vendor.client.post(f"{page}leave/", REASON).url.startswith("/step-up/")
    with open_tenant(vendor.tenant.pk):
        assert not PartnershipDeparture.objects.exists()


def test_nobody_else_reads_ends_or_leaves_it(hospital, page):
    stranger = make_vendor()
    assert stranger.client.get(page).status_code == 404
    assert stranger.client.post(f"{page}leave/", REASON).status_code == 404
    assert _end(hospital, stranger.client).status_code == 404
    assert hospital.client.get(page).status_code == 404


def _grants_standing(vendor) -> list[bool]:
    with open_tenant(vendor.tenant.pk):
        return [each.withdrawn_at is None for each in SharingGrant.objects.all()]


@pytest.mark.parametrize("who", ["hospital ends", "vendor leaves"])
def test_what_the_vendor_shares_is_taken_back_with_the_end(hospital, vendor, page, who):
    with open_tenant(vendor.tenant.pk):
        partnership = Partnership.received.get()
        terms = Terms(level=Level.STATUS, citations=("164.312(a)(1)",))
        make_grant(partnership=partnership, terms=terms, by=vendor.official)
    with open_tenant(hospital.tenant.pk):
        assert SharedPosture.received.exists()
    if who == "hospital ends":
        _end(hospital)
    else:
        vendor.client.post(f"{page}leave/", REASON)
        assert vendor.client.get(f"/sharing/partnerships/{partnership.pk}/grant/").status_code == 404
    assert _grants_standing(vendor) == [False]
    with open_tenant(hospital.tenant.pk):
        assert not SharedPosture.received.exists()
        assert not SharingGrant.received.exists()


def test_an_entry_of_the_register_is_ended_after_its_partnership_alone(hospital, vendor, page):
    assert "End the partnership" in hospital.client.get(hospital.page).content.decode()
    refused = hospital.client.post(f"{hospital.page}end/")
    assert refused.status_code == 409
    assert "End the partnership first" in refused.content.decode()
    assert vendor.client.get(page).status_code == 200
    assert _end(hospital).status_code == 302
    assert hospital.client.post(f"{hospital.page}end/").status_code == 302


def test_an_entry_that_is_ended_takes_its_invitation_along(hospital):
    link = send_link(hospital, "nell@example.org")
    assert Client().get(link).status_code == 200
    assert hospital.client.post(f"{hospital.page}end/").status_code == 302
    assert Client().get(link).status_code == 404
    with open_tenant(hospital.tenant.pk):
        assert PartnershipInvitation.objects.get().revoked_at
