"""The tenants' policy against an explicit WHERE: 1,000 tenants, a million findings, in the table that migrations made.

``policy`` is portal_app with the tenant set and no WHERE; ``policy + WHERE`` is what the ORM sends; ``WHERE`` is
a role for which no policy applies. Every round takes a random tenant and runs all variants in a random order on
warm connections; times are of the statement and its rows alone, the answers are compared. Goal: 1.2x.
Ratios are of medians and (``p10``) of tenth percentiles, which other work on the machine touches less.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import kit
import psycopg

SELECTED = "id, check_id, resource_name, outcome, severity, since"
QUERIES = {
    "point read": f"select {SELECTED} from assessments_finding where id = %(id)s{{own}}",
    "page of 50": f"select {SELECTED} from assessments_finding where gone_at is null{{own}}"
    " order by since desc, id desc limit 50",
    "page of 50 failing": f"select {SELECTED} from assessments_finding where gone_at is null and outcome = 'FAIL'"
    " and severity = 'high'{own} order by since desc, id limit 50",
    "aggregate": "select check_id, outcome, count(*) from assessments_finding where gone_at is null{own}"
    " group by check_id, outcome order by 1, 2",
}
OWN = " and tenant_id = %(tenant)s"
GOAL = 1.2


class Variant(NamedTuple):
    connection: psycopg.Connection[Any]
    own: str
    isolated: bool


class Target(NamedTuple):
    tenant: UUID
    finding: UUID


def fill(address: str, tenants: Sequence[tuple[UUID, UUID]], *, small: int, large: int) -> None:
    """Writes `small` findings for each tenant (and `large` for the first), the tenants' rows mixed on the pages."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("create temp table place (number int, tenant uuid, connection uuid)")
        with connection.cursor() as cursor, cursor.copy("copy place from stdin") as copy:
            for number, (tenant, aws) in enumerate(tenants):
                copy.write_row((number, tenant, aws))
        # What references check would be checked a million times; the rows are right by construction.
        connection.execute("set session_replication_role = replica")
        connection.execute(_INSERT, {"least": 0, "small": small - 1, "first": 0, "last": len(tenants)})
        connection.execute(_INSERT, {"least": small, "small": large - 1, "first": 0, "last": 0})
        connection.execute("vacuum (analyze) assessments_finding")


_INSERT = """
insert into assessments_finding (id, tenant_id, connection_id, check_id, resource_key, resource_arn, resource_name,
  resource_kind, region, scope, severity, outcome, observed, missing_action, first_seen_at, since, gone_at)
select uuidv7(), tenant, connection, 'service_check_number_' || n %% 80, md5(number || '/' || n),
  'arn:aws:s3:::hospital-records-' || number || '-' || n / 80, 'hospital-records-' || n / 80, 'AWS::S3::Bucket',
  (array['us-east-1', 'us-west-2'])[1 + n %% 2], (array['us-east-1', 'us-west-2'])[1 + n %% 2],
  (array['critical', 'high', 'medium', 'low'])[1 + n %% 80 %% 4],
  (array['PASS', 'PASS', 'PASS', 'FAIL', 'PASS', 'PASS', 'UNKNOWN'])[1 + (n * 31 + number) %% 7],
  'encrypted with a key of the customer', '', now() - interval '90 days',
  now() - make_interval(mins => (n * 7919 + number * 104729) %% 129600), case when n %% 50 = 49 then now() end
from generate_series(%(least)s::int, %(small)s::int) n cross join place
where number between %(first)s and %(last)s order by n, number
"""


def make_tenants(number: int) -> list[tuple[UUID, UUID]]:
    """Tenants with a connection each, by the portal's own models; (tenant's id, connection's id)."""
    from accounts.models import Tenant
    from accounts.tenancy.models import new_id
    from accounts.tenancy.scope import open_tenant
    from evidence.models import AwsConnection

    made = []
    for position in range(number):
        tenant = Tenant(id=new_id(), name=f"Hospital {position}", slug=f"h-{position}", kind="covered_entity")
        with open_tenant(tenant.id):
            tenant.save(force_insert=True)
            aws = AwsConnection.objects.create(
                name="main", aws_account_id=f"{position:012}", regions=["us-east-1"]
            )
        made.append((tenant.id, aws.pk))
    return made


def compare(
    variants: Mapping[str, Variant], targets: Sequence[Target], query: str, rounds: int
) -> dict[str, list[float]]:
    """Milliseconds of each variant in each round. Ends the benchmark where two variants differ in their rows."""
    taken: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds + 3):
        target, order = random.choice(targets), list(variants)
        random.shuffle(order)
        answers = {}
        for name in order:
            milliseconds, answers[name] = _run(variants[name], query, target)
            if number >= 3:
                taken[name].append(milliseconds)
        if any(rows != answers[order[0]] for rows in answers.values()) or not answers[order[0]]:
            sys.exit(f"the variants of {query!r} found different rows for {target}")
    return taken


