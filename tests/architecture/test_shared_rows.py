"""A row that is shown to another tenant is read there and nowhere else, while it is shown, and never changed there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.tenancy.models import SharedModel
from accounts.tenancy.scope import open_tenant
from assessments.models import BusinessAssociate, Partnership
from tests.conftest import superuser_dsn
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def parties():
    """Who shows, who is shown, and a third."""
    return make_tenant(), make_tenant(), make_tenant()


def _show(owner, viewer, reference: str = "1", **fields: Any) -> Partnership:
    with open_tenant(owner.pk):
        associate = BusinessAssociate.objects.create(reference=reference, name="Hosting")
        return Partnership.objects.create(
            associate=associate, viewer=viewer, upstream_name="A", downstream_name="B", **fields
        )


def _counts(tenant) -> tuple[int, int, int]:
    """Own rows, received rows, rows by SQL that says nothing of tenants."""
    with open_tenant(tenant.pk), connection.cursor() as cursor:
        cursor.execute("select count(*) from assessments_partnership")
        return Partnership.objects.count(), Partnership.received.count(), cursor.fetchone()[0]


def test_the_owner_and_the_viewer_read_it_and_nobody_else(parties):
    _show(*parties[:2])
    assert [_counts(each) for each in parties] == [(1, 0, 1), (0, 1, 1), (0, 0, 0)]


def test_nothing_that_the_owner_refers_to_is_shown_with_it(parties):
    row = _show(*parties[:2])
    with open_tenant(parties[1].pk):
        found = Partnership.received.get(pk=row.pk)
        with pytest.raises(BusinessAssociate.DoesNotExist):
            _ = found.associate.name
        assert not Partnership.received.filter(associate__name="Hosting").exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"withdrawn_at": timedelta(0)},
        {"shown_until": timedelta(seconds=-1)},
        {"shown_from": timedelta(hours=1)},
    ],
    ids=["withdrawn", "over", "not yet"],
)
def test_the_viewer_reads_it_only_while_it_is_shown(parties, fields):
    now = timezone.now()
    _show(*parties[:2], **{name: now + offset for name, offset in fields.items()})
    assert [_counts(each) for each in parties[:2]] == [(1, 0, 1), (0, 0, 0)]


def test_withdrawing_holds_from_the_viewers_next_transaction(parties):
    row = _show(*parties[:2])
    assert _counts(parties[1]) == (0, 1, 1)
    with open_tenant(parties[0].pk):
        Partnership.objects.filter(pk=row.pk).update(withdrawn_at=timezone.now())
    assert _counts(parties[1]) == (0, 0, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "update assessments_partnership set upstream_name = 'x'",
        "update assessments_partnership set tenant_id = viewer_id",
        "update assessments_partnership set shown_until = null, withdrawn_at = null",
        "delete from assessments_partnership",
        "with found as (select id from assessments_partnership for update) select count(*) from found having count(*) > 0",
    ],
)
def test_the_viewer_changes_nothing(parties, statement):
    row = _show(*parties[:2])
    with open_tenant(parties[1].pk), connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount == 0
    with open_tenant(parties[0].pk):
        row.refresh_from_db()
        assert (row.upstream_name, row.tenant_id) == ("A", parties[0].pk)


def test_nobody_writes_a_row_in_anothers_name(parties):
    row = _show(*parties[:2])
    values = {**{field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}}
    values |= {"id": None, "upstream_name": "forged", "withdrawn_at": timezone.now()}
    columns = ", ".join(values)
    with open_tenant(parties[1].pk):
        for tenant in parties[0].pk, parties[2].pk:
            given = {**values, "id": row.pk.hex[:-4] + "0000", "tenant_id": tenant}
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    f"insert into assessments_partnership ({columns}) values ({', '.join(['%s'] * len(values))})",
                    list(given.values()),
                )


def test_an_owner_cannot_give_a_row_away(parties):
    _show(*parties[:2])
    with (
        pytest.raises(DatabaseError),
        open_tenant(parties[0].pk),
        connection.cursor() as cursor,
    ):
        cursor.execute("update assessments_partnership set tenant_id = %s", [parties[2].pk])


def test_the_next_partnership_of_the_same_two_waits_for_the_end_of_this(parties):
    _show(*parties[:2])
    with pytest.raises(DatabaseError):
        _show(parties[0], parties[1], "2", shown_until=timezone.now() + timedelta(days=1))


SHARED = sorted(model._meta.db_table for model in apps.get_models() if issubclass(model, SharedModel))


def test_every_table_of_shared_rows_keeps_what_is_withdrawn(db):
    with connection.cursor() as cursor:
        cursor.execute("select tgrelid::regclass::text from pg_trigger where tgname = 'withdrawn_for_good'")
        assert sorted(row[0] for row in cursor.fetchall()) == SHARED


def test_a_row_that_is_withdrawn_is_never_shown_again_by_anybody(parties):
    row = _show(*parties[:2], withdrawn_at=timezone.now())
    again = "update assessments_partnership set withdrawn_at = null where id = %s"
    with pytest.raises(DatabaseError, match="never changes"), open_tenant(parties[0].pk):
        Partnership.objects.filter(pk=row.pk).update(withdrawn_at=None)
    with (
        psycopg.connect(superuser_dsn(connection.settings_dict["NAME"])) as database,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        database.execute(again, [row.pk])
    with open_tenant(parties[0].pk):
        assert Partnership.objects.filter(pk=row.pk).update(ended_reason="a note of its own") == 1
    assert _counts(parties[1]) == (0, 0, 0)
