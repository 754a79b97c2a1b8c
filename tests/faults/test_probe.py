"""Connecting, through the service: a role that would let others in is refused, and the reason is kept."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.audit.models import AuditEntry
from accounts.errors import Conflict
from accounts.tenancy.scope import open_tenant
from evidence.aws import session as sessions
from evidence.aws.policy import role_policy, trust_policy
from evidence.models import AwsConnection, CollectionRun, ConnectionState, Snapshot
from evidence.services import (
    collect_unit,
    create_connection,
    list_unfinished_units,
    probe_connection,
    start_run,
)
from portal.demo.aws import PORTAL_ACCOUNT_ID, AwsStandIn

PORTAL = f"arn:aws:iam::{PORTAL_ACCOUNT_ID}:root"


@pytest.fixture
def cloud(aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[AwsStandIn]:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    settings.AWS_PRINCIPAL_ARN = PORTAL
    sessions.source_session.cache_clear()
    yield aws
    sessions.source_session.cache_clear()


@pytest.fixture
def connection(tenant: Any) -> AwsConnection:
    with open_tenant(tenant.pk):
        account_id = str(secrets.randbelow(9 * 10**11) + 10**11)
        return create_connection(name="Clinical", aws_account_id=account_id, regions=["us-east-1"])


def open_to_anybody() -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": PORTAL}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def make_role(cloud: AwsStandIn, connection: AwsConnection, trust: dict[str, Any]) -> None:
    iam = cloud.admin("iam", connection.aws_account_id)
    name = connection.role_name
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=json.dumps(role_policy()))


def paste(cloud: AwsStandIn, connection: AwsConnection, trust: str) -> None:
    iam = cloud.admin("iam", connection.aws_account_id)
    iam.update_assume_role_policy(RoleName=connection.role_name, PolicyDocument=trust)


def stored(tenant: Any, connection: AwsConnection) -> AwsConnection:
    with open_tenant(tenant.pk):
        return AwsConnection.objects.get(pk=connection.pk)


def verifications(tenant: Any, connection: AwsConnection) -> list[AuditEntry]:
    with open_tenant(tenant.pk):
        return list(
            AuditEntry.objects.filter(act="connection.verify", object_id=str(connection.pk)).order_by(
                "recorded_at"
            )
        )


def test_a_role_that_does_not_demand_our_external_id_is_refused_until_what_is_shown_is_pasted(
    cloud, tenant, connection
):
    make_role(cloud, connection, open_to_anybody())
    report = probe_connection(tenant_id=tenant.pk, connection_id=connection.pk)
    assert report.refused
    kept = stored(tenant, connection)
    assert kept.state == ConnectionState.BROKEN
    by_name = {step["name"]: step for step in kept.probe}
    assert by_name["trust"]["ok"]
    failed = by_name["without_external_id"]
    assert not failed["ok"]
    assert "doesn't demand this external ID" in failed["advice"]
    assert json.loads(failed["paste"]) == trust_policy(PORTAL, str(connection.external_id))
    with open_tenant(tenant.pk):
        assert not CollectionRun.objects.exists()
        with pytest.raises(Conflict):
            start_run(connection_id=connection.pk, trigger="person")

    paste(cloud, connection, failed["paste"])
    assert probe_connection(tenant_id=tenant.pk, connection_id=connection.pk, collects=False).passed
    mended = stored(tenant, connection)
    assert mended.state == ConnectionState.VERIFIED
    assert all(step["ok"] for step in mended.probe)
    assert mended.external_id == connection.external_id
    assert [entry.outcome for entry in verifications(tenant, connection)] == ["failed", "done"]


def test_a_connection_whose_role_opens_up_later_is_no_longer_collected(cloud, tenant, connection):
    make_role(cloud, connection, trust_policy(PORTAL, str(connection.external_id)))
    assert probe_connection(tenant_id=tenant.pk, connection_id=connection.pk, collects=False).passed
    paste(cloud, connection, json.dumps(open_to_anybody()))
    assert probe_connection(tenant_id=tenant.pk, connection_id=connection.pk).refused
    assert stored(tenant, connection).state == ConnectionState.BROKEN
    with open_tenant(tenant.pk), pytest.raises(Conflict):
        start_run(connection_id=connection.pk, trigger="schedule")


@pytest.fixture
def swapped(monkeypatch: pytest.MonkeyPatch) -> str:
    """AWS says of every session that it is another account's."""
    other = "444455556666"
    said = {"Account": other, "Arn": f"arn:aws:sts::{other}:assumed-role/x/y", "UserId": "AROA:y"}
    monkeypatch.setattr(sessions.AwsSession, "_caller", lambda _session: said)
    return other


def test_a_role_that_turns_out_to_be_in_another_account_is_refused(cloud, tenant, connection, swapped):
    make_role(cloud, connection, trust_policy(PORTAL, str(connection.external_id)))
    assert probe_connection(tenant_id=tenant.pk, connection_id=connection.pk).refused
    kept = stored(tenant, connection)
    assert kept.state == ConnectionState.BROKEN
    [step] = [step for step in kept.probe if step["outcome"] == "failed"]
    assert step["name"] == "identity"
    assert swapped in step["happened"]
    assert [entry.outcome for entry in verifications(tenant, connection)] == ["failed"]


def test_an_account_that_is_swapped_before_a_run_leaves_no_evidence(cloud, tenant, connection, request):
    make_role(cloud, connection, trust_policy(PORTAL, str(connection.external_id)))
    assert probe_connection(tenant_id=tenant.pk, connection_id=connection.pk, collects=False).passed
    other = request.getfixturevalue("swapped")
    with open_tenant(tenant.pk):
        run = start_run(connection_id=connection.pk, trigger="person", rings=False)
        waiting = list_unfinished_units(run_id=run.pk)
    for unit_id in waiting:
        collect_unit(tenant_id=tenant.pk, unit_id=unit_id)
    with open_tenant(tenant.pk):
        run.refresh_from_db()
        assert (run.state, run.verdict) == ("finished", "failed")
        assert not Snapshot.objects.exists()
        assert all(other in unit.gaps[0]["message"] for unit in run.units.all())


def test_a_connection_that_passes_for_the_first_time_is_collected_at_once_and_later_not(
    cloud, tenant, connection
):
    make_role(cloud, connection, trust_policy(PORTAL, str(connection.external_id)))
    for _ in range(2):
        assert probe_connection(tenant_id=tenant.pk, connection_id=connection.pk).passed
    with open_tenant(tenant.pk):
        assert [run.trigger for run in CollectionRun.objects.all()] == ["first"]


def test_the_external_id_can_be_changed_by_nobody(tenant, connection):
    from django.db import DatabaseError

    with pytest.raises(DatabaseError), open_tenant(tenant.pk):
        AwsConnection.objects.filter(pk=connection.pk).update(
            external_id="00000000-0000-4000-8000-000000000000"
        )
    assert stored(tenant, connection).external_id == connection.external_id
