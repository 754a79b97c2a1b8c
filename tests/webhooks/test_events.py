"""What happens in the portal reaches the webhooks of those whom it concerns: each in its own tenant, in ids alone."""

from __future__ import annotations

import json
from datetime import timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.audit.models import AuditEntry
from accounts.models import WebhookDelivery, WebhookHandover
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from accounts.webhooks import delivery
from accounts.webhooks.delivery import Outcome
from accounts.webhooks.events import SUBSCRIBABLE, EventType
from assessments.models import Notice, Partnership
from assessments.notices import receiving
from assessments.notices.reading import list_clocks, list_events
from assessments.notices.receiving import acknowledge_notice, receive_notice
from assessments.notices.sending import ESCALATE, add_update
from assessments.partnerships.ending import end_partnership
from assessments.sharing.levels import Level
from assessments.sharing.services import Terms, make_grant, revoke_grant
from tests.accounts.factories import make_ready_person, sign_in
from tests.notices.factories import Parties, make_parties, ring, send
from tests.webhooks.kit import add_endpoint, deliveries, told, try_all

pytestmark = pytest.mark.django_db(transaction=True)
NOBODY = "http://127.0.0.1:1999/"


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    for place in ("assessments.timers.services", "assessments.notices.sending"):
        monkeypatch.setattr(f"{place}.ring_after_commit", lambda *_: None)
    monkeypatch.setattr("tasks.webhook.ring", lambda *_, **__: None)


@pytest.fixture
def parties() -> Parties:
    """A business associate and a covered entity, both with a webhook for everything."""
    made = make_parties()
    for tenant in (made.associate, made.hospitals[0]):
        add_endpoint(tenant, NOBODY, *SUBSCRIBABLE)
    return made


def _notice(parties: Parties) -> Notice:
    with open_tenant(parties.associate.pk):
        return Notice.objects.get()


def test_a_notice_and_what_is_added_to_it_reach_the_recipients_webhook_with_the_clock_and_no_words(parties):
    occurrence = send(parties, drill=True)
    notice, hospital = _notice(parties), parties.hospitals[0]
    for _ in range(2):
        receive_notice(tenant_id=hospital.pk, notice_id=notice.pk)
    ((event, data),) = told(hospital)
    due = notice.due_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (event, data["id"], data["due_at"], data["kind"], data["drill"]) == (
        "notice.received", str(notice.pk), due, "contingency", True,
    )  # fmt: skip
    assert data["url"].endswith(f"/notices/received/{notice.pk}/")
    with open_tenant(parties.associate.pk):
        add_update(occurrence_id=occurrence.pk, text="Back soon.", closes=True, by=parties.sender)
    receive_notice(tenant_id=hospital.pk, notice_id=notice.pk)
    event, data = told(hospital)[-1]
    assert (event, data["revision"], data["closed"]) == ("notice.updated", 2, True)
    everything = json.dumps(told(hospital))
    assert not any(
        word in everything for word in (occurrence.title, occurrence.details, "Back soon", "Cedar")
    )


def test_a_mail_server_that_fails_holds_up_no_webhook(parties, monkeypatch):
    send(parties)
    notice, hospital = _notice(parties), parties.hospitals[0]

    def fails(*_args: Any, **_context: Any) -> None:
        raise SMTPServerDisconnected

    monkeypatch.setattr(receiving, "send_now", fails)
    for _ in range(2):
        with pytest.raises(SMTPServerDisconnected):
            receive_notice(tenant_id=hospital.pk, notice_id=notice.pk)
    assert [event for event, _data in told(hospital)] == ["notice.received"]


def test_the_sender_sees_by_which_ways_it_was_told_and_not_that_a_receiver_failed(parties):
    occurrence = send(parties)
    notice, hospital = _notice(parties), parties.hospitals[0]
    receive_notice(tenant_id=hospital.pk, notice_id=notice.pk)

    def clock() -> Any:
        with open_tenant(parties.associate.pk):
            return list_clocks(occurrence)[0]

    assert (clock().mailed_at is not None, clock().webhook_at) == (True, None)
    try_all(hospital, sender=lambda *_: Outcome(500, "It failed."))
    assert clock().webhook_at is None
    try_all(hospital, sender=lambda *_: Outcome(204, ""))
    assert clock().webhook_at is not None
    with open_tenant(parties.associate.pk):
        said = [event.what for event in list_events(occurrence)]
    assert "Taken by the webhook of" in said
    browser = sign_in(make_ready_person(Role.OWNER, parties.associate))
    assert "; by webhook" in browser.get(f"/notices/{occurrence.pk}/").content.decode()


