"""Every request that reads or changes tenant data makes exactly one entry, in the right tenant's log alone.

Over all addresses, methods and actors, with ids of things that exist and of things that don't; and where the entry
can't be written, nothing is answered.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from zlib import crc32

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.access import Access, Gate
from accounts.audit.events import Act, ActorKind
from accounts.audit.log import verify_entry
from accounts.audit.models import AuditEntry
from accounts.models import Membership, Person
from accounts.permissions import MEMBER_ROLES, Role
from accounts.sessions import TENANT, session_digest
from accounts.tenancy.scope import open_tenant
from tests.accounts.factories import make_ready_person, post_password, sign_in
from tests.architecture.everything import ROUTES, Everything, make_everything, methods_for
from tests.architecture.foreign_ids import KINDS, NOBODYS, OTHERWISE
from tests.conftest import superuser_dsn
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "192.0.2.77"
ENDS_SESSIONS = {"profile/sessions/end-others/", "sign-out/", "profile/password/", "tenants/switch/"}
"""They would end the sessions of the table's own actors, or lead them elsewhere; they have tests of their own."""
CLOCK = {"session/status/", "healthz"}
"""Addresses that read nothing of a tenant: the session's clock, which pages ask each minute, and the health."""


@dataclass(frozen=True)
class Somebody:
    name: str
    client: Client
    person: Person | None = None
    tenants: frozenset[UUID] = field(default_factory=frozenset)
    home: UUID | None = None
    """The tenant that the session is in."""


@dataclass(frozen=True)
class World:
    its: Everything
    people: list[Somebody]
    tenants: list[UUID]


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock():
        its, other = make_everything(), make_tenant()
        both = make_ready_person(Role.OWNER, its.tenant)
        with open_tenant(other.pk):
            Membership.objects.create(person=both, role=Role.VIEWER)
        people = [Somebody("anonymous", Client(REMOTE_ADDR=ADDRESS)), _half(its)]
        people += [
            _member(role.label, make_ready_person(role, its.tenant), [its.tenant.pk]) for role in MEMBER_ROLES
        ]
        people += [
            _member("owner of another tenant", make_ready_person(tenant=other), [other.pk]),
            _member("member of both", both, [its.tenant.pk, other.pk]),
        ]
        yield World(its, people, [its.tenant.pk, other.pk])


def _half(its: Everything) -> Somebody:
    client = Client(REMOTE_ADDR=ADDRESS)
    post_password(client, make_ready_person(tenant=its.tenant))
    return Somebody("password only", client)


def _member(name: str, person: Person, tenants: list[UUID]) -> Somebody:
    client = sign_in(person, REMOTE_ADDR=ADDRESS)
    client.raise_request_exception = False
    return Somebody(name, client, person, frozenset(tenants), UUID(client.session[TENANT]))


def _path(route: str, its: Everything, *, there: bool) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name in NOBODYS:
            return NOBODYS[name][0]
        kind = OTHERWISE.get((route, name), KINDS[name])
        return str(kind.of(its) if there else kind.nobody())

    return "/" + re.sub(r"<\w+:(\w+)>", value, route)


def _entries(world: World, request_id: str) -> dict[UUID, list[AuditEntry]]:
    found = {}
    for tenant_id in world.tenants:
        with open_tenant(tenant_id):
            entries = list(AuditEntry.objects.filter(request_id=request_id))
        if entries:
            found[tenant_id] = entries
    return found


def _concerned(access: Access, who: Somebody) -> set[UUID]:
    """Whose logs shall speak of the request."""
    if access.permission is not None:
        return {who.home} if who.home else set()
    return set(who.tenants) if access.gate is Gate.VERIFIED else set()


SWEPT = sorted(
    route for route in ROUTES if route not in CLOCK | ENDS_SESSIONS and not route.startswith("sign-in")
)


def _in_turn(route: str, world: World) -> list[tuple[int, Somebody]]:
    """Every third of the people, other ones at the next address; `ONE_ENTRY=all` everybody everywhere."""
    people = list(enumerate(world.people))
    return people if os.environ.get("ONE_ENTRY") == "all" else people[crc32(route.encode()) % 3 :: 3]


