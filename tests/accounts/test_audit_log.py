"""The audit log's page: newest first, filtered by its address, in pages, each entry checked."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection

from accounts.audit.events import Act, ActOutcome
from accounts.audit.log import record
from accounts.models import AuditEntry
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import make_ready_person, sign_in
from tests.conftest import superuser_dsn
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return make_tenant()


@pytest.fixture
def client(tenant):
    return sign_in(make_ready_person(Role.SECURITY_OFFICIAL, tenant))


def _record(tenant, count: int, **more: object) -> None:
    with open_tenant(tenant.id):
        for number in range(count):
            record(
                Act.EVIDENCE_READ,
                object_type="snapshot",
                object_id=f"{more.get('prefix', 's')}-{number}",
                outcome=more.get("outcome", ActOutcome.DONE),
            )


def _objects(answer) -> list[str]:
    return [line.entry.object_id for line in answer.context["lines"]]


def test_entries_stand_newest_first_and_are_genuine(tenant, client):
    _record(tenant, 3)
    answer = client.get("/audit/?act=evidence.read")
    assert _objects(answer) == ["s-2", "s-1", "s-0"]
    assert all(line.standing == "waiting" for line in answer.context["lines"]), "nothing has sealed them yet"


def test_reading_the_log_stands_in_the_log(tenant, client):
    client.get("/audit/?act=evidence.read")
    assert [len(client.get("/audit/?act=audit.read").context["lines"]) for _ in range(2)] == [1, 2]


def test_pages_follow_each_other_without_gap_or_repetition(tenant, client):
    _record(tenant, 120)
    seen, after = [], ""
    while True:
        answer = client.get("/audit/", {"act": "evidence.read", "after": after})
        seen += _objects(answer)
        after = answer.context["next"]
        if not after:
            break
    assert seen == [f"s-{number}" for number in reversed(range(120))]


@pytest.mark.parametrize(
    "mangle", [lambda key: key[:-1], lambda key: key + "x", lambda key: "x", lambda key: key[::-1]]
)
def test_an_altered_place_is_refused(tenant, client, mangle):
    _record(tenant, 60)
    key = client.get("/audit/").context["next"]
    assert client.get("/audit/", {"after": mangle(key)}).status_code == 400


def test_a_place_in_another_tenants_log_is_refused(tenant, client):
    _record(tenant, 60)
    key = client.get("/audit/").context["next"]
    assert sign_in(make_ready_person()).get("/audit/", {"after": key}).status_code == 400


def test_filters_by_actor_outcome_and_object_narrow_the_log(tenant, client):
    _record(tenant, 2)
    _record(tenant, 1, prefix="refused", outcome=ActOutcome.REFUSED)
    assert _objects(client.get("/audit/?outcome=refused")) == ["refused-0"]
    assert _objects(client.get("/audit/?object=s-1")) == ["s-1"]
    person = client.get("/profile/").context["person"]
    assert {
        line.entry.actor_id for line in client.get("/audit/", {"actor": person.email}).context["lines"]
    } == {str(person.pk)}
    assert _objects(client.get("/audit/?actor=nobody")) == []


@pytest.mark.parametrize("query", ["act=drop", "outcome=x", "object=%00", "actor=" + "a" * 300])
def test_a_filter_that_cannot_be_is_refused(client, query):
    assert client.get(f"/audit/?{query}").status_code == 400


def test_another_tenants_entries_are_not_there(tenant, client):
    other = make_tenant()
    _record(other, 1, prefix="other")
    assert _objects(client.get("/audit/?object=other-0")) == []


def test_an_entry_that_was_altered_in_the_database_is_marked(tenant, client):
    _record(tenant, 2)
    with open_tenant(tenant.id):
        target = AuditEntry.objects.get(object_id="s-0").pk
    with psycopg.connect(superuser_dsn(connection.settings_dict["NAME"])) as database:
        database.execute("set session_replication_role = replica")
        database.execute("update accounts_auditentry set actor_id = 'somebody else' where id = %s", [target])
    answer = client.get("/audit/?act=evidence.read")
    assert [line.standing for line in answer.context["lines"]] == ["waiting", "altered"]
    assert b"altered" in answer.content
