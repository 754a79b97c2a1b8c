"""Timers act when their time has come, once; what fails is tried again, and later each time."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import due_timers
from assessments.models import BusinessAssociate, Timer
from assessments.timers.services import clear_timer, run_timer, set_timer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr("assessments.timers.services.ring_after_commit", lambda *_: None)


@pytest.fixture
def row():
    return uuid4()


def _set(tenant, row, *, after: float = -1) -> Timer:
    with open_tenant(tenant.pk):
        return set_timer("test", row, timezone.now() + timedelta(seconds=after))


def _run(timer, handler) -> bool:
    return run_timer(tenant_id=timer.tenant_id, timer_id=timer.pk, handlers={"test": handler})


def _fresh(timer) -> Timer:
    with open_tenant(timer.tenant_id):
        return Timer.objects.get(pk=timer.pk)


def _is_due(timer) -> bool:
    return (timer.tenant_id, timer.pk) in due_timers(timezone.now(), 100_000)


def test_a_due_timer_calls_its_handler_with_its_row_once(tenant, row):
    timer, called = _set(tenant, row), []
    assert _is_due(timer)
    assert [_run(timer, called.append), _run(timer, called.append)] == [True, False]
    assert called == [row]
    assert not _is_due(timer)


def test_a_timer_waits_for_its_time(tenant, row):
    timer, called = _set(tenant, row, after=60), []
    assert not _is_due(timer)
    assert not _run(timer, called.append)
    assert called == []


def test_setting_it_again_moves_it(tenant, row):
    timer = _set(tenant, row)
    assert _set(tenant, row, after=60).pk == timer.pk
    assert not _is_due(timer)


def test_a_cleared_timer_does_nothing(tenant, row):
    timer, called = _set(tenant, row), []
    with open_tenant(tenant.pk):
        clear_timer("test", row)
    assert not _run(timer, called.append)
    assert called == []


def test_a_handler_may_ask_to_be_called_again(tenant, row):
    timer, again = _set(tenant, row), timezone.now() + timedelta(days=1)
    assert _run(timer, lambda _row: again)
    assert (_fresh(timer).due_at, _fresh(timer).ring_at) == (again, again)


def test_what_a_failing_handler_wrote_is_undone_and_it_is_tried_later_each_time(tenant, row):
    timer, delays = _set(tenant, row), []

    def fail(_row):
        BusinessAssociate.objects.create(reference="1", name="half done")
        raise ValueError("no")

    for _ in range(3):
        with open_tenant(tenant.pk):
            Timer.objects.filter(pk=timer.pk).update(ring_at=timezone.now())
        with pytest.raises(ValueError, match="no"):
            _run(timer, fail)
        delays.append((_fresh(timer).ring_at - timezone.now()).total_seconds())
    assert [round(each / 60) for each in delays] == [1, 2, 4]
    with open_tenant(tenant.pk):
        assert not BusinessAssociate.objects.exists()


def test_workers_at_the_same_moment_call_it_once(tenant, row):
    timer, called, barrier = _set(tenant, row), [], threading.Barrier(4)

    def work():
        barrier.wait(30)
        _run(timer, called.append)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert called == [row]
