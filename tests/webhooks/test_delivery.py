"""Webhooks against a real receiver: signed, at least once, under one id, tried again, given up, replayed."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from accounts.audit.models import AuditEntry
from accounts.errors import Conflict, InvalidInput
from accounts.models import WebhookDelivery, WebhookEndpoint, WebhookHandover, WebhookMessage
from accounts.permissions import Role
from accounts.services import webhooks
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import due_webhooks
from accounts.webhooks import delivery, emitting
from accounts.webhooks.emitting import emit, emit_to
from accounts.webhooks.events import EventType
from tests.factories import make_member, make_tenant
from tests.webhooks.kit import RUN, add_endpoint, deliveries, endpoint_of, finish_run, try_all
from tests.webhooks.receiver import Receiver

NOBODY = "http://127.0.0.1:1999/"
"""Where no test lets a request go."""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def rings(monkeypatch) -> list[tuple[str, Any]]:
    rung: list[tuple[str, Any]] = []
    monkeypatch.setattr(
        "tasks.webhook.ring", lambda task, _tenant, rows, **_: rung.append((task, list(rows)))
    )
    return rung


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


@pytest.fixture
def tenant() -> Any:
    return make_tenant()


def _due(tenant: Any, later: timedelta = timedelta()) -> list[tuple[str, Any]]:
    """What the sweeper finds of the tenant."""
    found = due_webhooks(timezone.now() + later, 100_000)
    return [(each.kind, each.row_id) for each in found if each.tenant_id == tenant.pk]


def _fail(status: int | None = 500) -> Any:
    return lambda *_: delivery.Outcome(status, "It failed.")


def test_an_event_arrives_signed_and_any_change_of_it_is_noticed(tenant, receiver, rings):
    made = add_endpoint(tenant, receiver.url)
    run_id = finish_run(tenant)
    (waiting,) = deliveries(tenant)
    assert rings == [("tasks.webhook.deliver_webhook", [waiting.pk])]
    (done,) = try_all(tenant)
    assert (done.state, done.status, done.attempts, done.error) == ("delivered", 204, 1, "")
    ((headers, body),) = receiver.got
    said = Webhook(made.secret).verify(body, headers)
    assert (said["type"], said["data"]["id"], headers["webhook-id"]) == (
        "run.finished",
        str(run_id),
        str(done.message_id),
    )
    assert said["data"].keys() == EventType.RUN_FINISHED.example.keys()
    for changed in (body + b" ", body.replace(b"complete", b"failed")):
        with pytest.raises(WebhookVerificationError):
            Webhook(made.secret).verify(changed, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(made.secret).verify(body, {**headers, "webhook-id": "another"})


def test_the_six_lines_of_the_manual_verify_it(tenant, receiver):
    """The code that docs/webhooks.md gives integrators, run as it stands there."""
    made = add_endpoint(tenant, receiver.url)
    finish_run(tenant)
    try_all(tenant)
    manual = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
    code = next(each for each in re.findall(r"```python\n(.*?)```", manual, re.DOTALL) if "hmac" in each)
    known: dict[str, Any] = {}
    exec(code, known)
    ((headers, body),) = receiver.got
    assert known["is_genuine"](made.secret, headers, body)
    assert not known["is_genuine"](made.secret, headers, body + b" ")
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert not known["is_genuine"](made.secret, headers, body)


def test_a_tenant_without_endpoints_pays_one_query_and_keeps_nothing(tenant, django_assert_num_queries):
    with open_tenant(tenant.pk):
        with django_assert_num_queries(1):
            emit(EventType.RUN_FINISHED, tenant.pk, page=("overview",), **RUN)
        assert not WebhookMessage.objects.exists()


def test_what_is_undone_is_not_told_and_what_happens_twice_is_told_once(tenant, receiver, rings):
    add_endpoint(tenant, receiver.url)
    with open_tenant(tenant.pk):
        emit(EventType.RUN_FINISHED, tenant.pk, page=("overview",), **RUN)
        transaction.set_rollback(True)
    assert (deliveries(tenant), rings) == ([], [])
    for _ in range(2):
        finish_run(tenant, run_id=tenant.pk)
    assert len(deliveries(tenant)) == len(rings) == 1


def test_an_event_has_the_fields_of_its_example_and_no_others(tenant):
    with open_tenant(tenant.pk), pytest.raises(TypeError, match="fields"):
        emit(EventType.RUN_FINISHED, tenant.pk, page=("overview",), **RUN, title="words of a person")


def test_only_endpoints_that_asked_are_told_and_no_other_tenants(tenant, receiver):
    other = make_tenant()
    add_endpoint(tenant, receiver.url, EventType.NOTICE_RECEIVED)
    add_endpoint(other, receiver.url)
    finish_run(tenant)
    assert (deliveries(tenant), deliveries(other)) == ([], [])


def test_tries_follow_the_conventions_schedule_with_one_id_then_it_is_a_dead_letter(tenant, receiver):
    add_endpoint(tenant, receiver.url)
    finish_run(tenant)
    for _ in range(10):
        receiver.answer(500)
    now, waits = timezone.now(), []
    with time_machine.travel(now, tick=False) as clock:
        for _ in range(10):
            (row,) = deliveries(tenant)
            clock.move_to(row.due_at)
            delivery.deliver(tenant_id=tenant.pk, delivery_id=row.pk)
            (after,) = deliveries(tenant)
            waits.append((after.due_at - row.due_at).total_seconds())
    assert (after.state, after.attempts, after.status) == ("dead", 10, 500)
    for wait, least in zip(waits, delivery.WAITS, strict=False):
        assert least <= wait <= least * 1.2
    assert timedelta(hours=75) < timedelta(seconds=sum(waits)) < timedelta(hours=92)
    assert len({headers["webhook-id"] for headers, _body in receiver.got}) == 1
    assert len({headers["webhook-timestamp"] for headers, _body in receiver.got}) == 10
    assert len({body for _headers, body in receiver.got}) == 1


def test_a_first_failure_rings_again_in_seconds_and_a_receivers_own_wait_is_kept(tenant, receiver):
    add_endpoint(tenant, receiver.url)
    finish_run(tenant)
    receiver.answer(503)
    receiver.answer(429, Retry_After="4000")
    (row,) = deliveries(tenant)
    (following,) = delivery.deliver(tenant_id=tenant.pk, delivery_id=row.pk)
    assert (following.delivery_id, 5 <= following.after <= 6) == (row.pk, True)
    (after,) = try_all(tenant)
    assert timedelta(seconds=3000) < after.due_at - timezone.now() <= timedelta(seconds=4000)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 502])
def test_nothing_but_success_is_success_and_no_redirect_is_followed(tenant, receiver, status):
    add_endpoint(tenant, receiver.url)
    finish_run(tenant)
    receiver.answer(status, Location=receiver.url)
    (row,) = try_all(tenant)
    assert (row.state, row.status, len(receiver.got)) == ("pending", status, 1)


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "[::ffff:192.168.1.1]", "0xa9fea9fe"])
def test_a_delivery_goes_through_the_judge_of_addresses(tenant, host):
    add_endpoint(tenant, f"http://{host}/")
    finish_run(tenant)
    (row,) = try_all(tenant)
    assert (row.state, row.status) == ("pending", None)
    assert "not an address on the public Internet" in row.error


def test_a_name_that_leads_inside_by_the_time_of_a_delivery_is_not_gone_to(
    tenant, receiver, monkeypatch, settings
):
    settings.OUTBOUND_NETWORKS = []
    add_endpoint(tenant, receiver.url.replace("127.0.0.1", "tickets.example.org"))
    finish_run(tenant)
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: inside)
    (row,) = try_all(tenant)
    assert ("not an address on the public Internet" in row.error, receiver.got) == (True, [])


def test_an_address_that_cannot_be_one_is_refused_when_it_is_given(tenant, settings):
    settings.OUTBOUND_PLAIN_HTTP = False
    for url in (
        "http://example.org/",
        "https://me@example.org/",
        "https://example.org:22/",
        "ftp://example.org/",
    ):
        with pytest.raises(InvalidInput):
            add_endpoint(tenant, url)


def test_an_answers_beginning_is_kept_and_nothing_of_it_that_a_database_refuses(tenant, receiver):
    add_endpoint(tenant, receiver.url)
    finish_run(tenant)
    receiver.answer(200, b"<script>\x00\x1b[2J\xff" + b"x" * 5000)
    (row,) = try_all(tenant)
    assert row.state == "delivered"
    assert row.answer.startswith("<script>\ufffd\ufffd[2J\ufffdx")
    assert len(row.answer) <= 1024


def test_while_a_secret_is_rotated_both_sign_and_after_a_day_the_old_one_is_over(tenant, receiver):
    old = add_endpoint(tenant, receiver.url)
    with open_tenant(tenant.pk):
        new = webhooks.rotate_secret(endpoint_id=old.endpoint.pk)
        row = WebhookEndpoint.objects.get()
        assert not any(made.secret.encode() in bytes(row.secret + row.previous_secret) for made in (old, new))
    finish_run(tenant)
    try_all(tenant)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        finish_run(tenant)
        try_all(tenant)
        for made in (new, old):
            Webhook(made.secret)
        (both, body), (last, last_body) = receiver.got
        Webhook(new.secret).verify(last_body, last)
        with pytest.raises(WebhookVerificationError, match="No matching"):
            Webhook(old.secret).verify(last_body, last)
    for made in (new, old):
        Webhook(made.secret).verify(body, both)


def test_a_leaked_secret_can_be_ended_at_once(tenant, receiver):
    old = add_endpoint(tenant, receiver.url)
    with open_tenant(tenant.pk):
        webhooks.rotate_secret(endpoint_id=old.endpoint.pk)
        webhooks.end_previous_secret(endpoint_id=old.endpoint.pk)
    finish_run(tenant)
    try_all(tenant)
    ((headers, body),) = receiver.got
    with pytest.raises(WebhookVerificationError):
        Webhook(old.secret).verify(body, headers)


def test_a_killed_workers_delivery_is_taken_up_when_its_lease_is_over_under_the_same_id(tenant, receiver):
    add_endpoint(tenant, receiver.url)
    finish_run(tenant)

    class Killed(BaseException):
        pass

    def send_and_die(*given: Any) -> Any:
        delivery.send(*given)
        raise Killed

    with pytest.raises(Killed):
        try_all(tenant, sender=send_and_die)
    (held,) = try_all(tenant)
    assert (held.state, len(receiver.got)) == ("pending", 1)
    assert _due(tenant) == []
    with time_machine.travel(timezone.now() + delivery.LEASE):
        assert _due(tenant) == [("delivery", held.pk)]
        (done,) = try_all(tenant)
    assert (done.state, done.attempts) == ("delivered", 2)
    assert len({headers["webhook-id"] for headers, _body in receiver.got}) == 1


def test_who_lost_the_row_meanwhile_changes_nothing(tenant, receiver):
    add_endpoint(tenant, receiver.url)
    finish_run(tenant)

    def disabled_meanwhile(endpoint: WebhookEndpoint, _message: Any) -> delivery.Outcome:
        with open_tenant(tenant.pk):
            webhooks.disable_endpoint(endpoint_id=endpoint.pk)
        return delivery.Outcome(204, "")

    (row,) = try_all(tenant, sender=disabled_meanwhile)
    assert (row.state, row.error) == ("dead", "Disabled by hand.")


def test_gone_disables_and_tells_those_who_may_change_it(tenant, receiver):
    owner, viewer = make_member(tenant, Role.OWNER), make_member(tenant, Role.VIEWER)
    add_endpoint(tenant, receiver.url)
    for _ in range(2):
        finish_run(tenant)
    receiver.answer(410)
    rows = try_all(tenant)
    assert [row.state for row in rows] == ["dead", "dead"]
    assert len(receiver.got) == 1
    endpoint = endpoint_of(tenant)
    assert endpoint.disabled_at
    told = [message for message in mail.outbox if owner.email in message.to]
    assert ["410 Gone" in str(message.body) for message in told] == [True]
    assert not any(viewer.email in message.to for message in mail.outbox)
    with open_tenant(tenant.pk):
        assert AuditEntry.objects.filter(act="webhook.change", object_id=str(endpoint.pk)).count() == 1


def test_five_days_of_failures_disable_and_one_success_forgives(tenant):
    make_member(tenant, Role.OWNER)
    add_endpoint(tenant, NOBODY)
    began = timezone.now()

    def at(days: float, status: int) -> WebhookEndpoint:
        with time_machine.travel(began + timedelta(days=days)):
            finish_run(tenant)
            try_all(
                tenant, sender=_fail(status) if status >= 300 else lambda *_: delivery.Outcome(status, "")
            )
        return endpoint_of(tenant)

    assert at(0, 500).failing_since
    assert at(2, 200).failing_since is None
    assert at(3, 500).disabled_at is None
    assert at(7.9, 500).disabled_at is None
    assert at(8.1, 500).disabled_at
    assert len(mail.outbox) == 1


def test_dead_letters_are_replayed_since_a_time_and_what_happens_while_disabled_is_one(
    tenant, receiver, rings
):
    made = add_endpoint(tenant, receiver.url)
    first = finish_run(tenant, at=datetime(2026, 3, 1, tzinfo=UTC))
    finish_run(tenant, at=datetime(2026, 1, 1, tzinfo=UTC))
    with open_tenant(tenant.pk):
        webhooks.disable_endpoint(endpoint_id=made.endpoint.pk)
    third = finish_run(tenant)
    assert [row.state for row in deliveries(tenant)] == ["dead"] * 3
    since = datetime(2026, 2, 1, tzinfo=UTC)
    with open_tenant(tenant.pk):
        with pytest.raises(Conflict):
            webhooks.replay_dead(endpoint_id=made.endpoint.pk, since=since)
        webhooks.enable_endpoint(endpoint_id=made.endpoint.pk)
        rings.clear()
        assert webhooks.replay_dead(endpoint_id=made.endpoint.pk, since=since) == 2
    assert len(rings[0][1]) == 2
    assert [row.state for row in try_all(tenant)] == ["delivered", "dead", "delivered"]
    assert {said["data"]["id"] for said in receiver.bodies()} == {str(first), str(third)}


def test_one_that_was_delivered_is_sent_again_under_its_id(tenant, receiver):
    add_endpoint(tenant, receiver.url)
    finish_run(tenant)
    (row,) = try_all(tenant)
    with open_tenant(tenant.pk):
        webhooks.replay_delivery(delivery_id=row.pk)
        with pytest.raises(Conflict):
            webhooks.replay_delivery(delivery_id=row.pk)
    try_all(tenant)
    assert [headers["webhook-id"] for headers, _body in receiver.got] == [str(row.message_id)] * 2


def test_a_test_is_tried_once_and_its_failure_is_not_held_against_the_endpoint(tenant, receiver):
    made = add_endpoint(tenant, receiver.url)
    receiver.answer(500)
    with open_tenant(tenant.pk):
        webhooks.test_endpoint(endpoint_id=made.endpoint.pk)
    (row,) = try_all(tenant)
    assert (row.state, row.status, receiver.bodies()[0]["type"]) == ("dead", 500, "webhook.test")
    assert endpoint_of(tenant).failing_since is None


def test_a_failing_endpoint_is_tried_one_at_a_time_and_each_that_ends_rings_for_the_next(tenant):
    add_endpoint(tenant, NOBODY)
    for _ in range(3):
        finish_run(tenant)
    first, second, third = deliveries(tenant)
    delivery.deliver(tenant_id=tenant.pk, delivery_id=first.pk, sender=_fail())
    seen: list[Any] = []

    def nested(*_: Any) -> delivery.Outcome:
        seen.append(delivery.deliver(tenant_id=tenant.pk, delivery_id=third.pk, sender=_fail()))
        return delivery.Outcome(500, "It failed.")

    following = delivery.deliver(tenant_id=tenant.pk, delivery_id=second.pk, sender=nested)
    assert seen == [[]], "another one waits while the endpoint fails"
    assert third.pk in {each.delivery_id for each in following}


def test_a_long_queue_of_one_endpoint_hides_nobody_elses_from_the_sweeper(tenant):
    """Looked for in the time of no other test, so that only these rows are due."""
    other, then = make_tenant(), timezone.now() - timedelta(days=400)
    for each, number in ((tenant, 5), (other, 1)):
        add_endpoint(each, NOBODY)
        for _ in range(number):
            finish_run(each)
        with open_tenant(each.pk):
            WebhookDelivery.objects.update(due_at=then + timedelta(seconds=each is other))
    found = due_webhooks(then + timedelta(minutes=1), 3)
    assert [each.tenant_id for each in found if each.kind == "delivery"] == [tenant.pk, tenant.pk, other.pk]


def test_receivers_that_hang_hold_some_of_a_workers_threads_and_failing_ones_fewer(tenant, monkeypatch):
    """Each try begins inside of another one, as on as many threads."""
    tenants, began = [make_tenant() for _ in range(6)], []
    for each in tenants:
        add_endpoint(each, NOBODY)
        finish_run(each)

    def hang(at: int) -> Any:
        def sender(*_: Any) -> delivery.Outcome:
            began.append(at)
            if at + 1 < len(tenants):
                (row,) = deliveries(tenants[at + 1])
                delivery.deliver(tenant_id=tenants[at + 1].pk, delivery_id=row.pk, sender=hang(at + 1))
            return delivery.Outcome(None, "It hangs.")

        return sender

    def run() -> int:
        began.clear()
        (row,) = deliveries(tenants[0])
        delivery.deliver(tenant_id=tenants[0].pk, delivery_id=row.pk, sender=hang(0))
        return len(began)

    assert run() == 4
    for each in tenants:
        with open_tenant(each.pk):
            WebhookEndpoint.objects.update(failing_since=timezone.now())
            WebhookDelivery.objects.update(due_at=timezone.now())
    assert run() == 2


def test_an_event_for_another_tenant_is_handed_over_once_and_found_if_its_ring_was_lost(tenant, rings):
    other = make_tenant()
    add_endpoint(other, NOBODY, EventType.PARTNERSHIP_ENDED)
    with open_tenant(tenant.pk):
        emit_to(other.pk, EventType.PARTNERSHIP_ENDED, tenant.pk, page=("overview",), side="downstream")
        row = WebhookHandover.objects.get()
    assert rings == [("tasks.webhook.hand_over", [row.pk])]
    assert deliveries(other) == []
    later = timedelta(seconds=11)
    assert _due(tenant, later) == [("handover", row.pk)]
    for _ in range(2):
        emitting.hand_over(tenant_id=tenant.pk, handover_id=row.pk)
    (told,) = deliveries(other)
    assert (told.message.data["tenant"], told.message.data["id"]) == (str(other.pk), str(tenant.pk))
    assert deliveries(tenant) == []
    assert _due(tenant, later) == []


def test_what_is_settled_and_older_than_ninety_days_is_removed_and_what_waits_is_kept(tenant):
    add_endpoint(tenant, NOBODY)
    long_ago = timezone.now() - timedelta(days=91)
    finish_run(tenant, at=long_ago)
    finish_run(tenant, at=long_ago)
    finish_run(tenant)
    old = deliveries(tenant)[0]
    with open_tenant(tenant.pk):
        WebhookDelivery.objects.filter(pk=old.pk).update(state="dead")
    assert ("old", tenant.pk) in _due(tenant)
    delivery.purge(tenant_id=tenant.pk)
    assert old.pk not in {row.pk for row in deliveries(tenant)}
    assert len(deliveries(tenant)) == 2
    with open_tenant(tenant.pk):
        assert WebhookMessage.objects.count() == 2
