"""Connections that serve many tenants in turn carry nothing from one request to the next, whatever the request did.

Eight threads, as gunicorn runs them, send requests of three tenants in turn: some fail, are rolled back, time out in
the database or lose their connection. Each looks, by SQL that names no tenant, at what it can see. Once with a
connection kept by each thread (as in production), once with connections borrowed from a pool of four.
`POOL_REQUESTS=10000` in the environment makes more of them per thread (60 by default).
"""

from __future__ import annotations

import itertools
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.http import HttpResponse, JsonResponse
from django.test import Client
from django.urls import path
from psycopg.pq import TransactionStatus

from accounts.access import TenantRequest, requires
from accounts.models import Tenant
from accounts.permissions import Permission, Role
from accounts.tenancy.scope import open_tenant
from evidence.models import AwsConnection
from portal.urls import handler404, handler500  # noqa: F401 (this module is a URL configuration)
from portal.urls import urlpatterns as portal_urls
from tests.accounts.factories import make_ready_person, sign_in
from tests.factories import make_connection, make_tenant

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:.*:pytest.PytestUnhandledThreadExceptionWarning"),
]

THREADS = 8
REQUESTS = int(os.environ.get("POOL_REQUESTS", "60"))
TABLES = ("evidence_awsconnection", "accounts_membership", "accounts_auditentry")


class BrokenView(Exception):
    """A programming error in a view."""


def _visible() -> list[str]:
    """The tenants of all rows that the connection shows now."""
    with connection.cursor() as cursor:
        cursor.execute(" union ".join(f"select tenant_id from {table}" for table in TABLES))
        return [str(tenant) for (tenant,) in cursor.fetchall()]


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _change() -> None:
    AwsConnection.objects.update(name="changed by a request that failed")


def _fail() -> None:
    _change()
    raise BrokenView


def _roll_back() -> None:
    _change()
    transaction.set_rollback(True)


def _time_out() -> None:
    _change()
    _execute("set local statement_timeout = '10ms'; select pg_sleep(20)")


def _divide_by_zero() -> None:
    _change()
    _execute("select 1 / 0")


def _fail_in_savepoint() -> None:
    try:
        with open_tenant(AwsConnection.objects.values_list("tenant_id", flat=True)[0]), transaction.atomic():
            _fail()
    except BrokenView:
        return


def _lose_connection() -> None:
    _change()
    _execute("select pg_terminate_backend(pg_backend_pid())")


ACTS: dict[str, tuple[Callable[[], None], int]] = {
    "read": (lambda: None, 200),
    "fail": (_fail, 500),
    "roll-back": (_roll_back, 200),
    "refuse": (lambda: None, 409),
    "time-out": (_time_out, 503),
    "divide-by-zero": (_divide_by_zero, 500),
    "fail-in-savepoint": (_fail_in_savepoint, 200),
    "lose-connection": (_lose_connection, 503),
}
"""What a request does after looking, and the status of its answer."""


@requires(Permission.POSTURE_READ)
def look(request: TenantRequest, act: str) -> HttpResponse:
    seen.append((str(request.tenant.pk), _visible()))
    ACTS[act][0]()
    after = _visible() if act != "roll-back" else []
    if act == "refuse":
        _change()
    return JsonResponse({"seen": after}, status=ACTS[act][1])


seen: list[tuple[str, list[str]]] = []
urlpatterns = [*portal_urls, path("look/<slug:act>/", look)]


@pytest.fixture(params=["kept by its thread", "borrowed from a pool"])
def connections_are(request, settings) -> Iterator[str]:
    """How threads come by their connections."""
    from django.db import connections

    of_all = connections.settings["default"]
    before = dict(of_all)
    connection.close()
    if request.param == "borrowed from a pool":
        of_all |= {
            "CONN_MAX_AGE": 0,
            "OPTIONS": {**of_all.get("OPTIONS", {}), "pool": {"min_size": 1, "max_size": 4, "timeout": 60}},
        }
        connection.settings_dict.update(of_all)
    yield request.param
    connection.close()
    if request.param == "borrowed from a pool":
        connection.close_pool()  # type: ignore[attr-defined] # PostgreSQL's own
    for each in (of_all, connection.settings_dict):
        each.clear()
        each.update(before)


@pytest.fixture
def visitors() -> list[tuple[Tenant, Client]]:
    tenants = [make_tenant() for _ in range(3)]
    for tenant in tenants:
        make_connection(tenant, name="as it was")
    return [
        (tenant, sign_in(make_ready_person(Role.OWNER, tenant), raise_request_exception=False))
        for tenant in tenants
    ]


def _copy(client: Client) -> Client:
    """The same session in another browser: clients are not for sharing between threads."""
    copy = Client(raise_request_exception=False)
    copy.cookies.update(client.cookies)
    return copy


def _carried() -> tuple[str, bool, list[str]]:
    """What the connection that served the request holds afterwards: tenant, open transaction, visible rows."""
    with connection.cursor() as cursor:
        idle = cursor.connection.info.transaction_status == TransactionStatus.IDLE
        cursor.execute("select coalesce(current_setting('portal.tenant', true), '')")
        (tenant,) = cursor.fetchone()
    return tenant, idle, _visible()


def _visit(number: int, visitors: list[tuple[Tenant, Client]]) -> tuple[Counter[str], list[Any]]:
    dice = random.Random(number)
    wrong: list[Any] = []
    done: Counter[str] = Counter()
    mine = [(str(tenant.pk), _copy(client)) for tenant, client in visitors]
    try:
        for turn, (tenant, client) in enumerate(itertools.islice(itertools.cycle(mine), REQUESTS)):
            act = dice.choice([*ACTS, "read", "read", "fail"])
            answer = client.get(f"/look/{act}/")
            if answer.status_code != ACTS[act][1] or (
                answer.status_code == 200 and set(answer.json()["seen"]) - {tenant}
            ):
                wrong.append((turn, act, answer.status_code, answer.content))
            if _carried() != ("", True, []):
                wrong.append((turn, act, "carried", _carried()))
            done[act] += 1
    finally:
        connection.close()
    return done, wrong


def test_no_request_sees_or_leaves_anything_of_another_tenant(connections_are, visitors, settings, caplog):
    caplog.set_level("CRITICAL")
    settings.ROOT_URLCONF = __name__
    seen.clear()
    with ThreadPoolExecutor(THREADS) as threads:
        results = list(threads.map(lambda number: _visit(number, visitors), range(THREADS)))
    assert [wrong for _done, wrong in results if wrong] == []
    done = sum((done for done, _wrong in results), Counter())
    assert done.total() == THREADS * REQUESTS
    assert set(done) == set(ACTS), "some act never took place"
    assert [(tenant, visible) for tenant, visible in seen if set(visible) != {tenant}] == []
    assert len(seen) == done.total()
    for tenant, _client in visitors:
        with open_tenant(UUID(str(tenant.pk))):
            assert list(AwsConnection.objects.values_list("name", flat=True)) == ["as it was"]
