"""`manage.py create_tenant`: the first owner of an installation."""

from __future__ import annotations

import io
import secrets
from typing import Any

import psycopg
import pytest
from django.db import connection

from accounts.models import Membership, Person
from accounts.permissions import Role
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import tenant_by_slug
from tests.conftest import superuser_dsn

PASSWORD = "seven cold stones of moss"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`typed(text)`: what stands on standard input."""

    def give(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    give(f"{PASSWORD}\n")
    return give


def arguments(**more: str) -> list[str]:
    token = secrets.token_hex(6)
    values = {
        "name": "Hill Clinic", "slug": f"hill-{token}", "owner_email": f"{token}@example.org", "owner_name": "Ada Hill",
        **more,
    }  # fmt: skip
    return [
        "create_tenant",
        *(word for name, value in values.items() for word in (f"--{name.replace('_', '-')}", value)),
    ]


def rows() -> list[int]:
    with psycopg.connect(superuser_dsn(connection.settings_dict["NAME"])) as superuser:
        tables = ("accounts_tenant", "accounts_person", "accounts_membership", "accounts_auditentry")
        return [len(superuser.execute(f"select 1 from {table}").fetchall()) for table in tables]


def test_a_tenant_is_made_with_an_owner_who_can_sign_in(manage, typed):
    wanted = arguments()
    ended = manage(*wanted)
    assert ended.code == 0, ended.err
    email = wanted[wanted.index("--owner-email") + 1]
    assert email in ended.out
    person = Person.objects.get(email=email)
    assert person.check_password(PASSWORD)
    tenant_id = tenant_by_slug(wanted[wanted.index("--slug") + 1])
    assert tenant_id
    with open_tenant(tenant_id):
        assert Membership.objects.get(person=person).role == Role.OWNER


@pytest.mark.parametrize(
    ("more", "password", "words"),
    [
        ({"slug": "no spaces please"}, PASSWORD, "slug"),
        ({"slug": ""}, PASSWORD, "slug"),
        ({"name": " "}, PASSWORD, "name"),
        ({"owner_email": "nobody"}, PASSWORD, "email"),
        ({}, "short", "password"),
        ({}, "", "password"),
    ],
)
def test_bad_input_is_one_clear_line_and_nothing_is_written(manage, typed, more, password, words):
    typed(f"{password}\n")
    before = rows()
    ended = manage(*arguments(**more))
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.strip().splitlines()) == 1, ended.err
    assert words in ended.err.lower()
    assert rows() == before


@pytest.mark.parametrize("twice", ["slug", "owner_email"])
def test_what_is_taken_is_refused_and_nothing_is_written(manage, typed, twice):
    first = arguments()
    assert manage(*first).code == 0
    taken = first[first.index(f"--{twice.replace('_', '-')}") + 1]
    typed(f"{PASSWORD}\n")
    before = rows()
    ended = manage(*arguments(**{twice: taken}))
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.strip().splitlines()) == 1, ended.err
    assert rows() == before


def test_a_missing_argument_is_named(manage):
    ended = manage("create_tenant", "--name", "Hill Clinic")
    assert ended.code == 2
    assert "--slug" in ended.err.splitlines()[-1]
