"""Notices as both sides meet them: one act, a clock for each agreement, mail, acknowledgement, escalation, drills."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from functools import partial
from smtplib import SMTPServerDisconnected
from urllib.parse import quote

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.audit.models import AuditEntry
from accounts.errors import Conflict
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import due_notices
from assessments.models import (
    Acknowledgement,
    Notice,
    NoticeEvent,
    NoticeReceived,
    NoticeTimeline,
    Occurrence,
    OutsideNotice,
)
from assessments.notices import receiving, sending
from assessments.notices.duties import duties
from assessments.notices.kinds import Kind
from assessments.notices.outside import add_recipient
from assessments.notices.receiving import acknowledge_notice, receive_notice
from assessments.notices.terms import Hours
from evidence.keyset import page_by_time
from tests.accounts.factories import grow_stale, make_ready_person, sign_in
from tests.agreements.factories import make_agreement
from tests.notices.factories import make_parties, ring, send

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    for place in ("assessments.timers.services", "assessments.notices.sending"):
        monkeypatch.setattr(f"{place}.ring_after_commit", lambda *_: None)


def _waits(tenant, notice) -> bool:
    return (tenant.pk, notice.pk) in due_notices(timezone.now() + timedelta(seconds=1), 100_000)


def _notices(parties) -> list[Notice]:
    with open_tenant(parties.associate.pk):
        return list(Notice.objects.order_by("due_at"))


def _to(person) -> list[str]:
    return [str(message.subject) for message in mail.outbox if person.email in message.to]


def _form(client, **fields):
    page = client.get("/notices/new/contingency/")
    return {
        "title": "Claims system is down", "details": "Use paper.", "discovered_at": "2026-11-20T09:30",
        "zone": "America/New_York", "recipients": page.context["form"].initial["recipients"], **fields,
    }  # fmt: skip


@time_machine.travel("2026-11-22T12:00:00Z", tick=True)
def test_recipients_and_deadlines_are_shown_before_anything_is_sent_and_only_what_was_shown_is_sent():
    parties = make_parties(3)
    hours = dict(zip([each.pk for each in parties.hospitals], (24, 4, 48), strict=True))
    for hospital, partnership in zip(parties.hospitals, parties.partnerships, strict=True):
        make_agreement(hospital, associate=partnership.associate, contingency_hours=hours[hospital.pk])
    client = sign_in(make_ready_person(Role.SECURITY_OFFICIAL, parties.associate))
    given = _form(client)
    shown = client.post("/notices/new/contingency/", {**given, "preview": "1"})
    dues = ["2026-11-20 13:30:00 EST", "2026-11-21 09:30:00 EST", "2026-11-22 09:30:00 EST"]
    assert re.findall(r">(2026-11-2\d [\d:]+ EST)<", shown.content.decode()) == dues
    assert _notices(parties) == []
    unseen = client.post("/notices/new/contingency/", {**given, "send": "1", "shown": "x"})
    changed = {**given, "discovered_at": "2026-11-20T09:31", "send": "1", "shown": shown.context["shown"]}
    assert (unseen.status_code, client.post("/notices/new/contingency/", changed).status_code) == (200, 200)
    assert _notices(parties) == []
    sent = client.post("/notices/new/contingency/", {**given, "send": "1", "shown": shown.context["shown"]})
    assert sent.status_code == 302
    assert [f"{row.due_at:%d %H:%M}" for row in _notices(parties)] == ["20 18:30", "21 14:30", "22 14:30"]
    assert [hours[row.viewer_id] for row in _notices(parties)] == [4, 24, 48]


def test_each_agreements_hours_drive_its_own_deadline_and_law_the_others():
    parties = make_parties(2)
    associate = parties.partnerships[0].associate
    make_agreement(
        parties.hospitals[0], associate=associate, contingency_hours=6, incident_hours=2, breach_hours=72
    )
    for kind, shortest in (
        (Kind.CONTINGENCY, 6),
        (Kind.INCIDENT, 2),
        (Kind.BREACH, 72),
        (Kind.WORKFORCE, 24),
    ):
        occurrence = send(parties, kind=kind)
        with open_tenant(parties.associate.pk):
            rows = list(Notice.objects.filter(occurrence=occurrence).order_by("due_at"))
        assert rows[0].due_at - occurrence.discovered_at == timedelta(hours=shortest)
        assert ("the agreement" in rows[0].rule) == (kind is not Kind.WORKFORCE)
        assert "the agreement" not in rows[1].rule


def test_sending_asks_for_a_fresh_proof_and_for_the_role():
    parties = make_parties()
    stale = grow_stale(sign_in(make_ready_person(Role.OWNER, parties.associate)))
    assert stale.get("/notices/new/contingency/").url.startswith("/step-up/")
    viewer = sign_in(make_ready_person(Role.VIEWER, parties.associate))
    assert viewer.get("/notices/new/contingency/").status_code == 403
    send(parties)
    upstream = sign_in(make_ready_person(Role.VIEWER, parties.hospitals[0]))
    path = f"/notices/received/{_notices(parties)[0].pk}/"
    assert upstream.get(path).status_code == 200
    assert upstream.post(f"{path}acknowledge/", {"note": ""}).status_code == 403


def test_each_receivers_own_people_are_told_once_by_their_own_worker():
    parties = make_parties(2)
    send(parties)
    for notice in _notices(parties):
        at = next(each for each in parties.hospitals if each.pk == notice.viewer_id)
        assert _waits(at, notice)
        told = [receive_notice(tenant_id=at.pk, notice_id=notice.pk) for _ in range(2)]
        assert told == [True, False]
        assert not _waits(at, notice)
    assert [_to(owner) for owner in parties.owners] == [["Notice from Cedar Billing"]] * 2
    assert "Claims" not in mail.outbox[0].body


def test_nobody_else_is_told_of_it_or_can_read_it():
    parties, others = make_parties(), make_parties()
    send(parties)
    notice = _notices(parties)[0]
    assert not receive_notice(tenant_id=others.hospitals[0].pk, notice_id=notice.pk)
    stranger = sign_in(make_ready_person(Role.OWNER, others.hospitals[0]))
    assert stranger.get(f"/notices/received/{notice.pk}/").status_code == 404


def test_a_worker_killed_between_mail_and_commit_sends_again_and_never_not(monkeypatch):
    parties = make_parties()
    send(parties)
    notice, hospital = _notices(parties)[0], parties.hospitals[0]
    really = receiving.send_now

    def killed(*arguments, **context):
        really(*arguments, **context)
        raise KeyboardInterrupt

    monkeypatch.setattr(receiving, "send_now", killed)
    with pytest.raises(KeyboardInterrupt):
        receive_notice(tenant_id=hospital.pk, notice_id=notice.pk)
    assert _waits(hospital, notice)
    monkeypatch.setattr(receiving, "send_now", really)
    assert receive_notice(tenant_id=hospital.pk, notice_id=notice.pk)
    assert len(_to(parties.owners[0])) == 2


def test_a_mail_server_that_fails_leaves_it_waiting(monkeypatch):
    parties = make_parties()
    send(parties)
    notice, hospital = _notices(parties)[0], parties.hospitals[0]

    def down(*_arguments, **_context):
        raise SMTPServerDisconnected("down")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", down)
    with pytest.raises(SMTPServerDisconnected):
        receive_notice(tenant_id=hospital.pk, notice_id=notice.pk)
    assert _waits(hospital, notice)


def test_one_acknowledges_and_both_sides_and_both_logs_show_it():
    parties = make_parties()
    occurrence = send(parties)
    notice, hospital = _notices(parties)[0], parties.hospitals[0]
    client = sign_in(make_ready_person(Role.OWNER, hospital))
    assert client.post(f"/notices/received/{notice.pk}/acknowledge/", {"note": "On paper"}).status_code == 302
    page = client.get(f"/notices/received/{notice.pk}/").content
    assert b"acknowledged in time" in page
    sender = sign_in(make_ready_person(Role.OWNER, parties.associate))
    answer = sender.get(f"/notices/{occurrence.pk}/").content.decode()
    assert "1 of 1 acknowledged" in answer
    assert "On paper" in answer
    assert "hx-get" not in sender.get(f"/notices/{occurrence.pk}/clock/").content.decode()
    with open_tenant(parties.associate.pk):
        told = AuditEntry.objects.filter(object_id=str(notice.pk), actor_kind="partner")
        assert {entry.actor_name for entry in told} == {hospital.name}


def test_of_many_who_acknowledge_at_once_one_does():
    parties = make_parties()
    send(parties)
    notice, hospital = _notices(parties)[0], parties.hospitals[0]
    results: list[str] = []

    def act():
        try:
            with open_tenant(hospital.pk):
                acknowledge_notice(notice_id=notice.pk, note="", by=parties.owners[0])
            results.append("done")
        except Conflict:
            results.append("conflict")
        finally:
            connection.close()

    threads = [threading.Thread(target=act) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["conflict"] * 5 + ["done"]
    with open_tenant(parties.associate.pk):
        assert Acknowledgement.received.filter(notice_id=notice.pk).count() == 1


def _events(parties) -> list[str]:
    with open_tenant(parties.associate.pk):
        told = NoticeEvent.objects.filter(kind__in=("reminded", "overdue")).order_by("at")
        return [each.kind for each in told]


def test_it_escalates_at_half_time_and_at_the_deadline_once_each_to_both_sides():
    parties = make_parties()
    with time_machine.travel(timezone.now() - timedelta(hours=13)):
        send(parties)
    notice, hospital = _notices(parties)[0], parties.hospitals[0]
    receive_notice(tenant_id=hospital.pk, notice_id=notice.pk)
    assert [ring(parties.associate, sending.ESCALATE, notice.pk) for _ in range(2)] == [True, False]
    assert _to(parties.sender) == [f"Not acknowledged: your notice to {hospital.name}"]
    assert not ring(hospital, receiving.REMIND, notice.pk)
    with time_machine.travel(timezone.now() + timedelta(hours=12)):
        assert [ring(parties.associate, sending.ESCALATE, notice.pk) for _ in range(2)] == [True, False]
        assert [ring(hospital, receiving.REMIND, notice.pk) for _ in range(2)] == [True, False]
    assert _events(parties) == ["reminded", "overdue"]
    assert len(_to(parties.sender)) == 2
    assert _to(parties.owners[0])[-1] == "Not acknowledged: a notice from Cedar Billing"


def test_each_side_finds_it_on_its_page_of_the_other():
    parties = make_parties()
    occurrence = send(parties)
    notice, partnership = _notices(parties)[0], parties.partnerships[0]
    upstream = sign_in(make_ready_person(Role.VIEWER, parties.hospitals[0]))
    page = upstream.get(f"/business-associates/{partnership.associate_id}/notices/").content.decode()
    assert f"/notices/received/{notice.pk}/" in page
    downstream = sign_in(make_ready_person(Role.VIEWER, parties.associate))
    page = downstream.get(f"/covered-entities/{partnership.pk}/?tab=notices").content.decode()
    assert f"/notices/{occurrence.pk}/" in page


def test_what_is_acknowledged_escalates_no_more():
    parties = make_parties()
    with time_machine.travel(timezone.now() - timedelta(hours=25)):
        send(parties)
    notice, hospital = _notices(parties)[0], parties.hospitals[0]
    receive_notice(tenant_id=hospital.pk, notice_id=notice.pk)
    with open_tenant(hospital.pk):
        acknowledge_notice(notice_id=notice.pk, note="", by=parties.owners[0])
    mail.outbox.clear()
    ring(parties.associate, sending.ESCALATE, notice.pk)
    ring(hospital, receiving.REMIND, notice.pk)
    assert (mail.outbox, _events(parties)) == ([], [])


def test_a_drill_is_marked_everywhere_and_is_never_a_duty():
    parties = make_parties()
    occurrence = send(parties, drill=True)
    notice, hospital = _notices(parties)[0], parties.hospitals[0]
    receive_notice(tenant_id=hospital.pk, notice_id=notice.pk)
    message = mail.outbox[-1]
    assert message.subject == "DRILL: Notice from Cedar Billing"
    assert message.body.startswith("THIS IS A DRILL")
    there = sign_in(make_ready_person(Role.OWNER, hospital))
    here = sign_in(make_ready_person(Role.OWNER, parties.associate))
    pages = [
        (there, "/notices/"), (there, f"/notices/received/{notice.pk}/"), (here, f"/notices/{occurrence.pk}/"),
        (here, "/notices/?tab=sent"),
    ]  # fmt: skip
    for client, path in pages:
        assert b"DRILL" in client.get(path).content, path
    far = timezone.now() + timedelta(days=90)
    for tenant in (parties.associate, hospital):
        with open_tenant(tenant.pk):
            assert list(duties(timezone.now() - timedelta(days=1), far)) == []


def test_a_real_one_is_a_duty_of_both_sides_until_it_is_acknowledged():
    parties = make_parties()
    send(parties)
    now = timezone.now()
    for tenant in (parties.associate, parties.hospitals[0]):
        with open_tenant(tenant.pk):
            found = list(duties(now, now + timedelta(days=2)))
        assert [duty.done for duty in found] == [False]
    with open_tenant(parties.hospitals[0].pk):
        acknowledge_notice(notice_id=_notices_received(), note="", by=parties.owners[0])
        assert [duty.done for duty in duties(now, now + timedelta(days=2))] == [True]


def _notices_received():
    return Notice.received.get().pk


def test_updates_reach_the_receivers_and_closing_ends_them():
    parties = make_parties()
    occurrence = send(parties)
    notice, hospital = _notices(parties)[0], parties.hospitals[0]
    receive_notice(tenant_id=hospital.pk, notice_id=notice.pk)
    sender = sign_in(make_ready_person(Role.OWNER, parties.associate))
    path = f"/notices/{occurrence.pk}/update/"
    assert sender.post(path, {"text": "Back at noon"}).status_code == 302
    assert _waits(hospital, notice)
    assert receive_notice(tenant_id=hospital.pk, notice_id=notice.pk)
    assert _to(parties.owners[0])[-1] == "Update to a notice from Cedar Billing"
    assert sender.post(path, {"text": "Back", "closes": "on"}).status_code == 302
    assert sender.post(path, {"text": "More"}).status_code == 409
    receive_notice(tenant_id=hospital.pk, notice_id=notice.pk)
    assert _to(parties.owners[0])[-1] == "Closed: a notice from Cedar Billing"
    page = sign_in(make_ready_person(Role.OWNER, hospital)).get(f"/notices/received/{notice.pk}/").content
    assert page.index(b"Back at noon") < page.index(b"Closed by")


def test_one_that_is_no_tenant_reads_and_acknowledges_by_a_link_until_it_expires():
    parties = make_parties(0)
    with open_tenant(parties.associate.pk):
        add_recipient(name="Elm Clinic", email="privacy@elm.example", hours=Hours(contingency=8))
    occurrence = send(parties)
    with open_tenant(parties.associate.pk):
        row = OutsideNotice.objects.get()
    assert row.due_at - occurrence.discovered_at == timedelta(hours=8)
    assert ring(parties.associate, sending.TELL_OUTSIDE, row.pk)
    message = mail.outbox[-1]
    assert message.to == ["privacy@elm.example"]
    path = re.search(r"/notices/link/\S+", message.body)[0]
    guest = Client()
    assert b"Claims system is down" in guest.get(path).content
    assert guest.post(path, {"name": ""}).status_code == 422
    assert guest.post(path, {"name": "Ada Moss, privacy official"}).status_code == 302
    assert guest.post(path, {"name": "Another"}).status_code == 422
    assert b"Acknowledged by Ada Moss, privacy official" in guest.get(path).content
    with open_tenant(parties.associate.pk):
        acts = AuditEntry.objects.filter(object_id=str(row.pk), actor_kind="stranger").values_list(
            "act", flat=True
        )
        assert {"notice.read", "notice.acknowledge"} <= set(acts)
        assert not any(path.split("/")[3].encode() in bytes(each.body) for each in AuditEntry.objects.all())
    with time_machine.travel(row.expires_at + timedelta(seconds=1)):
        assert guest.get(path).status_code == 404
    assert guest.get("/notices/link/nothing/").status_code == 404


def test_the_signed_timeline_lists_every_event_and_stands_in_the_log_by_its_digest():
    import hashlib

    parties = make_parties()
    occurrence = send(parties)
    sender = sign_in(make_ready_person(Role.OWNER, parties.associate))
    assert sender.post(f"/notices/{occurrence.pk}/timeline/").status_code == 302
    with open_tenant(parties.associate.pk):
        made = NoticeTimeline.objects.get()
        entry = AuditEntry.objects.get(act="notice.timeline")
    answer = sender.get(f"/notices/timelines/{made.pk}/timeline.pdf")
    assert answer.content.startswith(b"%PDF")
    assert hashlib.sha256(answer.content).hexdigest() == made.sha256
    assert made.sha256.encode() in bytes(entry.body)
    assert sender.get(f"/notices/timelines/{made.pk}/signature.txt").status_code == 404  # no sealer runs here


def test_a_worker_that_died_after_the_commit_leaves_nothing_to_do():
    parties = make_parties()
    send(parties)
    notice, hospital = _notices(parties)[0], parties.hospitals[0]
    receive_notice(tenant_id=hospital.pk, notice_id=notice.pk)
    with open_tenant(hospital.pk):
        assert NoticeReceived.objects.get().told_revision == 1
    with open_tenant(parties.associate.pk):
        assert Occurrence.objects.get().kind == Kind.CONTINGENCY


def test_lists_come_in_pages_and_nothing_is_left_out(monkeypatch):
    monkeypatch.setattr("assessments.notices.reading.page_by_time", partial(page_by_time, size=2))
    parties = make_parties()
    for _ in range(3):
        send(parties)
    for tenant, tab in ((parties.associate, "sent"), (parties.hospitals[0], "received")):
        browser = sign_in(make_ready_person(Role.OWNER, tenant))
        first = browser.get(f"/notices/?tab={tab}")
        last = browser.get(f"/notices/?tab={tab}&after={quote(first.context['next'])}")
        assert [len(page.context[tab]) for page in (first, last)] == [2, 1]
        assert b"Next page" in first.content
