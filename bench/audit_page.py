"""The audit log's page over ten million entries of one tenant, beside those of others: every combination of filters.

An owner signed in with both factors asks through Django's test client, under row-level security: middleware,
transaction, the reading's own entry, search, the check of each shown entry and rendering are all in the time. Acts,
actors, objects and outcomes are skewed: few make most entries, the rare stay rare, and what is asked for is drawn
from common and rare alike, so that some combinations hold nothing. Goal: 100 ms.
"""

from __future__ import annotations

import argparse
import html
import itertools
import random
import re
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import kit
import psycopg

GOAL_MS = 100
OTHERS = 20
ACTORS, OBJECTS = 300, 20_000
BEGINS = 1_735_689_600_000
"""The first of 2025, in milliseconds."""
STEP_MS = 4000

_FILL = """
INSERT INTO accounts_auditentry (tenant_id, id, occurred_at, act, outcome, object_type, object_id, actor_kind,
    actor_id, actor_name, address, request_id, body, mac, mac_key_id)
SELECT %(tenant)s, (lpad(to_hex(%(begins)s + n * %(step)s), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
        || substr(md5(n::text || %(tenant)s::text), 1, 15))::uuid,
    to_timestamp((%(begins)s + n * %(step)s) / 1000.0),
    (%(acts)s::text[])[1 + floor(power(random(), 3) * %(most)s)::int],
    (ARRAY['done', 'refused', 'failed'])[1 + floor(power(random(), 6) * 2.9999)::int],
    'snapshot', 'object-' || floor(power(random(), 4) * %(objects)s)::int,
    'person', 'actor-' || floor(power(random(), 4) * %(actors)s)::int, 'actor@example.org', '192.0.2.1',
    '', '\\x7b7d', '\\x00', '1'
FROM generate_series(1, %(entries)s::bigint) n
"""


def fill(tenants: dict[UUID, int], dsn: str) -> None:
    """Writes the entries with the indexes down, and builds these again."""
    from accounts.audit.events import Act

    acts = [str(act) for act in Act]
    with psycopg.connect(dsn, autocommit=True) as database:
        database.execute("set synchronous_commit = off")
        database.execute("set maintenance_work_mem = '1GB'")
        indexes = database.execute(
            "select indexname, indexdef from pg_indexes where tablename = 'accounts_auditentry'"
            " and indexname like 'auditentry%'"
        ).fetchall()
        for name, _definition in indexes:
            database.execute(f"drop index {name}")
        for tenant, entries in tenants.items():
            database.execute(_FILL, {
                "tenant": tenant, "begins": BEGINS, "step": STEP_MS, "acts": acts, "most": len(acts),
                "objects": OBJECTS, "actors": ACTORS, "entries": entries,
            })  # fmt: skip
        for _name, definition in indexes:
            database.execute(definition)
        database.execute("vacuum analyze accounts_auditentry")


FILTERS = ("actor", "act", "object", "outcome", "time")


def queries(entries: int, seed: int = 5) -> Iterator[tuple[str, dict[str, str]]]:
    """One query of each combination of filters, with values drawn anew at each call."""
    draw = random.Random(seed)
    from accounts.audit.events import Act

    acts = [str(act) for act in Act]
    for count in range(len(FILTERS) + 1):
        for chosen in itertools.combinations(FILTERS, count):
            values = {
                "actor": f"actor-{int(draw.random() ** 4 * ACTORS)}",
                "act": acts[int(draw.random() ** 3 * len(acts))],
                "object": f"object-{int(draw.random() ** 4 * OBJECTS)}",
                "outcome": draw.choice(["done", "refused", "failed"]),
            }
            query = {name: values[name] for name in chosen if name != "time"}
            if "time" in chosen:
                first, last = sorted(draw.randrange(entries) for _ in range(2))
                query |= {"since": _moment(first), "until": _moment(last)}
            yield "+".join(chosen) or "none", query


def _moment(number: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime((BEGINS + number * STEP_MS) / 1000))


def measure(client: Any, tenant_id: UUID, entries: int, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each page by combination; pages further back (`after`) are asked for too."""
    times: dict[str, list[float]] = {}
    for number in range(rounds):
        for name, query in queries(entries, seed=number):
            started = time.perf_counter()
            answer = client.get("/audit/", query)
            times.setdefault(name, []).append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 200, (query, answer.status_code)
            times.setdefault(f"search: {name}", []).append(search(tenant_id, query))
            following = re.search(rb'rel="next" href="([^"]+)"', answer.content)
            if following and number % 3 == 0:
                started = time.perf_counter()
                client.get("/audit/" + html.unescape(following[1].decode()))
                times.setdefault(f"{name}, next page", []).append((time.perf_counter() - started) * 1000)
    return times


def search(tenant_id: UUID, query: dict[str, str]) -> float:
    """Milliseconds that PostgreSQL needs for the search alone, asked over the same connection."""
    from accounts.audit.search import find_ids
    from accounts.forms import AuditFilterForm
    from accounts.tenancy.scope import open_tenant

    form = AuditFilterForm(query)
    assert form.is_valid(), form.errors
    wanted = form.wanted(query.get("actor"))
    with open_tenant(tenant_id):
        started = time.perf_counter()
        find_ids(wanted, limit=51)
        return (time.perf_counter() - started) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="100,000 entries, for a look")
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    entries, rounds = (100_000, 3) if options.quick else (options.entries, options.rounds)
    with kit.own_state(durable=False) as state:
        kit.set_up_django()
        from portal.embedded import Role, postgres_address

        tenant_id = kit.make_tenant("bench-audit-page")
        tenants = {tenant_id: entries} | {
            kit.make_tenant(f"bench-other-{number}"): entries // 100 for number in range(OTHERS)
        }
        started = time.perf_counter()
        fill(tenants, postgres_address(state).dsn(Role.SUPERUSER, "surety"))
        print(f"{sum(tenants.values()):,} entries in {time.perf_counter() - started:.0f} s", flush=True)
        from overview import signed_in

        client = signed_in(tenant_id)
        measure(client, tenant_id, entries, 1)
        times = measure(client, tenant_id, entries, rounds)
    rows = [
        (
            name,
            len(values),
            round(kit.median(values), 1),
            round(kit.quantile(values, 0.95), 1),
            round(max(values), 1),
        )
        for name, values in times.items()
    ]
    kit.print_table(
        f"The audit log's page at {entries:,} entries",
        ("filters", "pages", "p50 ms", "p95 ms", "most ms"),
        rows,
    )
    worst = max(row[3] for row in rows)
    kit.print_json("audit_page", entries=entries, worst_p95_ms=worst, goal_ms=GOAL_MS, met=worst < GOAL_MS)


if __name__ == "__main__":
    main()