@pytest.mark.parametrize("route", SWEPT)
def test_each_request_makes_one_entry_in_the_right_log_alone(route, world):
    access: Access = ROUTES[route].callback.access
    wrong = []
    for position, who in _in_turn(route, world):
        for method in methods_for(route, position):
            # What would change or remove the table's own things is asked about things that don't exist.
            there = method in {"GET", "HEAD"}
            answer = getattr(who.client, method.lower())(_path(route, world.its, there=there))
            found = _entries(world, answer["X-Request-ID"])
            counts = {tenant_id: len(entries) for tenant_id, entries in found.items()}
            if counts != dict.fromkeys(_concerned(access, who), 1):
                wrong.append((who.name, method, answer.status_code, counts))
            for entries in found.values():
                wrong += _faults(entries[0], who, method, answer)
    assert wrong == []


def _faults(entry: AuditEntry, who: Somebody, method: str, answer: Any) -> list[object]:
    body = json.loads(bytes(entry.body))
    wanted = {
        "actor": str(who.person.pk) if who.person else "",
        "name": who.person.email if who.person else "",
        "kind": ActorKind.PERSON,
        "address": ADDRESS,
        "session": session_digest(who.client.cookies["session"].value),
        "outcome": _outcome(answer),
        "object": True,
        "act": True,
        "genuine": True,
    }
    said = {
        "actor": body["actor"]["id"],
        "name": body["actor"]["name"],
        "kind": body["actor"]["kind"],
        "address": body["actor"]["address"],
        "session": body["actor"]["session"],
        "outcome": body["outcome"],
        "object": bool(body["object"]["type"] and body["object"]["id"])
        or body["act"] in {"member.list", "audit.read"},
        "act": body["act"] in set(Act),
        "genuine": verify_entry(entry),
    }
    return [
        (who.name, method, answer.status_code, name, said[name])
        for name in wanted
        if said[name] != wanted[name]
    ]


def _outcome(answer: Any) -> str:
    if answer.status_code >= 500:
        return "failed"
    if answer.status_code == 302 and answer.url.startswith(("/step-up/?", "/auditor/")):
        return "refused"  # a fresh proof is asked first; an auditor is led to the engagements
    return "refused" if answer.status_code >= 400 else "done"


@pytest.mark.parametrize("path", ["/rename/fail/", "/rename/500/"])
def test_what_fails_leaves_an_entry_and_nothing_else(path, settings):
    settings.ROOT_URLCONF = "tests.architecture.extra_urls"
    tenant = make_tenant("As it was")
    client = sign_in(make_ready_person(tenant=tenant))
    client.raise_request_exception = False
    answer = client.get(path)
    with open_tenant(tenant.pk):
        entry = AuditEntry.objects.get(request_id=answer["X-Request-ID"])
    assert (answer.status_code, entry.act, entry.outcome) == (500, Act.POSTURE_READ, "failed")


def test_a_form_that_stood_open_for_too_long_leaves_an_entry():
    tenant = make_tenant()
    person = make_ready_person(tenant=tenant)
    client = sign_in(person)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    answer = strict.post("/members/invite/", {"email": "x@example.org", "role": "viewer"})
    with open_tenant(tenant.pk):
        entry = AuditEntry.objects.get(request_id=answer["X-Request-ID"])
    assert (answer.status_code, entry.act, entry.outcome) == (403, Act.INVITATION_CREATE, "refused")


def test_acts_that_belong_together_are_one_entry():
    """The set-up of the second factor also makes recovery codes and lets the person in."""
    import pyotp

    from accounts.devices import TotpDevice
    from tests.accounts.factories import PASSWORD
    from tests.factories import make_member

    tenant = make_tenant()
    person = make_member(tenant, password=PASSWORD)
    client = Client()
    post_password(client, person)
    client.get("/sign-in/set-up/")
    code = pyotp.TOTP(TotpDevice.objects.get(user=person).secret).now()
    answer = client.post("/sign-in/set-up/", {"code": code})
    with open_tenant(tenant.pk):
        entry = AuditEntry.objects.get(request_id=answer["X-Request-ID"])
    also = [other["act"] for other in json.loads(bytes(entry.body))["details"]["also"]]
    assert entry.act == Act.SECOND_FACTOR_SET_UP
    assert also == [Act.RECOVERY_CODES_CREATE, Act.SECOND_FACTOR]


