"""The audit log: in the act's transaction, canonical, authenticated, never changed."""

from __future__ import annotations

import json

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.audit.events import Act, ActorKind
from accounts.audit.log import Actor, acting, record, verify_entry
from accounts.audit.models import AuditEntry
from accounts.tenancy.scope import NoTenantError, open_tenant

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_entry_says_who_did_what_and_verifies(tenant):
    ada = Actor(ActorKind.PERSON, "7", "Ada", "192.0.2.1", "digest", "request-1")
    with open_tenant(tenant.pk), acting(ada):
        record(Act.EVIDENCE_READ, object_type="snapshot", object_id="s-1", digest="abc")
        entry = AuditEntry.objects.get(act=Act.EVIDENCE_READ)
    assert verify_entry(entry)
    body = json.loads(bytes(entry.body))
    assert body["actor"] == {
        "kind": "person",
        "id": "7",
        "name": "Ada",
        "address": "192.0.2.1",
        "session": "digest",
    }
    assert (body["act"], body["object"], body["details"]) == (
        "evidence.read",
        {"type": "snapshot", "id": "s-1"},
        {"digest": "abc"},
    )
    assert entry.transaction_id > 0


@pytest.mark.parametrize("column", ["act", "outcome", "object_id", "actor_id"])
def test_a_changed_column_is_found(tenant, column):
    with open_tenant(tenant.pk):
        entry = record(Act.SIGN_IN, object_id="x")
    setattr(entry, column, "other")
    assert not verify_entry(entry)


def test_a_changed_body_is_found(tenant):
    with open_tenant(tenant.pk):
        entry = record(Act.SIGN_IN, object_id="x")
    entry.body = bytes(entry.body).replace(b"session.sign_in", b"session.sign_up")
    assert not verify_entry(entry)


def test_an_act_that_is_rolled_back_leaves_no_entry(tenant):
    with open_tenant(tenant.pk):
        record(Act.SIGN_IN)
        transaction.set_rollback(True)
    with open_tenant(tenant.pk):
        assert not AuditEntry.objects.filter(act=Act.SIGN_IN).exists()


def test_nothing_is_recorded_without_a_tenant():
    with pytest.raises(NoTenantError):
        record(Act.SIGN_IN)


@pytest.mark.parametrize(
    "statement",
    [
        "update accounts_auditentry set act = 'x'",
        "delete from accounts_auditentry",
        "truncate accounts_auditentry",
    ],
)
def test_the_application_can_neither_change_nor_delete_entries(tenant, statement):
    with open_tenant(tenant.pk):
        record(Act.SIGN_IN)
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_trigger_stops_even_the_superuser(tenant):
    import psycopg

    from tests.conftest import superuser_dsn

    with open_tenant(tenant.pk):
        record(Act.SIGN_IN)
    with (
        psycopg.connect(superuser_dsn(connection.settings_dict["NAME"])) as superuser,
        pytest.raises(psycopg.Error, match="never changes"),
    ):
        superuser.execute("delete from accounts_auditentry where tenant_id = %s", [tenant.pk])
