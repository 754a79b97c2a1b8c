"""Server time of the pages that people open most, at 100,000 findings in one tenant, and their queries.

A person signed in with both factors asks through Django's test client: middleware, transaction, audit entry,
queries and rendering are all in the time; the network isn't. ``CPU ms`` is this process's and PostgreSQL's in one:
what the page takes on a machine that does nothing else. The tenant has three evaluations of the large
account behind it (see evaluate.py). Goal for the overview: 100 ms.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import kit
import large_run
from aws_account import Size

GOAL_MS = 100
PASSWORD = "seven cold stones in a moss garden"


def signed_in(tenant_id: UUID, email: str = "owner@bench.example") -> Any:
    """A client of an owner of the tenant who gave password and code."""
    import pyotp
    from django.test import Client

    from accounts.permissions import Role
    from accounts.services import add_member, create_person
    from accounts.services.second_factor import prepare_totp
    from accounts.tenancy.scope import open_tenant

    person = create_person(email=email, name="Ada Moss", password=PASSWORD)
    with open_tenant(tenant_id):
        add_member(person=person, role=Role.OWNER)
    device = prepare_totp(person=person)
    device.confirmed = True
    device.save()
    client = Client(HTTP_HOST="localhost")
    first = client.post("/sign-in/", {"email": person.email, "password": PASSWORD})
    second = client.post("/sign-in/code/", {"code": pyotp.TOTP(device.secret).at(int(time.time()))})
    assert (first.status_code, second.status_code) == (302, 302), (first.content, second.content)
    return client


def fill(size: Size, regions: int) -> tuple[UUID, int]:
    """A tenant with three evaluated runs; its id and the number of its findings."""
    from accounts.tenancy.scope import open_tenant
    from assessments.models import Finding
    from assessments.services import evaluate_run

    payloads = large_run.spread(large_run.collected(size), regions)
    changed = large_run.unencrypt(payloads, 500)
    tenant_id = kit.make_tenant("bench-overview")
    connection_id = large_run.connect(tenant_id, payloads)
    for answers in (payloads, changed, payloads):
        evaluate_run(tenant_id=tenant_id, run_id=large_run.write_run(tenant_id, connection_id, answers))
    with open_tenant(tenant_id):
        return tenant_id, Finding.objects.count()


def addresses(tenant_id: UUID) -> Mapping[str, str]:
    """The pages by name; the details are of the check with most findings and of one of its findings."""
    from django.db.models import Count
    from django.urls import reverse

    from accounts.tenancy.scope import open_tenant
    from assessments.models import Finding

    with open_tenant(tenant_id):
        counts = Finding.objects.values_list("check_id").annotate(n=Count("pk")).order_by("-n")
        largest = counts[0][0]
        newest = Finding.objects.filter(check_id=largest).order_by("-since").first()
    return {
        "overview": reverse("overview"),
        "safeguards": reverse("safeguard-list"),
        "one safeguard": reverse("safeguard-detail", args=["164.312(a)(2)(iv)"]),
        "findings": reverse("finding-list"),
        "findings, failing and high": reverse("finding-list") + "?outcome=FAIL&severity=high",
        "findings, searched": reverse("finding-list") + "?text=volume",
        "one check": reverse("check-detail", args=[largest]),
        "one finding": reverse("finding-detail", args=[newest.pk]),
        "evidence": reverse("evidence-list"),
        "connections": reverse("connection-list"),
    }


def queries(client: Any, address: str) -> tuple[int, float, int]:
    """Statements of a request, their milliseconds in all, and the answer's KiB."""
    from django.db import connection, reset_queries

    reset_queries()
    connection.force_debug_cursor = True
    try:
        answer = client.get(address)
    finally:
        connection.force_debug_cursor = False
    assert answer.status_code == 200, (address, answer.status_code)
    milliseconds = sum(float(query["time"]) for query in connection.queries_log) * 1000
    return len(connection.queries_log), milliseconds, len(answer.content) // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the small account in four regions")
    parser.add_argument("--regions", type=int, default=28)
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    with kit.own_state(redis=True) as state:
        os.environ["DJANGO_ALLOWED_HOSTS"] = "localhost"
        kit.set_up_django()
        size, regions, rounds = (
            (Size.SMALL, 4, 10) if arguments.quick else (Size.LARGE, arguments.regions, arguments.rounds)
        )
        tenant_id, findings = fill(size, regions)
        vacuum(state)
        client, pages = signed_in(tenant_id), addresses(tenant_id)
        counted = {name: queries(client, address) for name, address in pages.items()}
        asked = {name: lambda a=address: client.get(a) for name, address in pages.items()}
        taken = kit.time_each(asked, rounds=rounds)
        cpu = kit.cpu_each(asked, rounds=rounds, backend=_backend())
    rows = [_row(name, taken[name], cpu[name], counted[name]) for name in pages]
    kit.print_table(f"pages at {findings:,} findings", [*rows[0]], [[*row.values()] for row in rows])
    kit.print_json("overview", goal_ms=GOAL_MS, findings=findings, rounds=rounds, rows=rows)


def _row(
    name: str, times: list[float], cpu: tuple[float, float], counted: tuple[int, float, int]
) -> dict[str, Any]:
    figures = {"median ms": kit.median(times), "p10 ms": kit.quantile(times, 0.1), "best ms": min(times)}
    figures |= {"CPU ms": sum(cpu), "of it PostgreSQL": cpu[1]}
    number, in_database, size = counted
    rounded = {title: round(value, 1) for title, value in figures.items()}
    return {"page": name, **rounded, "queries": number, "in queries ms": round(in_database, 1), "KiB": size}


def _backend() -> int:
    """The process that serves this thread's connection to the database."""
    from django.db import connection

    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)


def vacuum(state: Any) -> None:
    """What autovacuum would have done by the time that somebody looks."""
    import psycopg

    from portal.embedded import Role, postgres_address

    with psycopg.connect(postgres_address(state).dsn(Role.SUPERUSER), autocommit=True) as connection:
        connection.execute("vacuum (analyze)")


if __name__ == "__main__":
    main()
