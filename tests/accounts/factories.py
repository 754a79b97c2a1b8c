"""Makers of people who can sign in, and the ways in as tests use them."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import pyotp
from django.db import connection
from django.test import Client

from accounts.devices import TotpDevice
from accounts.models import Person, Tenant
from accounts.permissions import Role
from accounts.services.second_factor import prepare_totp
from accounts.sessions import PROVED_AT
from tests.conftest import superuser_dsn
from tests.factories import make_member, make_person, make_tenant

PASSWORD = "moss on seven cold stones"


def give_second_factor(person: Person) -> TotpDevice:
    """An app that is set up, and whose present code is unused."""
    device = prepare_totp(person=person)
    device.confirmed = True
    device.save()
    return device


def make_operator(name: str = "Otto Reed") -> Person:
    """One of the operator's staff with a password and an authenticator app; made as the migration's role makes one."""
    person = make_person(name=name, password=PASSWORD)
    with psycopg.connect(superuser_dsn(connection.settings_dict["NAME"]), autocommit=True) as database:
        database.execute("update accounts_person set is_operator = true where id = %s", [person.pk])
    person.refresh_from_db()
    give_second_factor(person)
    return person


def make_ready_person(role: Role = Role.OWNER, tenant: Tenant | None = None) -> Person:
    """A member with a password and an authenticator app."""
    person = make_member(tenant or make_tenant(), role, password=PASSWORD)
    give_second_factor(person)
    return person


def code_for(person: Person, *, steps: int = 0) -> str:
    """The code that the person's app shows now, or `steps` of 30 seconds later."""
    device = TotpDevice.objects.get(user=person, confirmed=True)
    return pyotp.TOTP(device.secret).at(int(time.time()) + 30 * steps)


def post_password(client: Client, person: Person, password: str = PASSWORD, **extra: Any) -> Any:
    return client.post("/sign-in/", {"email": person.email, "password": password}, **extra)


def sign_in(person: Person, **extra: Any) -> Client:
    """A client that went through both steps."""
    client = Client(**extra)
    TotpDevice.objects.filter(user=person).update(last_step=-1)
    assert post_password(client, person).status_code == 302
    answer = client.post("/sign-in/code/", {"code": code_for(person)})
    assert answer.status_code == 302, answer.content
    return client


def grow_stale(client: Client) -> Client:
    """Lets the session's last proof of both factors be older than step-up accepts."""
    session = client.session
    session[PROVED_AT] = int(time.time()) - 3600
    session.save()
    return client


def prove_again(client: Client, person: Person) -> Any:
    """Proves both factors at the page that asks for them."""
    TotpDevice.objects.filter(user=person).update(last_step=-1)
    return client.post("/step-up/", {"current": PASSWORD, "code": code_for(person)})
