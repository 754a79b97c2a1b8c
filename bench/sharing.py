"""Sharing: publishing to 2,000 covered entities, how that grows, one of them reading, and the oracle in full.

A business associate with an evaluated account grants to thousands of tenants, mostly the same few scopes and levels, then
each its own. `publish` is what the worker does after an evaluation that changed the posture: compose each distinct
content once, write every row. `unchanged`: only the evidence is fresher. Goal: 5 s for 2,000.

`--operations 100000` runs tests/sharing/model.py that far: random grants, revocations, expiries, changes of roles and
partnerships, readings by service, by SQL and by HTTP, each compared with the oracle.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import kit
import large_run
from aws_account import Size

GOAL_SECONDS = 5
SIZES = (250, 500, 1000, 2000)


def downstream() -> UUID:
    """A tenant with one evaluated run of a small account."""
    from assessments.services import evaluate_run

    payloads = large_run.collected(Size.SMALL)
    tenant_id = kit.make_tenant("bench-sharing")
    connection_id = large_run.connect(tenant_id, payloads)
    evaluate_run(tenant_id=tenant_id, run_id=large_run.write_run(tenant_id, connection_id, payloads))
    return tenant_id


def partner(downstream_id: UUID) -> Any:
    """A covered entity that works with the business associate."""
    from accounts.tenancy.scope import open_tenant
    from assessments.models import BusinessAssociate, Partnership

    with open_tenant(kit.make_tenant(uuid4().hex)):
        associate = BusinessAssociate.objects.create(reference="1", name="Billing")
        return Partnership.objects.create(
            associate=associate, viewer_id=downstream_id, upstream_name="Hospital", downstream_name="Billing"
        )


def grant(downstream_id: UUID, partnership: Any, person: Any, terms: Any) -> UUID:
    from accounts.tenancy.scope import open_tenant
    from assessments.sharing.services import make_grant

    with open_tenant(downstream_id):
        return UUID(str(make_grant(partnership=partnership, terms=terms, by=person).pk))


def few_scopes(number: int) -> Any:
    """What most would choose: the whole Rule or its technical safeguards, at one of the levels."""
    from assessments.rule.model import SECURITY_RULE
    from assessments.sharing.levels import Level
    from assessments.sharing.services import Terms

    technical = tuple(each for each in SECURITY_RULE if each.startswith("164.312"))
    return Terms(list(Level)[number % 4], (tuple(SECURITY_RULE), technical)[number % 8 // 4])


def own_scope(_number: int) -> Any:
    """Forty safeguards that nobody else chose."""
    from assessments.rule.model import SECURITY_RULE
    from assessments.sharing.levels import Level
    from assessments.sharing.services import Terms

    return Terms(Level.FINDINGS, tuple(random.sample(sorted(SECURITY_RULE), 40)))


def change(tenant_id: UUID) -> None:
    """The posture says something else of a safeguard that everybody sees."""
    from accounts.tenancy.scope import open_tenant
    from assessments.models import SafeguardStatus

    with open_tenant(tenant_id):
        for row in SafeguardStatus.objects.filter(valid_to=None, citation__startswith="164.31"):
            row.status = "not_satisfied" if row.status == "satisfied" else "satisfied"
            row.save(update_fields=["status"])


def publish(tenant_id: UUID) -> tuple[float, float, Any]:
    """Seconds of wall and of this process's CPU, and what was written."""
    from accounts.tenancy.scope import open_tenant
    from assessments.sharing.publishing import publish_grants

    wall, cpu = time.perf_counter(), time.process_time()
    with open_tenant(tenant_id):
        done = publish_grants()
    return time.perf_counter() - wall, time.process_time() - cpu, done


def grow(
    tenant_id: UUID, partners: list[Any], person: Any, kind: str, terms: Callable[[int], Any]
) -> list[dict[str, Any]]:
    """Grants to more and more, and publishes at each size: changed, and then once more unchanged."""
    rows: list[dict[str, Any]] = []
    for number, partnership in enumerate(partners, 1):
        grant(tenant_id, partnership, person, terms(number))
        if number not in SIZES and number != len(partners):
            continue
        change(tenant_id)
        wall, cpu, done = publish(tenant_id)
        fresh, _cpu, same = publish(tenant_id)
        assert (done.changed, same.changed) == (number, 0), (number, done, same)
        rows.append(
            {
                "scopes": kind, "grants": number, "contents": done.contents, "rows": done.changed + done.points,
                "publish s": round(wall, 2), "of it CPU here": round(cpu, 2), "unchanged s": round(fresh, 2),
                "ms a grant": round(wall * 1000 / number, 2),
            }
        )  # fmt: skip
    return rows


def read(partnership: Any, grant_id: UUID, rounds: int) -> dict[str, float]:
    """Milliseconds of the covered entity's page: middleware, both logs' entries, queries, rendering."""
    from accounts.models import Membership
    from accounts.permissions import Role
    from accounts.services import create_person
    from accounts.tenancy.scope import open_tenant
    from tests.sharing.model import PASSWORD, signed_in

    person = create_person(email=f"{uuid4().hex}@example.org", name="Ada", password=PASSWORD)
    with open_tenant(partnership.tenant_id):
        Membership.objects.create(person=person, role=Role.VIEWER)
    client = signed_in(person)

    def ask() -> None:
        assert client.get(f"/shared-with-us/{grant_id}/").status_code == 200

    taken = kit.time_each({"read": ask}, rounds=rounds)["read"]
    return {"median ms": round(kit.median(taken), 1), "p10 ms": round(kit.quantile(taken, 0.1), 1)}


def run_oracle(state: Path, operations: int, seed: int) -> dict[str, Any]:
    """The model, with one act in a hundred over HTTP."""
    from portal.embedded import Role, postgres_address
    from tests.sharing.model import World

    world = World(seed, postgres_address(state).dsn(Role.SUPERUSER), http=0.01)
    started = time.perf_counter()
    done = world.run(operations)
    world.close()
    return {"seed": seed, "seconds": round(time.perf_counter() - started), **done}


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    from accounts.services import create_person

    tenant_id, person = downstream(), create_person(email="a@bench.example", name="Ada", password=uuid4().hex)
    partners = [partner(tenant_id) for _ in range(arguments.grants)]
    rows = grow(tenant_id, partners, person, "few", few_scopes)
    rows += grow(tenant_id, partners, person, "each its own", own_scope)
    last = grant(tenant_id, partners[0], person, few_scopes(3))
    kit.print_table("publishing", [*rows[0]], [[*row.values()] for row in rows])
    return {"rows": rows, "reading": read(partners[0], last, arguments.rounds)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="250 grants and 500 acts")
    parser.add_argument("--grants", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--operations", type=int, default=2000, help="acts of the oracle; 0 for none")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.grants, arguments.rounds, arguments.operations = 250, 10, 500
    with kit.own_state(redis=True) as state:
        os.environ["DJANGO_ALLOWED_HOSTS"] = "localhost"
        kit.set_up_django()
        figures = measure(arguments) if arguments.grants else {}
        if arguments.operations:
            figures["oracle"] = run_oracle(state, arguments.operations, arguments.seed)
    kit.print_json("sharing", goal_seconds=GOAL_SECONDS, **figures)


if __name__ == "__main__":
    main()