def _run(variant: Variant, query: str, target: Target) -> tuple[float, list[Any]]:
    """One statement in a transaction of its own; with Django's kind of cursor, which binds on the client."""
    connection, values = variant.connection, {"tenant": target.tenant, "id": target.finding}
    with connection.transaction(), psycopg.ClientCursor(connection) as cursor:
        cursor.execute("select set_config('portal.tenant', %s, true)", [str(target.tenant)])
        started = time.perf_counter()
        cursor.execute(query.format(own=variant.own), values)
        rows = cursor.fetchall()
        return (time.perf_counter() - started) * 1000, rows


def explain(variant: Variant, query: str, target: Target) -> str:
    """The condition on the index by which the rows are found."""
    with variant.connection.transaction(), psycopg.ClientCursor(variant.connection) as cursor:
        cursor.execute("select set_config('portal.tenant', %s, true)", [str(target.tenant)])
        values = {"tenant": target.tenant, "id": target.finding}
        cursor.execute(f"explain (format json) {query.format(own=variant.own)}", values)
        row = cursor.fetchone()
    assert row is not None
    return "; ".join(_conditions(row[0][0]["Plan"]))


def _conditions(plan: Mapping[str, Any]) -> list[str]:
    mine = [f"{plan.get('Index Name', '')} {plan['Index Cond']}"] if "Index Cond" in plan else []
    return mine + [found for part in plan.get("Plans", ()) for found in _conditions(part)]


def choose(address: str, tenants: Sequence[UUID], number: int) -> list[Target]:
    with psycopg.connect(address) as connection:
        chosen = random.sample(list(tenants), min(number, len(tenants)))
        sql = "select id from assessments_finding where tenant_id = %s and gone_at is null order by random() limit 1"
        rows = [(tenant, connection.execute(sql, [tenant]).fetchone()) for tenant in chosen]
        return [Target(tenant, row[0]) for tenant, row in rows if row]


def measure(state: Path, *, tenants: int, small: int, large: int, rounds: int) -> list[dict[str, Any]]:
    from portal.embedded import Role, postgres_address

    address = postgres_address(state)
    superuser, app = address.dsn(Role.SUPERUSER), address.dsn(Role.APP)
    made = make_tenants(tenants)
    fill(superuser, made, small=small, large=large)
    sizes = {
        "ordinary tenant": choose(superuser, [tenant for tenant, _ in made[1:]], 200),
        "large tenant": choose(superuser, [made[0][0]], 1) * 2,
    }
    with psycopg.connect(app) as one, psycopg.connect(app) as two, psycopg.connect(superuser) as three:
        variants = {
            "WHERE": Variant(three, OWN, isolated=False),
            "policy": Variant(one, "", isolated=True),
            "policy + WHERE": Variant(two, OWN, isolated=True),
        }
        return [
            _row(
                query, size, compare(variants, targets, sql, _rounds(query, size, rounds)), variants, targets
            )
            for size, targets in sizes.items()
            for query, sql in QUERIES.items()
        ]


def _rounds(query: str, size: str, rounds: int) -> int:
    return max(rounds // 10, 20) if query == "aggregate" and size == "large tenant" else rounds


def _row(
    query: str, size: str, taken: Mapping[str, Sequence[float]], variants: Mapping[str, Variant], targets: Sequence[Target]
) -> dict[str, Any]:  # fmt: skip
    medians = {name: kit.median(times) for name, times in taken.items()}
    quiet = {name: kit.quantile(times, 0.1) for name, times in taken.items()}
    row: dict[str, Any] = {"query": query, "tenant": size, "rounds": len(taken["WHERE"])}
    row |= {f"{name} ms": round(value, 3) for name, value in medians.items()}
    row["WHERE index condition"] = explain(variants["WHERE"], QUERIES[query], targets[0])
    for name in ("policy", "policy + WHERE"):
        row[f"{name} ratio"] = round(medians[name] / medians["WHERE"], 2)
        row[f"{name} p10"] = round(quiet[name] / quiet["WHERE"], 2)
        row[f"{name} index condition"] = explain(variants[name], QUERIES[query], targets[0])
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="50 tenants, 50,000 findings")
    parser.add_argument("--rounds", type=int, default=1000)
    arguments = parser.parse_args()
    random.seed(20250101)
    plan = {"tenants": 1000, "small": 900, "large": 101_000, "rounds": arguments.rounds}
    if arguments.quick:
        plan = {"tenants": 50, "small": 900, "large": 6000, "rounds": 100}
    with kit.own_state() as state:
        kit.set_up_django()
        rows = measure(state, **plan)
    columns = [name for name in rows[0] if "condition" not in name]
    kit.print_table("policy against WHERE", columns, [[row[name] for name in columns] for row in rows])
    conditions = [[row["query"], row["tenant"], row["policy index condition"]] for row in rows]
    kit.print_table("how the policy finds its rows", ("query", "tenant", "index condition"), conditions)
    kit.print_json("tenancy", goal=GOAL, **plan, rows=rows)


if __name__ == "__main__":
    main()
