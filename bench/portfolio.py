"""Server time of a covered entity's portfolio, and of a business associate's list of covered entities.

Covered entities with 1,250, 2,500 and 5,000 business associates (agreements, partnerships, shared posture with its
history, verifications, subcontractors, notices, some of them leaving) ask for the first page, filtered ones, and the last, through Django's
test client: middleware, transaction, audit entries here and in the logs of all partners whose posture is shown,
queries and rendering are in the time; the network isn't. Each partner shows itself to other covered entities too, so
that every table holds more of others' rows than of one's own. `scans` are the tables that EXPLAIN says are read whole:
where one tenant's rows are a large part of a table, that is right.
Goal: 150 ms for each page, and growth that is at most linear.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import kit
import portfolio_rows as rows
import psycopg
from overview import signed_in

GOAL_MS = 150
SIZES = (1250, 2500, 5000)
MIRRORED = 2000
OTHERS = 2
"""To how many other covered entities each business associate shows itself."""


def fill(dsn: str, sizes: Sequence[int], mirrored: int) -> tuple[list[Any], Any]:
    """Writes everything; the covered entities by size, and the business associate with many of them."""
    from accounts.services import create_person

    draw = random.Random(7)
    granter = create_person(
        email="granter@bench.example", name="Gil Moss", password="unused words of a bench"
    ).pk
    measured = rows.tenants("Hospital", "covered_entity", len(sizes))
    partners = rows.tenants("Vendor", "business_associate", max(sizes))
    upstreams = rows.tenants("Clinic", "covered_entity", OTHERS + mirrored)
    (central,) = rows.tenants("Central", "business_associate", 1)
    with psycopg.connect(dsn) as database:
        # Neither foreign keys nor triggers: a few million look-ups that find nothing wrong.
        database.execute("set session_replication_role = replica")
        rows.copy(database, [*measured, *partners, *upstreams, central])
        for upstream, size in [
            *zip(measured, sizes, strict=True),
            *((each, max(sizes)) for each in upstreams[:OTHERS]),
        ]:
            _write(database, upstream, partners[:size], granter, draw)
        for upstream in upstreams[OTHERS:]:
            _write(database, upstream, [central], granter, draw)
    with psycopg.connect(dsn, autocommit=True) as database:
        database.execute("vacuum (analyze)")
    return measured, central


def _write(database: Any, upstream: Any, partners: Sequence[Any], granter: Any, draw: random.Random) -> None:
    register = rows.associates(upstream.pk, len(partners), draw)
    relations = [rows.partnership(upstream, *each) for each in zip(register, partners, strict=True)]
    rows.copy(database, register)
    rows.copy(database, relations)
    by_table: dict[type, list[Any]] = {}
    for row in rows.around(register, relations, granter, draw):
        by_table.setdefault(type(row), []).append(row)
    for found in by_table.values():
        rows.copy(database, found)


def pages(client: Any) -> Mapping[str, str]:
    """Addresses by name. The last page follows the last row but one page."""
    start = "/business-associates/"
    return {
        "first page": start,
        "agreement ends within 90 days": f"{start}?why=expiring",
        "tier 1, searched": f"{start}?tier=1&text=hosting",
        "last page": f"{start}?after={_before_last(client.tenant_id)}",
        "charts": f"{start}charts/",
        "overview": "/",
    }


def mirrored_pages(tenant: Any) -> Mapping[str, str]:
    """Addresses of a business associate by name: the list, its second page, one covered entity, under each tab."""
    from accounts.tenancy.scope import open_tenant
    from assessments.models import Partnership
    from assessments.partnerships.mirror import MIRRORS
    from evidence.keyset import page_by_time

    with open_tenant(tenant.pk):
        page = page_by_time(Partnership.received.all(), "began_at", "")
    start, one = "/covered-entities/", f"/covered-entities/{page.rows[0].pk}/"
    tabs = {mirror.title: f"{one}?tab={mirror.slug}" for mirror in MIRRORS}
    return {
        "covered entities": start,
        "its second page": f"{start}?after={quote(page.next or '')}",
        "one of them": one,
        **tabs,
    }


def _before_last(tenant_id: Any) -> Any:
    from django.utils import timezone

    from accounts.tenancy.scope import open_tenant
    from assessments.portfolio.ranking import PAGE, Wanted, rank

    with open_tenant(tenant_id):
        return rank(Wanted(), timezone.now(), size=10**6).rows[-PAGE - 1].associate_id


def scans(client: Any, address: str) -> Iterator[str]:
    """Tables that a page's statements read from end to end, by EXPLAIN."""
    from django.db import connection

    asked: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 (Django's)
        if sql.lstrip().upper().startswith(("SELECT", "WITH")):
            asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        client.get(address)
    from accounts.tenancy.scope import open_tenant

    with open_tenant(client.tenant_id), connection.cursor() as cursor:
        for sql, params in asked:
            if "set_config" not in sql:
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
                yield from _seq_scans(cursor.fetchone()[0][0]["Plan"])


def _seq_scans(plan: Mapping[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for below in plan.get("Plans", ()):
        yield from _seq_scans(below)


def measure(client: Any, addresses: Mapping[str, str], rounds: int) -> list[dict[str, Any]]:
    """A row for each page."""
    for address in addresses.values():
        assert client.get(address).status_code == 200, address
    asked = {name: lambda a=address: client.get(a) for name, address in addresses.items()}
    times = kit.time_each(asked, rounds=rounds)
    cpu = kit.cpu_each(asked, rounds=max(3, rounds // 4), backend=_backend())
    return [
        {
            "page": name, "median ms": round(kit.median(times[name]), 1), "p95 ms": round(kit.quantile(times[name], 0.95), 1),
            "best ms": round(min(times[name]), 1), "CPU ms": round(sum(cpu[name]), 1), "of it PostgreSQL": round(cpu[name][1], 1),
            "scans": ", ".join(sorted(set(scans(client, address)))),
        }
        for name, address in addresses.items()
    ]  # fmt: skip


def _backend() -> int:
    from django.db import connection

    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="300 and 600 business associates, 100 covered entities"
    )
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    sizes, mirrored, rounds = ((300, 600), 100, 4) if options.quick else (SIZES, MIRRORED, options.rounds)
    with kit.own_state(durable=False, redis=True) as state:
        os.environ["DJANGO_ALLOWED_HOSTS"] = "localhost"
        kit.set_up_django()
        from portal.embedded import Role, postgres_address

        started = time.perf_counter()
        measured, central = fill(postgres_address(state).dsn(Role.SUPERUSER, "surety"), sizes, mirrored)
        print(f"filled in {time.perf_counter() - started:.0f} s", flush=True)
        found = []
        for tenant, size in zip(measured, sizes, strict=True):
            client = _client(tenant)
            found += [{"of": f"{size:,} associates", **row} for row in measure(client, pages(client), rounds)]
        mirror = mirrored_pages(central)
        found += [
            {"of": f"{mirrored:,} covered entities", **row}
            for row in measure(_client(central), mirror, rounds)
        ]
    kit.print_table("portfolio", [*found[0]], [[*row.values()] for row in found])
    kit.print_json("portfolio", goal_ms=GOAL_MS, rounds=rounds, rows=found)


def _client(tenant: Any) -> Any:
    client = signed_in(tenant.pk, f"owner@{tenant.slug}.example")
    client.tenant_id = tenant.pk
    return client


if __name__ == "__main__":
    main()
