"""A tenant's rows are reachable only while it is open: through the ORM, by SQL, by reference, by statement."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.tenancy.models import new_id
from accounts.tenancy.scope import NoTenantError, TenantSwitchError, open_tenant
from evidence.models import AwsConnection, CollectionRun
from tests.factories import make_connection, make_run, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


def _sql(statement: str, *arguments: object) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        return cursor.fetchall() if cursor.description else []


def test_the_tests_run_as_the_application_which_may_not_bypass_anything():
    assert _sql("select current_user, rolsuper, rolbypassrls from pg_roles where rolname = current_user") == [
        ("portal_app", False, False)
    ]


def test_a_query_without_a_tenant_raises_in_python_and_finds_nothing_in_sql():
    make_connection(make_tenant())
    with pytest.raises(NoTenantError):
        AwsConnection.objects.count()
    assert _sql("select count(*) from evidence_awsconnection") == [(0,)]


def test_a_tenant_sees_its_rows_and_not_its_neighbours():
    ours, theirs = make_tenant(), make_tenant()
    mine, other = make_connection(ours), make_connection(theirs)
    with open_tenant(ours.id):
        assert [row.pk for row in AwsConnection.objects.all()] == [mine.pk]
        assert _sql("select id from evidence_awsconnection") == [(mine.pk,)]
        assert not AwsConnection.objects.filter(pk=other.pk).exists()
        assert AwsConnection._base_manager.filter(pk=other.pk).count() == 0


def test_a_row_cannot_be_written_into_or_moved_to_another_tenant():
    ours, theirs = make_tenant(), make_tenant()
    mine = make_connection(ours)
    with open_tenant(ours.id):
        with pytest.raises(TenantSwitchError):
            AwsConnection(tenant_id=theirs.id, name="x", aws_account_id="1" * 12, regions=[]).save()
        with pytest.raises(DatabaseError), transaction.atomic():
            AwsConnection.objects.bulk_create(
                [AwsConnection(tenant_id=theirs.id, name="x", aws_account_id="1" * 12, regions=[])]
            )
        with pytest.raises(DatabaseError), transaction.atomic():
            _sql("update evidence_awsconnection set tenant_id = %s where id = %s", theirs.id, mine.pk)


def test_a_reference_to_another_tenants_row_is_refused_by_the_database():
    ours, theirs = make_tenant(), make_tenant()
    other = make_connection(theirs)
    with pytest.raises(IntegrityError):
        make_run(ours, other)


def test_opening_another_tenant_inside_one_raises():
    ours, theirs = make_tenant(), make_tenant()
    with open_tenant(ours.id), pytest.raises(TenantSwitchError), open_tenant(theirs.id):
        pass


def test_a_closed_tenant_leaves_nothing_behind_in_the_transaction_or_the_connection():
    ours = make_tenant()
    make_connection(ours)
    with transaction.atomic():
        with open_tenant(ours.id):
            assert _sql("select count(*) from evidence_awsconnection") == [(1,)]
        assert _sql("select count(*) from evidence_awsconnection") == [(0,)]
    assert _sql("select count(*) from evidence_awsconnection") == [(0,)]


def test_a_failure_inside_closes_the_tenant_too():
    ours = make_tenant()
    make_connection(ours)
    with transaction.atomic():
        with pytest.raises(ValueError, match="broken"), open_tenant(ours.id):
            raise ValueError("broken")
        assert _sql("select count(*) from evidence_awsconnection") == [(0,)]


def test_the_external_id_of_a_connection_never_changes():
    ours = make_tenant()
    mine = make_connection(ours)
    with open_tenant(ours.id), pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        AwsConnection.objects.filter(pk=mine.pk).update(external_id=new_id())


def test_the_application_may_not_truncate_or_switch_off_the_fence():
    for statement in (
        "truncate evidence_blob",
        "alter table evidence_blob disable row level security",
        "create table x (y int)",
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            _sql(statement)


def test_only_one_run_of_a_connection_runs_at_a_time():
    ours = make_tenant()
    mine = make_connection(ours)
    make_run(ours, mine)
    with pytest.raises(IntegrityError):
        make_run(ours, mine)
    with open_tenant(ours.id):
        assert CollectionRun.objects.count() == 1
