"""A unit belongs to the holder of its newest lease, to nobody once its connection is removed, and to one account."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.audit.models import AuditEntry
from accounts.tenancy.scope import open_tenant
from evidence.aws import session as sessions
from evidence.models import AwsConnection, CollectionRun, CollectionUnit, Snapshot
from evidence.services import collect_unit, collection, list_unfinished_units, remove_connection, start_run
from portal.demo.aws import AwsStandIn
from tests.factories import make_connection


def enter(aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch, account_id: str) -> None:
    """This process's credentials are those of the account's root."""
    keys = aws.admin_credentials(account_id)
    settings = {
        **aws.environment(),
        "AWS_ACCESS_KEY_ID": keys["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": keys["aws_secret_access_key"],
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    sessions._KEPT.clear()


@pytest.fixture
def connection(aws: AwsStandIn, tenant: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsConnection]:
    account_id = str(secrets.randbelow(9 * 10**11) + 10**11)
    enter(aws, monkeypatch, account_id)
    yield make_connection(tenant, aws_account_id=account_id, access="ambient")
    sessions._KEPT.clear()


@pytest.fixture
def started(tenant: Any, connection: AwsConnection) -> tuple[CollectionRun, list[UUID]]:
    with open_tenant(tenant.pk):
        run = start_run(connection_id=connection.pk, trigger="person", rings=False)
        return run, list_unfinished_units(run_id=run.pk)


def test_a_worker_that_is_late_writes_nothing_over_the_one_that_took_its_place(tenant, started, monkeypatch):
    run, [unit_id, *others] = started
    read = collection._read

    def slowly(unit: CollectionUnit, aws: AwsConnection) -> Any:
        if unit.pk == unit_id and unit.fence == 1:
            with open_tenant(tenant.pk):
                long_ago = timezone.now() - timedelta(hours=1)
                CollectionUnit.objects.filter(pk=unit_id).update(lease_until=long_ago)
            assert collect_unit(tenant_id=tenant.pk, unit_id=unit_id).unit is not None
        return read(unit, aws)

    monkeypatch.setattr(collection, "_read", slowly)
    assert collect_unit(tenant_id=tenant.pk, unit_id=unit_id).unit is None
    assert all(collect_unit(tenant_id=tenant.pk, unit_id=other).unit for other in others[:-1])
    assert collect_unit(tenant_id=tenant.pk, unit_id=others[-1]).run_finished
    assert not collect_unit(tenant_id=tenant.pk, unit_id=others[-1]).run_finished
    with open_tenant(tenant.pk):
        unit = CollectionUnit.objects.get(pk=unit_id)
        assert (unit.state, unit.fence, unit.attempt) == ("done", 2, 2)
        assert Snapshot.objects.count() == run.units_total
        assert AuditEntry.objects.filter(act="collection.finish").count() == 1


def test_a_lease_that_still_holds_is_not_taken(tenant, started):
    _run, [unit_id, *_] = started
    with open_tenant(tenant.pk):
        soon = timezone.now() + timedelta(minutes=20)
        CollectionUnit.objects.filter(pk=unit_id).update(state="claimed", lease_until=soon)
    assert collect_unit(tenant_id=tenant.pk, unit_id=unit_id).unit is None


def test_what_was_not_read_when_the_connection_is_removed_is_not_read_any_more(
    aws, tenant, connection, started
):
    run, waiting = started
    collect_unit(tenant_id=tenant.pk, unit_id=waiting[0])
    with open_tenant(tenant.pk):
        remove_connection(connection_id=connection.pk)
    aws.reset_calls()
    for unit_id in waiting[1:]:
        collect_unit(tenant_id=tenant.pk, unit_id=unit_id)
    assert aws.calls(account=connection.aws_account_id).total() == 0
    with open_tenant(tenant.pk):
        run.refresh_from_db()
        assert (run.state, run.verdict) == ("finished", "partial")
        assert Snapshot.objects.count() == 1
        reasons = {gap["reason"] for unit in run.units.exclude(pk=waiting[0]) for gap in unit.gaps}
        assert reasons == {"not_collected"}


def test_credentials_that_now_belong_to_another_account_leave_no_evidence(aws, tenant, started, monkeypatch):
    run, waiting = started
    enter(aws, monkeypatch, "777788889999")
    for unit_id in waiting:
        collect_unit(tenant_id=tenant.pk, unit_id=unit_id)
    with open_tenant(tenant.pk):
        run.refresh_from_db()
        assert (run.state, run.verdict) == ("finished", "failed")
        assert not Snapshot.objects.exists()
        assert all("777788889999" in unit.gaps[0]["message"] for unit in run.units.all())
