"""An auditor's request in the database: it reads one tenant, inserts where an engagement is worked in, and no more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, ProgrammingError, connections, transaction

from accounts.audit.events import Act
from accounts.audit.log import record, verify_entry
from accounts.models import AuditEntry, Membership, Person, Session, Tenant
from accounts.permissions import Role
from accounts.tenancy.scope import (
    AUDITLOG,
    AUDITOR,
    DEFAULT,
    TenantSwitchError,
    current_database,
    execute_apart,
    open_tenant,
)
from assessments.engagements.models import AUDITOR_WRITES
from tests.accounts.factories import make_ready_person
from tests.architecture.everything import TENANT_MODELS
from tests.architecture.test_tenancy import WITHOUT_TENANT
from tests.factories import make_connection, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = {model._meta.db_table for model in TENANT_MODELS} | {"accounts_tenant"}
OPEN_TO_INSERTS = {model._meta.db_table for model in AUDITOR_WRITES}


@pytest.fixture
def as_auditor(tenant) -> Iterator[Tenant]:
    with open_tenant(tenant.pk, using=AUDITOR, writes=True):
        yield tenant


def refusal(using: str, statement: str) -> str:
    """PostgreSQL's code for what it says to a statement, "" where it does as it is told."""
    try:
        with transaction.atomic(using=using), connections[using].cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError as error:
        return str(error.__cause__.sqlstate)  # type: ignore[union-attr]
    return ""


def test_an_auditor_changes_and_deletes_nothing_in_any_table(as_auditor):
    accepted = [
        statement
        for table in TABLES
        for statement in (f"update {table} set id = id", f"delete from {table}", f"truncate {table}")
        if refusal(AUDITOR, statement) != "42501"
    ]
    assert accepted == []


def test_an_auditor_inserts_into_the_tables_of_engagements_alone(as_auditor):
    said = {
        table: refusal(AUDITOR, f"insert into {table} (tenant_id) values ('{as_auditor.pk}')")
        for table in TABLES - {"accounts_tenant"}
    }
    # Without the right they are refused before it shows that their columns are missing.
    assert {table for table, code in said.items() if code != "42501"} == OPEN_TO_INSERTS
    assert {said[table] for table in OPEN_TO_INSERTS} == {"23502"}


def test_people_and_their_ways_in_are_closed_to_an_auditors_connection(as_auditor):
    # The keys and heads of the audit log are public: proofs need them.
    closed = {table for table in WITHOUT_TENANT if not table.startswith("accounts_audit")}
    said = {table: refusal(AUDITOR, f"select * from {table}") for table in closed}
    assert said == dict.fromkeys(closed, "42501")


def test_an_auditor_who_only_reads_a_page_can_insert_nothing_at_all(tenant):
    with open_tenant(tenant.pk, using=AUDITOR):
        for table in OPEN_TO_INSERTS:
            assert refusal(AUDITOR, f"insert into {table} default values") == "25006"


def test_an_auditor_reads_the_open_tenant_and_no_other(tenant):
    make_connection(tenant, name="ours"), make_connection(make_tenant(), name="theirs")
    with open_tenant(tenant.pk, using=AUDITOR), connections[AUDITOR].cursor() as cursor:
        cursor.execute("select name from evidence_awsconnection")
        assert cursor.fetchall() == [("ours",)]


def test_a_tenants_rows_come_by_the_auditors_connection_and_people_by_the_default_one(tenant):
    person = make_ready_person(Role.AUDITOR, tenant)
    with open_tenant(tenant.pk, using=AUDITOR):
        membership = Membership.objects.get(person=person)
        assert current_database() == membership._state.db == AUDITOR
        assert Tenant.objects.get()._state.db == AUDITOR
        assert membership.person._state.db == Person.objects.get(pk=person.pk)._state.db == DEFAULT
        assert Session.objects.db == DEFAULT
    assert current_database() == DEFAULT


def test_another_connection_can_not_be_chosen_inside(tenant):
    with open_tenant(tenant.pk, using=AUDITOR):
        with pytest.raises(TenantSwitchError):
            open_tenant(tenant.pk, using=DEFAULT).__enter__()
        with open_tenant(tenant.pk):
            assert current_database() == AUDITOR


def test_an_auditors_entry_is_committed_by_the_role_that_can_only_insert_it(tenant):
    with open_tenant(tenant.pk, using=AUDITOR):
        record(Act.POSTURE_READ, object_type="safeguard", object_id="164.312(b)")
    with open_tenant(tenant.pk):
        entry = AuditEntry.objects.get(act=Act.POSTURE_READ)
        assert verify_entry(entry)
        assert entry.transaction_id


class StopError(RuntimeError):
    """Ends a transaction without an act."""


def fail_inside(tenant: Tenant) -> None:
    with open_tenant(tenant.pk, using=AUDITOR):
        record(Act.POSTURE_READ)
        raise StopError


def fail_at_the_commit(tenant: Tenant) -> None:
    with transaction.atomic(using=AUDITOR):
        with open_tenant(tenant.pk, using=AUDITOR):
            record(Act.POSTURE_READ)
        raise StopError


@pytest.mark.parametrize(("fail", "recorded"), [(fail_inside, False), (fail_at_the_commit, True)])
def test_an_entry_is_there_before_the_auditors_transaction_commits_and_not_earlier(tenant, fail, recorded):
    with pytest.raises(StopError):
        fail(tenant)
    with open_tenant(tenant.pk):
        assert AuditEntry.objects.filter(act=Act.POSTURE_READ).exists() == recorded


def test_the_role_of_auditors_entries_reads_changes_and_inserts_nothing_else(tenant):
    with open_tenant(tenant.pk, using=AUDITLOG, writes=True):
        for table in TABLES | set(WITHOUT_TENANT):
            for statement in (
                f"select 1 from {table}",
                f"update {table} set id = id",
                f"delete from {table}",
            ):
                assert refusal(AUDITLOG, statement) in {"42501", "42703"}, statement
            if table != "accounts_auditentry":
                assert refusal(AUDITLOG, f"insert into {table} default values") == "42501", table


def test_an_auditors_entry_goes_to_the_open_tenants_log_alone(tenant):
    other = make_tenant()
    statement = (
        "insert into accounts_auditentry (id, tenant_id, occurred_at, act, outcome, object_type, object_id,"
        " actor_kind, actor_id, actor_name, request_id, body, mac, mac_key_id)"
        " values (gen_random_uuid(), %s, now(), 'x', 'done', '', '', '', '', '', '', '', '', '1')"
    )
    with open_tenant(tenant.pk, using=AUDITOR):
        execute_apart(AUDITLOG, statement, [tenant.pk])
        with pytest.raises(ProgrammingError):
            execute_apart(AUDITLOG, statement, [other.pk])


def test_what_an_auditor_reads_is_not_shown_when_the_log_can_not_be_written(tenant, monkeypatch):
    monkeypatch.setitem(connections[AUDITLOG].settings_dict, "NAME", "no_such_database")
    connections[AUDITLOG].close()
    with pytest.raises(Exception, match="no_such_database"), open_tenant(tenant.pk, using=AUDITOR):
        record(Act.POSTURE_READ)
