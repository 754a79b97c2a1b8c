"""To its upstream party a tenant's tables are empty, each of them and each column, but for what was granted."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from accounts.tenancy.scope import open_tenant
from assessments.rule.model import SECURITY_RULE
from assessments.sharing.levels import Level
from assessments.sharing.services import Terms
from tests.architecture.everything import make_everything
from tests.architecture.test_tenancy import SHARED, WITHOUT_TENANT
from tests.conftest import superuser_dsn
from tests.factories import make_tenant
from tests.partnerships.factories import make_partnership
from tests.sharing.factories import grant_as

pytestmark = pytest.mark.django_db(transaction=True)

SHOWN = "viewer_id = %s and withdrawn_at is null and shown_from <= now() and (shown_until is null or now() < shown_until)"
COLUMNS = """
    select c.table_name, array_agg(c.column_name::text) from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE' group by c.table_name
"""


@pytest.fixture
def superuser():
    with psycopg.connect(superuser_dsn(connection.settings_dict["NAME"]), autocommit=True) as database:
        yield database


def _columns(superuser) -> dict[str, list[str]]:
    found = dict(superuser.execute(COLUMNS).fetchall())
    return {table: columns for table, columns in found.items() if table not in WITHOUT_TENANT}


def _read(table: str, column: str, owner: str, tenant: Any) -> list[Any]:
    """What the open tenant gets of another's column."""
    query = sql.SQL("select {}::text from {} where {} = %s").format(
        *map(sql.Identifier, (column, table, owner))
    )
    with connection.cursor() as cursor:
        cursor.execute(query.as_string(), [tenant.pk])
        return [row[0] for row in cursor.fetchall()]


def _shown(superuser, table: str, owner: str, viewer: Any) -> int:
    where = sql.SQL("select count(*) from {} where tenant_id = %s and " + SHOWN).format(sql.Identifier(table))
    return int(superuser.execute(where, [owner, viewer]).fetchone()[0])


def _everything_read(superuser, owner: Any, viewer: Any) -> tuple[dict[str, int], str]:
    """How many rows of the owner's the viewer gets of each table, and all that stands in their columns."""
    read, got = {}, []
    with open_tenant(viewer.pk):
        for table, columns in _columns(superuser).items():
            key = "id" if table == "accounts_tenant" else "tenant_id"
            values = {column: _read(table, column, key, owner) for column in columns}
            assert len({len(each) for each in values.values()}) == 1
            read[table] = len(values["id"])
            got += [value for each in values.values() for value in each if value]
    return read, " ".join(got)


def test_every_table_and_column_is_empty_but_for_what_was_granted(superuser):
    its, upstream = make_everything(), make_tenant()
    partnership = make_partnership(upstream, its.tenant, downstream_name="Billing", upstream_name="Hospital")
    for level, names in ((Level.FINDINGS, False), (Level.EVIDENCE, True)):
        grant_as(its.owner, partnership, Terms(level, tuple(SECURITY_RULE)))
        read, got = _everything_read(superuser, its.tenant, upstream)
        assert {table: read[table] for table in SHARED} == {
            table: _shown(superuser, table, its.tenant.pk, upstream.pk) for table in SHARED
        }
        assert {table: number for table, number in read.items() if number} == {
            "assessments_sharinggrant": 1, "assessments_sharedposture": 1, "assessments_sharedposturepoint": 1
        }  # fmt: skip
        assert (its.mark in got, its.connection.aws_account_id in got) == (names, names)
    _a_hole_would_be_seen(superuser, its, upstream)


def _a_hole_would_be_seen(superuser, its, upstream) -> None:
    """The tables that were looked at have rows, and an open one shows them."""
    for table in _columns(superuser):
        key = sql.Identifier("id" if table == "accounts_tenant" else "tenant_id")
        count = sql.SQL("select count(*) from {} where {} = %s").format(sql.Identifier(table), key)
        sealed = table.startswith("accounts_audit")  # written by the sealer, which doesn't run here
        assert superuser.execute(count, [its.tenant.pk]).fetchone()[0] or sealed, table
    superuser.execute("alter table assessments_finding disable row level security")
    try:
        with open_tenant(upstream.pk):
            assert _read("assessments_finding", "resource_arn", "tenant_id", its.tenant)
    finally:
        superuser.execute("alter table assessments_finding enable row level security")