def test_looking_at_an_invitation_and_taking_it_are_one_entry_each(world):
    its = make_everything()
    path = f"/invitations/{its.invitation.token}/"
    looked = Client(REMOTE_ADDR=ADDRESS).get(path)
    taken = Client().post(path, {"name": "New Person", "password": "cold moss on seven stones"})
    assert (looked.status_code, taken.status_code) == (200, 302)
    with open_tenant(its.tenant.pk):
        reading = AuditEntry.objects.get(request_id=looked["X-Request-ID"])
        taking = AuditEntry.objects.get(request_id=taken["X-Request-ID"])
    assert (reading.act, reading.actor_kind, reading.address) == (Act.INVITATION_READ, "stranger", ADDRESS)
    assert taking.act == Act.INVITATION_ACCEPT
    assert its.invitation.token.encode() not in bytes(reading.body) + bytes(taking.body)


CANARY_FIELDS = (
    "password",
    "current",
    "code",
    "secret",
    "token",
    "next",
    "client_secret",
    "SAMLResponse",
    "state",
)


TELLING = {"anonymous", "password only", Role.OWNER.label, Role.AUDITOR.label}
"""Whose requests reach all that is written of a request: nobody, half a person, who may do all, whose log is another's."""


@pytest.mark.parametrize("route", SWEPT)
def test_no_entry_holds_a_secret_that_was_posted(route, world):
    canary, began = f"canary{secrets.token_hex(8)}", timezone.now()
    for who in (each for each in world.people if each.name in TELLING):
        who.client.post(
            _path(route, world.its, there=False),
            dict.fromkeys(CANARY_FIELDS, canary),
            headers={"Authorization": f"Bearer {canary}", "User-Agent": canary},
        )
    with psycopg.connect(superuser_dsn(connection.settings_dict["NAME"])) as database:
        found = database.execute(
            "select act from accounts_auditentry where occurred_at >= %s and convert_from(body, 'UTF8') like %s",
            [began, f"%{canary}%"],
        ).fetchall()
    assert found == []


@pytest.fixture
def unwritable_log() -> Iterator[None]:
    """The database refuses every new entry."""
    with psycopg.connect(superuser_dsn(connection.settings_dict["NAME"]), autocommit=True) as database:
        database.execute(
            "create function refuse_entry() returns trigger language plpgsql as"
            " $$ begin raise exception 'the disk is full' using errcode = '53100'; end $$"
        )
        database.execute(
            "create trigger refuse_entry before insert on accounts_auditentry"
            " for each row execute function refuse_entry()"
        )
        try:
            yield
        finally:
            database.execute("drop trigger refuse_entry on accounts_auditentry")
            database.execute("drop function refuse_entry")


READS = sorted(
    route
    for route in SWEPT
    if ROUTES[route].callback.access.permission is not None
    or ROUTES[route].callback.access.gate is Gate.VERIFIED
)


def test_a_reading_whose_entry_cannot_be_written_is_not_answered(world, unwritable_log):
    owner = next(who for who in world.people if who.name == "Owner")
    shown = []
    for route in READS:
        answer = owner.client.get(_path(route, world.its, there=True))
        if answer.status_code != 503 or world.its.mark.encode() in answer.content:
            shown.append((route, answer.status_code))
    assert shown == []


@pytest.fixture
def its(django_db_setup) -> Everything:
    return make_everything()


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/rename/200/", None),
        ("/profile/name/", {"name": "Somebody Else"}),
        ("/connections/{connection}/verify/", {}),
    ],
)
def test_a_change_whose_entry_cannot_be_written_is_not_made(its, settings, path, form, request):
    settings.ROOT_URLCONF = "tests.architecture.extra_urls"
    request.getfixturevalue("unwritable_log")
    address = path.format(connection=its.connection.pk)
    answer = its.client.get(address) if form is None else its.client.post(address, form)
    assert answer.status_code == 503
    with open_tenant(its.tenant.pk):
        its.tenant.refresh_from_db()
        its.connection.refresh_from_db()
    assert its.tenant.name == f"{its.mark} hospital"
    assert Person.objects.get(pk=its.owner.pk).name == f"{its.mark} owner"
    assert its.connection.probe_due_at is None
