"""What PostgreSQL itself refuses: to the application on the sealer's tables, to the sealer everywhere else."""

from __future__ import annotations

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from accounts.audit import proofs
from accounts.tenancy.scope import open_tenant
from tests.accounts.audit.kit import tenants, write

SEALED = ("leaf", "tile", "checkpoint", "signature")


@pytest.fixture
def tenant(log):
    [tenant] = tenants(1)
    write(tenant, 1)
    with open_tenant(tenant):
        proofs.ask_signature("surety-receipt/1\nx\n")
    log.seal()
    return tenant


@pytest.mark.parametrize("table", SEALED)
def test_the_application_changes_nothing_that_is_sealed(tenant, table):
    for statement in ("delete from {}", "update {} set tenant_id = tenant_id", "truncate {}"):
        with pytest.raises(DatabaseError, match="permission denied"), open_tenant(tenant):
            _execute(statement.format(f"accounts_audit{table}"))


@pytest.mark.parametrize(
    "table", ["leaf", "tile", "checkpoint", "globalleaf", "globaltile", "anchor", "key", "epoch", "sealer"]
)
def test_the_application_adds_nothing_to_what_the_sealer_writes(tenant, table):
    with pytest.raises(DatabaseError, match="permission denied"), open_tenant(tenant):
        _execute(f"insert into accounts_audit{table} select * from accounts_audit{table}")


@pytest.mark.parametrize("table", SEALED)
def test_the_application_sees_the_open_tenant_alone(log, tenant, table):
    count = f"select count(*) from accounts_audit{table}"
    whole = log.superuser(count)[0]["count"]
    assert whole == (0 if table == "tile" else 1)
    with transaction.atomic():
        assert _execute(count) == [(0,)]
    with open_tenant(tenants(1)[0]):
        assert _execute(count) == [(0,)]
    with open_tenant(tenant):
        assert _execute(count) == [(whole,)]


@pytest.mark.parametrize(
    "statement",
    [
        "delete from accounts_auditentry", "update accounts_auditentry set act = ''", "delete from accounts_auditleaf",
        "update accounts_auditleaf set leaf_index = 7", "update accounts_auditcheckpoint set note = ''",
        "update accounts_auditsignature set text = ''", "insert into accounts_auditsignature (id) values (null)",
        "update accounts_auditkey set public_key = ''", "delete from accounts_auditepoch",
        "update accounts_auditanchor set note = ''", "select from accounts_person", "select from accounts_tenant",
        "select from evidence_snapshot", "create table mine (id int)",
    ],
)  # fmt: skip
def test_the_sealer_can_do_nothing_but_seal(log, tenant, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        log.connect().execute(statement)


def test_even_the_owner_is_stopped_by_a_trigger(log, tenant):
    for table in ("leaf", "checkpoint", "globalleaf", "epoch"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changes"):
            _as_owner(log, f"delete from accounts_audit{table}")


def _as_owner(log, statement):
    from tests.conftest import superuser_dsn

    with psycopg.connect(superuser_dsn(log.name)) as database:
        database.execute(statement)


def _execute(statement: str):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []
