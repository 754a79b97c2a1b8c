"""The operator's staff see a tenant through a window that it grants, and in no other way."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta
from itertools import count

import psycopg
import pytest
from django.contrib.messages import get_messages
from django.core import mail
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.audit.events import ActOutcome
from accounts.errors import PortalError
from accounts.models import AuditEntry, Membership, OperatorWindow, Person
from accounts.operators.people import create_operator
from accounts.permissions import Role
from accounts.services.members import add_member
from accounts.sessions import FACTOR, TENANT
from accounts.tenancy.scope import open_tenant
from portal.embedded import Role as DatabaseRole
from portal.embedded import postgres_address
from tests.accounts.factories import (
    give_second_factor,
    make_operator,
    make_ready_person,
    post_password,
    sign_in,
)
from tests.conftest import CHECKOUT
from tests.environment import STATE
from tests.factories import make_connection, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = ["/", "/safeguards/", "/findings/", "/connections/"]
NOT_SHOWN = ["/evidence/", "/audit/", "/members/", "/provisioning/", "/operator-access/", "/connections/new/"]
tickets = count(1)


def staff(person: Person | None = None) -> Client:
    """A browser of the staff, signed in by a passkey."""
    client = sign_in(person or make_operator())
    session = client.session
    session[FACTOR] = "passkey"
    session.save()
    return client


@pytest.fixture
def ada(transactional_db) -> Person:
    return make_operator("Ada Staff")


@pytest.fixture
def other(transactional_db) -> Client:
    return staff(make_operator("Bo Staff"))


@pytest.fixture
def asker(ada) -> Client:
    return staff(ada)


@pytest.fixture
def owner_client(owner, client_for) -> Client:
    return client_for(owner)


def ask(client: Client, tenant, **more: object) -> OperatorWindow:
    ticket = f"T-{next(tickets)}"
    body = {"slug": tenant.slug, "reason": "the scan hangs", "ticket": ticket, "hours": 2, **more}
    answer = client.post("/operator/ask/", body)
    assert (answer.status_code, answer.url) == (302, "/operator/")
    with open_tenant(tenant.pk):
        return OperatorWindow.objects.get(ticket=ticket)


@pytest.fixture
def window(asker, other, owner_client, tenant) -> OperatorWindow:
    """One that is open, and not yet entered."""
    asked = ask(asker, tenant)
    assert other.post(f"/operator/windows/{asked.pk}/approve/").status_code == 302
    assert owner_client.post(f"/operator-access/{asked.pk}/grant/").status_code == 302
    return asked


def enter(client: Client, window: OperatorWindow) -> None:
    answer = client.post(f"/operator/windows/{window.pk}/enter/")
    assert (answer.status_code, answer.url) == (302, "/")


def entries(tenant, person: Person) -> list[AuditEntry]:
    with open_tenant(tenant.pk):
        return list(AuditEntry.objects.filter(actor_id=str(person.pk)).order_by("occurred_at"))


def test_without_a_window_nothing_of_any_tenant_is_there(tenant, ada, asker):
    make_connection(tenant)
    for path in [*PAGES[1:], *NOT_SHOWN, "/tenants/switch/"]:
        for method in ("get", "post"):
            assert getattr(asker, method)(path).status_code in {404, 405}, path
    answer = asker.get("/")
    assert (answer.status_code, answer.url) == (302, "/operator/")
    assert entries(tenant, ada) == []


def test_an_attempt_stands_in_the_tenants_log_where_the_tenant_is_known(tenant, ada, asker):
    assert asker.post("/tenants/switch/", {"tenant": str(tenant.pk)}).status_code == 404
    session = asker.session
    session[TENANT] = str(tenant.pk)
    session.save()
    for path in ("/safeguards/", "/evidence/"):
        assert asker.get(path).status_code == 404
    found = entries(tenant, ada)
    assert [(entry.actor_kind, entry.actor_name, entry.outcome) for entry in found] == [
        ("operator", ada.email, ActOutcome.REFUSED)
    ] * 3


def test_a_window_needs_two_operators_and_an_owner(tenant, ada, asker, other, owner_client):
    asked = ask(asker, tenant)
    for client, path, status in (
        (asker, f"/operator/windows/{asked.pk}/enter/", 409),
        (owner_client, f"/operator-access/{asked.pk}/grant/", 409),
        (asker, f"/operator/windows/{asked.pk}/approve/", 403),
    ):
        assert client.post(path).status_code == status, path
    assert other.post(f"/operator/windows/{asked.pk}/approve/").status_code == 302
    assert asker.post(f"/operator/windows/{asked.pk}/enter/").status_code == 409
    assert "asks to look" in mail.outbox[-1].subject
    official = sign_in(make_ready_person(Role.SECURITY_OFFICIAL, tenant))
    assert official.post(f"/operator-access/{asked.pk}/grant/").status_code == 403
    assert owner_client.post(f"/operator-access/{asked.pk}/grant/").status_code == 302
    assert other.post(f"/operator/windows/{asked.pk}/enter/").status_code == 404
    enter(asker, asked)
    assert asker.get("/safeguards/").status_code == 200
    assert other.get("/safeguards/").status_code == 404
    assert [(entry.act, entry.outcome) for entry in entries(tenant, ada)][:4] == [
        ("operator.ask", "done"), ("operator.enter", "refused"), ("operator.approve", "refused"), ("operator.enter", "refused"),
    ]  # fmt: skip


def test_the_database_refuses_a_window_that_one_operator_or_nobody_approved(tenant, ada, asker):
    asked, now = ask(asker, tenant), timezone.now()
    opened = {"opened_at": now, "ends_at": now + timedelta(hours=1)}
    for columns in (
        {"approved_by": ada}, opened, {**opened, "granted_by": ada}, {"hours": 9}, {"reason": "another"},
        {"approved_by": make_operator(), "granted_by": ada, "opened_at": now, "ends_at": now + timedelta(hours=9)},
    ):  # fmt: skip
        with pytest.raises(DatabaseError), open_tenant(tenant.pk):
            OperatorWindow.objects.filter(pk=asked.pk).update(**columns)


def test_a_visit_only_looks_and_each_request_is_in_the_log_with_its_ticket(tenant, ada, asker, window):
    enter(asker, window)
    before = len(entries(tenant, ada))
    for path in PAGES:
        assert asker.get(path).status_code == 200, path
    for path in NOT_SHOWN:
        assert asker.get(path).status_code == 403, path
    for path in (
        "/connections/new/",
        "/members/invite/",
        "/provisioning/tokens/",
        "/operator-access/emergency/",
        f"/operator-access/{window.pk}/grant/",
        "/safeguards/",
    ):
        assert asker.post(path, {"email": "x@example.org", "role": "owner"}).status_code == 403, path
    found = entries(tenant, ada)[before:]
    assert len(found) == len(PAGES) + len(NOT_SHOWN) + 6
    assert all(
        window.ticket.encode() in bytes(entry.body) and b"the scan hangs" in bytes(entry.body)
        for entry in found
    )
    assert [entry.outcome for entry in found] == ["done"] * len(PAGES) + ["refused"] * (len(NOT_SHOWN) + 6)


def test_evidence_is_seen_only_where_the_owner_granted_it(tenant, asker, other, owner_client):
    asked = ask(asker, tenant)
    other.post(f"/operator/windows/{asked.pk}/approve/")
    owner_client.post(f"/operator-access/{asked.pk}/grant/", {"with_evidence": "on"})
    enter(asker, asked)
    assert asker.get("/evidence/").status_code == 200
    assert asker.get("/audit/").status_code == 403


def test_revoking_ends_the_visit_at_the_next_request(asker, owner_client, window):
    enter(asker, window)
    assert asker.get("/").status_code == 200
    assert owner_client.post(f"/operator-access/{window.pk}/close/").status_code == 302
    assert asker.get("/safeguards/").status_code == 404
    assert asker.post(f"/operator/windows/{window.pk}/enter/").status_code == 409


def test_a_visit_ends_with_its_hours(tenant, asker, window):
    enter(asker, window)
    assert asker.get("/").status_code == 200
    with open_tenant(tenant.pk):
        OperatorWindow.objects.update(opened_at=timezone.now() - timedelta(hours=2), ends_at=timezone.now())
    assert asker.get("/safeguards/").status_code == 404


def test_a_refused_window_opens_nothing(asker, other, owner_client, tenant):
    asked = ask(asker, tenant)
    other.post(f"/operator/windows/{asked.pk}/approve/")
    assert owner_client.post(f"/operator-access/{asked.pk}/close/").status_code == 302
    assert owner_client.post(f"/operator-access/{asked.pk}/grant/").status_code == 409
    assert asker.post(f"/operator/windows/{asked.pk}/enter/").status_code == 409


def test_every_member_sees_who_looks_while_they_can(tenant, asker, window, owner_client):
    viewer = sign_in(make_ready_person(Role.VIEWER, tenant))
    for client in (viewer, owner_client):
        for path in ("/", "/safeguards/", "/profile/"):
            assert b"Ada Staff</strong> of the operator can see" in client.get(path).content
    assert b"Look, or end it" in owner_client.get("/").content
    assert b"Look, or end it" not in viewer.get("/").content
    owner_client.post(f"/operator-access/{window.pk}/close/")
    assert b"of the operator can see" not in viewer.get("/").content


def test_emergency_access_is_for_tenants_that_allow_it_and_owners_are_told(
    tenant, owner, asker, other, owner_client
):
    refused = ask(asker, tenant, emergency="on", hours=1)
    assert other.post(f"/operator/windows/{refused.pk}/approve/").status_code == 409
    assert owner_client.post("/operator-access/emergency/", {"allowed": "on"}).status_code == 302
    second = make_ready_person(Role.OWNER, tenant)
    asked = ask(asker, tenant, emergency="on", hours=1)
    assert asker.post(f"/operator/windows/{asked.pk}/approve/").status_code == 403
    mail.outbox.clear()
    assert other.post(f"/operator/windows/{asked.pk}/approve/").status_code == 302
    assert sorted(message.to[0] for message in mail.outbox) == sorted([owner.email, second.email])
    assert all("Emergency access was opened" in message.subject for message in mail.outbox)
    enter(asker, asked)
    assert asker.get("/").status_code == 200
    with open_tenant(tenant.pk):
        asked.refresh_from_db()
    assert asked.ends_at - asked.opened_at == timedelta(hours=1)
    assert (
        asker.post(
            "/operator/ask/",
            {"slug": tenant.slug, "reason": "r", "ticket": "t", "hours": 2, "emergency": "on"},
        ).status_code
        == 422
    )


def test_staff_without_a_passkey_act_nowhere(tenant, ada, window):
    by_code = sign_in(ada)
    assert by_code.get("/operator/").status_code == 200
    assert (
        by_code.post(
            "/operator/ask/", {"slug": tenant.slug, "reason": "r", "ticket": "t", "hours": 1}
        ).status_code
        == 403
    )
    assert by_code.post(f"/operator/windows/{window.pk}/enter/").status_code == 403
    session = by_code.session
    session[TENANT] = str(tenant.pk)
    session.save()
    assert by_code.get("/safeguards/").status_code == 403


def test_half_signed_in_staff_are_nowhere(ada):
    half = Client()
    post_password(half, ada)
    assert half.get("/operator/").url.startswith("/sign-in/code/")


def test_a_slug_that_nobody_has_gets_the_same_answer(tenant, asker):
    body = {"reason": "r", "ticket": "t", "hours": 1}
    said = "Noted. If there is such a tenant, another operator can approve it now."
    for slug in (tenant.slug, "no-such-tenant"):
        answer = asker.post("/operator/ask/", {"slug": slug, **body})
        assert (answer.status_code, answer.url) == (302, "/operator/")
        assert [str(message) for message in get_messages(answer.wsgi_request)][-1:] == [said]


def test_members_dont_find_the_staffs_pages(owner_client, window):
    for path in ("/operator/", "/operator/ask/", f"/operator/windows/{window.pk}/enter/"):
        assert owner_client.get(path).status_code == 404
        assert owner_client.post(path).status_code == 404


def test_the_application_can_neither_make_staff_nor_make_them_members(tenant, ada):
    member = make_ready_person(Role.VIEWER, tenant)
    attempts = [
        lambda: Person.objects.filter(pk=member.pk).update(is_operator=True),
        lambda: Person.objects.filter(pk=ada.pk).update(is_operator=False),
        lambda: Person.objects.create_user("evil@example.org", None, is_operator=True),
        lambda: create_operator(email="evil@example.org"),
    ]
    for attempt in attempts:
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
    with open_tenant(tenant.pk):
        for attempt in (
            lambda: Membership.objects.create(person=ada, role=Role.VIEWER),
            lambda: add_member(person=ada, role=Role.OWNER),
            lambda: Membership.objects.filter(person=member).update(person=ada),
            lambda: Membership.objects.filter(person=member).update(role=Role.OPERATOR),
        ):
            with pytest.raises((DatabaseError, PortalError)), transaction.atomic():
                attempt()


def _create_operator(email: str) -> subprocess.CompletedProcess[str]:
    dsn = postgres_address(STATE).dsn(DatabaseRole.MIGRATE, connection.settings_dict["NAME"])
    environment = {**os.environ, "SURETY_DATABASE_ROLE": "migrate", "DATABASE_URL_MIGRATE": dsn}
    return subprocess.run(
        [sys.executable, "manage.py", "create_operator", email], cwd=CHECKOUT, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_an_operator_is_invited_on_the_command_line_and_joins_once(owner):
    with psycopg.connect(
        postgres_address(STATE).dsn(DatabaseRole.SUPERUSER, connection.settings_dict["NAME"]), autocommit=True
    ) as database:
        database.execute(f'grant connect on database "{connection.settings_dict["NAME"]}" to portal_migrate')
    email = f"joiner-{next(tickets)}-{os.getpid()}@operator.example.org"
    done = _create_operator(email)
    assert done.returncode == 0, done.stderr
    path = re.sub(r"^https?://[^/]+", "", done.stdout.strip())
    browser = Client()
    assert browser.get(path).status_code == 200
    assert browser.post(path, {"name": "Jo", "password": "short"}).status_code == 422
    answer = browser.post(path, {"name": "Jo", "password": "moss on seven cold stones"})
    assert (answer.status_code, answer.url) == (302, "/sign-in/")
    assert browser.get(path).status_code == 404
    assert browser.post(path, {"name": "Jo", "password": "other words that are long"}).status_code == 404
    person = Person.objects.get(email=email)
    assert (person.is_operator, person.name, person.check_password("moss on seven cold stones")) == (
        True,
        "Jo",
        True,
    )
    give_second_factor(person)
    assert sign_in(person).get("/operator/").status_code == 200
    assert _create_operator(owner.email).returncode == 2
    assert Client().get(path.replace(str(person.pk), str(owner.pk))).status_code == 404


def test_there_are_no_superusers_and_no_staff_flags():
    assert {field.name for field in Person._meta.get_fields() if field.name.startswith("is_")} == {
        "is_active",
        "is_operator",
    }


def test_a_window_of_another_tenant_is_nobodys(window, asker):
    stranger = sign_in(make_ready_person(tenant=make_tenant()))
    for act in ("grant", "close"):
        assert stranger.post(f"/operator-access/{window.pk}/{act}/").status_code == 404
    enter(asker, window)