def test_acknowledging_reaches_the_senders_webhook_and_its_look_stands_in_the_recipients_log(parties):
    occurrence = send(parties)
    notice, hospital = _notice(parties), parties.hospitals[0]
    with open_tenant(hospital.pk):
        acknowledge_notice(notice_id=notice.pk, note="", by=parties.owners[0])
        assert WebhookHandover.objects.count() == 1
    ((event, data),) = told(parties.associate)
    assert (event, data["in_time"], data["tenant"]) == (
        "notice.acknowledged",
        True,
        str(parties.associate.pk),
    )
    assert data["url"].endswith(f"/notices/{occurrence.pk}/")
    browser = sign_in(make_ready_person(Role.OWNER, parties.associate))
    for path in (f"/notices/{occurrence.pk}/", "/notices/?tab=sent"):
        assert browser.get(path).status_code == 200
    polled = {"path": f"/notices/{occurrence.pk}/clock/", "headers": {"X-Background": "1"}}
    assert browser.get(**polled).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert browser.get(**polled).status_code == 200
    with open_tenant(hospital.pk):
        read = AuditEntry.objects.filter(actor_kind="partner", actor_id=str(parties.associate.pk))
        assert sorted(read.values_list("act", flat=True)) == [
            "collection.progress",
            "notice.list",
            "notice.read",
        ]


def test_a_clock_that_runs_out_reaches_both_sides(parties):
    send(parties, discovered_at=timezone.now() - timedelta(days=3))
    notice, hospital = _notice(parties), parties.hospitals[0]
    receive_notice(tenant_id=hospital.pk, notice_id=notice.pk)
    ring(parties.associate, ESCALATE, notice.pk)
    ring(hospital, receiving.REMIND, notice.pk)
    sides = [told(tenant)[-1] for tenant in (parties.associate, hospital)]
    assert [(event, data["side"], data["overdue"]) for event, data in sides] == [
        ("notice.escalated", "sender", True), ("notice.escalated", "recipient", True),
    ]  # fmt: skip


def test_a_grant_and_the_end_of_a_partnership_reach_both_sides(parties):
    hospital, partnership = parties.hospitals[0], parties.partnerships[0]
    with open_tenant(parties.associate.pk):
        shown = Partnership.received.get(pk=partnership.pk)
        terms = Terms(level=Level.STATUS, citations=("164.312(b)",))
        grant = make_grant(partnership=shown, terms=terms, by=parties.sender)
        revoke_grant(grant_id=grant.pk)
    with open_tenant(hospital.pk):
        end_partnership(associate_id=partnership.associate_id, reason="")
    for tenant, side in ((parties.associate, "downstream"), (hospital, "upstream")):
        heard = told(tenant)
        assert sorted(event for event, _data in heard) == ["grant.made", "grant.revoked", "partnership.ended"]
        assert {data["side"] for _event, data in heard} == {side}


def test_every_event_has_words_and_an_example_that_is_json():
    for event in EventType:
        assert event.words
        assert json.loads(json.dumps(event.example)) == event.example


def test_the_worker_tries_what_the_bell_rings_for(parties, monkeypatch):
    from tasks.webhook import deliver_webhook

    send(parties)
    receive_notice(tenant_id=parties.hospitals[0].pk, notice_id=_notice(parties).pk)
    (row,) = deliveries(parties.hospitals[0])
    monkeypatch.setattr(delivery, "fetch", lambda *_args, **_more: delivery.Answer(200, {}, b"thanks"))
    deliver_webhook(tenant_id=str(parties.hospitals[0].pk), row_id=str(row.pk))
    with open_tenant(parties.hospitals[0].pk):
        assert WebhookDelivery.objects.get().answer == "thanks"
