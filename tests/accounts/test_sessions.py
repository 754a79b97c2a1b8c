"""A session ends by itself, by its person, and with its person's rights."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.audit.events import Act
from accounts.models import AuditEntry, Membership, Session
from accounts.permissions import Role
from accounts.requests import client_address
from accounts.services.people import disable_person
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import make_ready_person, sign_in
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


def test_fifteen_minutes_without_an_act_end_it_and_stand_in_the_log(clock):
    tenant = make_tenant()
    person = make_ready_person(tenant=tenant)
    client = sign_in(person)
    clock.shift(timedelta(minutes=14, seconds=59))
    assert client.get("/profile/").status_code == 200
    clock.shift(timedelta(minutes=15))
    answer = client.get("/profile/")
    assert answer.url == "/sign-in/?next=%2Fprofile%2F"
    assert b"signed out" in client.get(answer.url).content
    with open_tenant(tenant.id):
        assert AuditEntry.objects.filter(act=Act.SESSION_EXPIRE, actor_id=str(person.pk)).count() == 1


def test_acts_prolong_it_up_to_twelve_hours(clock):
    client = sign_in(make_ready_person())
    for _ in range(6 * 12 - 1):
        clock.shift(timedelta(minutes=10))
        assert client.get("/session/status/").json()["signed_in"]
        client.post("/session/extend/")
    clock.shift(timedelta(minutes=10))
    assert client.get("/profile/").status_code == 302


@pytest.mark.parametrize(
    "polling", [{"path": "/session/status/"}, {"path": "/profile/", "headers": {"X-Background": "1"}}]
)
def test_polling_does_not_prolong_it(clock, polling):
    client = sign_in(make_ready_person())
    for _ in range(3):
        clock.shift(timedelta(minutes=4))
        client.get(**polling)
    clock.shift(timedelta(minutes=3))
    assert client.get("/profile/").status_code == 302


def test_the_status_counts_down_and_extending_begins_anew(clock):
    client = sign_in(make_ready_person())
    clock.shift(timedelta(minutes=14))
    assert client.get("/session/status/").json() == {"signed_in": True, "seconds_left": 60}
    assert client.post("/session/extend/", headers={"Accept": "application/json"}).json() == {
        "signed_in": True,
        "seconds_left": 900,
    }
    assert Client().get("/session/status/").json() == {"signed_in": False, "seconds_left": 0}


def test_reading_pages_writes_the_session_once_a_minute(clock, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = sign_in(make_ready_person())

    def writes() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get("/profile/")
        return sum('UPDATE "accounts_session"' in query["sql"] for query in queries)

    clock.shift(timedelta(seconds=61))
    assert [writes(), writes(), writes()] == [1, 0, 0]


def test_a_disabled_person_is_out_at_the_next_request():
    person = make_ready_person()
    client = sign_in(person)
    assert client.get("/profile/").status_code == 200
    disable_person(person=person)
    assert client.get("/profile/").status_code == 302
    assert not Session.objects.filter(person=person).exists()


def test_a_changed_role_holds_at_the_next_request():
    tenant = make_tenant()
    person = make_ready_person(tenant=tenant)
    client = sign_in(person)
    assert client.get("/members/").status_code == 200
    with open_tenant(tenant.id):
        Membership.objects.filter(person=person).update(role=Role.VIEWER)
    assert client.get("/members/").status_code == 403


@pytest.mark.parametrize("change", [{"ends_at": timezone.now() - timedelta(seconds=1)}, None])
def test_an_ended_or_removed_membership_closes_the_tenant_at_the_next_request(change):
    tenant = make_tenant()
    person = make_ready_person(Role.SECURITY_OFFICIAL, tenant)
    client = sign_in(person)
    assert client.get("/audit/").status_code == 200
    with open_tenant(tenant.id):
        mine = Membership.objects.filter(person=person)
        mine.update(**change) if change else mine.delete()
    assert client.get("/audit/").url.startswith("/tenants/")
    assert client.post("/audit/").status_code == 404


def test_a_person_sees_and_ends_their_own_sessions_alone():
    person, stranger = make_ready_person(), make_ready_person()
    here, there, elsewhere = sign_in(person), sign_in(person), sign_in(stranger)
    handles = {row.pk for row in here.get("/profile/").context["sessions"]}
    assert len(handles) == 2
    foreign = Session.objects.get(person=stranger).pk
    assert here.post(f"/profile/sessions/{foreign}/end/").status_code == 404
    assert elsewhere.get("/profile/").status_code == 200
    own = here.get("/profile/").context["own_session"]
    assert here.post(f"/profile/sessions/{(handles - {own}).pop()}/end/").status_code == 302
    assert there.get("/profile/").status_code == 302
    assert here.get("/profile/").status_code == 200


def test_every_other_session_ends_by_one_button():
    person = make_ready_person()
    here, there, third = sign_in(person), sign_in(person), sign_in(person)
    here.post("/profile/sessions/end-others/")
    assert [client.get("/profile/").status_code for client in (here, there, third)] == [200, 302, 302]


def test_a_revoked_session_is_not_brought_back_by_a_request_that_was_under_way():
    from django.contrib.sessions.exceptions import SessionInterrupted

    from accounts.sessions import SessionStore

    person = make_ready_person()
    key = sign_in(person).cookies["session"].value
    under_way = SessionStore(key)
    under_way["tenant"] = "x"
    Session.objects.filter(person=person).delete()
    with pytest.raises(Exception) as raised:
        under_way.save()
    assert type(raised.value).__name__ == "UpdateError" or isinstance(raised.value, SessionInterrupted)
    assert not Session.objects.filter(person=person).exists()


def test_each_answer_names_its_request_and_the_log_says_the_same():
    tenant = make_tenant()
    client = sign_in(make_ready_person(tenant=tenant))
    answer = client.get("/audit/")
    with open_tenant(tenant.id):
        entry = AuditEntry.objects.get(act=Act.AUDIT_READ)
    assert entry.request_id == answer["X-Request-ID"]
    assert answer["X-Request-ID"][14] == "7"


@pytest.mark.parametrize(
    ("behind", "forwarded", "address"),
    [
        (False, "203.0.113.5", "127.0.0.1"),
        (True, "6.6.6.6, 203.0.113.5", "203.0.113.5"),
        (True, "nonsense", ""),
        (True, "", "127.0.0.1"),
    ],
)
def test_the_address_is_what_our_own_proxy_saw(rf, settings, behind, forwarded, address):
    settings.BEHIND_PROXY = behind
    assert client_address(rf.get("/", headers={"X-Forwarded-For": forwarded})) == address


def test_a_refusal_stands_in_the_tenants_log():
    tenant = make_tenant()
    client = sign_in(make_ready_person(Role.VIEWER, tenant))
    assert client.get("/members/").status_code == 403
    with open_tenant(tenant.id):
        entry = AuditEntry.objects.get(act=Act.MEMBER_READ)
    assert (entry.object_id, entry.outcome) == ("member-list", "refused")


def test_a_page_whose_reading_cannot_be_recorded_is_not_shown(monkeypatch):
    from django.db import OperationalError

    client = sign_in(make_ready_person())

    def refuse(*_args, **_kwargs):
        raise OperationalError("the log can't be written")

    monkeypatch.setattr("accounts.views.members.record", refuse)
    answer = client.get("/members/")
    assert answer.status_code == 503
    assert b"@example.org" not in answer.content


def test_errors_are_fragments_for_htmx_and_problem_details_for_the_api(rf):
    from accounts.errors import Conflict
    from accounts.refusals import refuse

    client = sign_in(make_ready_person(Role.VIEWER))
    fragment = client.get("/members/", headers={"HX-Request": "true"})
    assert fragment.status_code == 403
    assert b"<html" not in fragment.content
    request = rf.get("/api/things")
    problem = refuse(request, Conflict("Not now."))
    assert problem["Content-Type"] == "application/problem+json"
    assert b'"status": 409' in problem.content


def test_htmx_is_led_to_the_sign_in_page():
    answer = Client().get("/members/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/sign-in/")


def test_a_tenant_is_switched_to_among_ones_own_alone():
    one, other, foreign = make_tenant(), make_tenant(), make_tenant()
    person = make_ready_person(tenant=one)
    with open_tenant(other.id):
        Membership.objects.create(person=person, role=Role.VIEWER)
    client = sign_in(person)
    assert client.post("/tenants/switch/", {"tenant": str(foreign.id)}).status_code == 404
    assert client.post("/tenants/switch/", {"tenant": "nonsense"}).status_code == 404
    seen = set()
    for tenant in (one, other):
        assert client.post("/tenants/switch/", {"tenant": str(tenant.id)}).status_code == 302
        seen.add(client.get("/profile/").context["request"].tenant.pk)
    assert seen == {one.id, other.id}


def test_sessions_that_are_over_are_swept_by_later_sign_ins():
    person = make_ready_person()
    sign_in(person)
    Session.objects.filter(person=person).update(expire_date=timezone.now() - timedelta(seconds=1))
    sign_in(make_ready_person())
    assert not Session.objects.filter(person=person).exists()
