"""Random programs over several tenants see and change exactly the rows that a dictionary in Python says they should.

Hypothesis writes programs: sessions of tenants, with savepoints, failures, attempts to open another tenant inside, and
queries by the ORM and by plain SQL that leave the tenant out. Every tenant table takes part, one written tomorrow too.
By default some thousands of operations run; `TENANCY_MODEL_EXAMPLES=4000` in the environment makes it hundreds of
thousands (about an hour). The policies themselves are then dropped and widened, one at a time, in a clone of the
database: the model and the test of the schema must both fail for each.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
import pytest
from django.db import DatabaseError, connection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.tenancy.models import TenantModel
from accounts.tenancy.rls import CURRENT_TENANT, FENCED_ROLES, ROLES
from tests import conftest
from tests.architecture import test_tenancy as schema
from tests.architecture.tenancy_oracle import TENANTS, Block, Operation, Session, World
from tests.architecture.tenancy_rows import PARENTS, TABLES, TENANT_MODELS

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = int(os.environ.get("TENANCY_MODEL_EXAMPLES", "30"))
LEAST_OPERATIONS = 1000

READS = ["orm_all", "orm_base_manager", "orm_get", "orm_filter", "orm_in_bulk", "orm_exclude_exists", "orm_aggregate", "orm_union", "orm_join", "orm_raw",
         "sql_all", "sql_values", "sql_by_id", "sql_by_tenant", "sql_join",  "sql_copy"]  # fmt: skip
WRITES = [
    "create",
    "bulk_create",
    "create",
    "orm_update",
    "sql_update",
    "sql_update_all",
    "save",
    "orm_delete",
    "sql_delete",
]
OF_THE_TENANT = ["tenant_row"]
FORBIDDEN = ["insert_for_another", "move_to_another", "truncate"]
ANYTHING = [*READS, *WRITES, *WRITES, *FORBIDDEN, *OF_THE_TENANT]
PROBING = ["create", "create", *READS, "sql_update", "sql_delete", *FORBIDDEN]
"""Few reads and writes of each kind: enough to fall into a hole soon."""


def _programs(
    among: Sequence[type[TenantModel]], size: int, kinds: Sequence[str]
) -> st.SearchStrategy[tuple[list[Session], bool]]:
    operations = st.builds(
        Operation, st.sampled_from(list(kinds)), st.sampled_from(list(among)), st.integers(0, 999)
    )
    steps = st.recursive(
        operations,
        lambda inner: st.builds(
            Block, st.sampled_from(["savepoint", "same", "other"]), st.lists(inner, max_size=4), st.booleans()
        ),
        max_leaves=6,
    )
    sessions = st.builds(
        Session,
        st.integers(0, TENANTS - 1),
        st.lists(steps, min_size=1, max_size=size),
        st.sampled_from([False, False, False, True]),
    )
    return st.tuples(st.lists(sessions, min_size=3, max_size=6), st.booleans())


def run_model(
    among: Sequence[type[TenantModel]],
    *,
    examples: int,
    size: int = 14,
    kinds: Sequence[str] = ANYTHING,
    phases: Sequence[Phase] = (Phase.generate, Phase.shrink),
) -> int:
    """Runs programs over some models and says how many operations that were. Raises AssertionError where a row differs."""
    operations = 0

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(_programs(among, size, kinds))
    def check(given_: tuple[list[Session], bool]) -> None:
        nonlocal operations
        world = World()
        program, joined = given_
        world.run(program, joined=joined)
        operations += world.operations

    check()
    return operations


def test_random_programs_see_and_change_the_rows_of_their_tenant_and_no_other():
    assert run_model(TENANT_MODELS, examples=EXAMPLES) >= min(LEAST_OPERATIONS, EXAMPLES * 10)


# The fence is taken down on purpose

MINE = "{column} = " + CURRENT_TENANT
FENCE = f"create policy tenant_isolation on {{table}} as {{kind}} for {{command}} to {ROLES} using ({MINE})"
MUTATIONS = {
    "the tenant's policy is dropped": "drop policy tenant_isolation on {table}",
    "everything is visible": "alter policy tenant_isolation on {table} using (true)",
    "everything may be written": "alter policy tenant_isolation on {table} with check (true)",
    "all is open while no tenant is": f"alter policy tenant_isolation on {{table}} using ({MINE} or {CURRENT_TENANT} is null)",
    "the policy adds instead of narrowing": f"drop policy tenant_isolation on {{table}}; {FENCE.replace('{kind}', 'permissive').replace('{command}', 'all')}",
    "the policy holds for reading alone": f"drop policy tenant_isolation on {{table}}; {FENCE.replace('{kind}', 'restrictive').replace('{command}', 'select')}",
    "row-level security is off": "alter table {table} disable row level security",
    "the serving roles are shut out": "drop policy serving_roles on {table}",
}
UNSEEN_BY_THE_APPLICATION = {
    "the owner is not held": "alter table {table} no force row level security",
    "the worker was forgotten": "alter policy tenant_isolation on {table} to portal_app",
    "a second way in": "create policy way_in on {table} for select to portal_app using (true)",
}
"""What only the schema shows: portal_app is not the owner, nor the worker; the restrictive policy still narrows."""

SHARED = f"alter policy shared_{{}} on {{table}} {{}} ({CURRENT_TENANT} is not null)"
SHARED_MUTATIONS = {
    "what is withdrawn is shown": f"alter policy shared_read on {{table}} using ({MINE} or viewer_id = {CURRENT_TENANT})",
    "all is shown": SHARED.format("read", "using", table="{table}"),
    "all may be written": SHARED.format("insert", "with check", table="{table}"),
    "all may be changed": SHARED.format("update", "using", table="{table}"),
    "all may be taken over": SHARED.format("update", "with check", table="{table}"),
    "all may be deleted": SHARED.format("delete", "using", table="{table}"),
    **{f"shared_{each} is dropped": f"drop policy shared_{each} on {{table}}" for each in ("read", "insert", "update", "delete")},
    "a second way in": UNSEEN_BY_THE_APPLICATION["a second way in"],
    "row-level security is off": MUTATIONS["row-level security is off"],
}  # fmt: skip
"""Of tables that another tenant reads; tests/architecture/test_shared_rows.py has what each policy lets through."""

_RESTORE = (
    "drop policy if exists way_in on {table}; drop policy if exists tenant_isolation on {table}; drop policy if exists serving_roles on {table};"
    " alter table {table} enable row level security; alter table {table} force row level security;"
    f" create policy serving_roles on {{table}} for all to {ROLES} using (true) with check (true);"
    f" create policy tenant_isolation on {{table}} as restrictive for all to {{fenced}} using ({MINE}) with check ({MINE})"
)


@pytest.fixture(scope="module")
def clone(django_db_setup) -> Iterator[str]:
    """A database of its own, as migrated."""
    name = f"surety_mutant_{os.getpid()}"
    with conftest._Locked("template"):
        conftest._recreate(name, conftest.TEMPLATE)
    yield name
    with psycopg.connect(conftest.superuser_dsn(), autocommit=True) as database:
        database.execute(f"drop database {name} with (force)")


@contextmanager
def _connected_to(name: str) -> Iterator[None]:
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _model_finds_nothing(table: str, examples: int) -> bool:
    among, kinds = ([TABLES[table]], PROBING) if table in TABLES else (TENANT_MODELS[:1], OF_THE_TENANT)
    try:
        run_model(among, examples=examples, size=8, kinds=kinds, phases=(Phase.generate,))
    except (AssertionError, DatabaseError):
        return False
    return True


MODELLED = {"accounts_tenant", "accounts_membership"} | {
    next(
        table for table, model in sorted(TABLES.items()) if (model.append_only, bool(PARENTS[model])) == shape
    )
    for shape in itertools.product((True, False), repeat=2)
}
"""One table of each shape: its holes are shown to the model too. Those of the others have the same statements."""


@pytest.mark.parametrize("table", sorted({*TABLES, "accounts_tenant"} - schema.SHARED))
def test_every_hole_in_the_fence_of_this_table_is_found(table, clone):
    words = {
        "table": table,
        "column": "id" if table == "accounts_tenant" else "tenant_id",
        "fenced": FENCED_ROLES if table in schema.SEALER_MAY else ROLES,
    }
    modelled = table in MODELLED or EXAMPLES > 1000
    missed = []
    with psycopg.connect(conftest.superuser_dsn(clone), autocommit=True) as database, _connected_to(clone):
        schema.test_the_table_is_fenced(database, table)
        for name, mutation in {**MUTATIONS, **UNSEEN_BY_THE_APPLICATION}.items():
            database.execute(mutation.format(**words))
            with pytest.raises((AssertionError, KeyError)):
                schema.test_the_table_is_fenced(database, table)
            if modelled and name in MUTATIONS and _model_finds_nothing(table, 40):
                missed.append(name)
            database.execute(_RESTORE.format(**words))
        schema.test_the_table_is_fenced(database, table)
        assert not modelled or _model_finds_nothing(table, 4), "the model fails on the restored fence too"
    assert missed == []


@pytest.mark.parametrize("table", sorted(schema.SHARED))
@pytest.mark.parametrize("mutation", SHARED_MUTATIONS)
def test_every_hole_in_the_fence_of_a_shared_table_is_found(table, mutation, clone):
    with psycopg.connect(conftest.superuser_dsn(clone)) as database:
        schema.test_the_table_is_fenced(database, table)
        database.execute(SHARED_MUTATIONS[mutation].format(table=table, column="tenant_id"))
        with pytest.raises((AssertionError, KeyError)):
            schema.test_the_table_is_fenced(database, table)
        database.rollback()
