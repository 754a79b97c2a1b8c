"""Random programs over several tenants see and change exactly the rows that a dictionary in Python says they should.

Hypothesis writes programs: sessions of tenants, with savepoints, failures, attempts to open another tenant inside, and
queries by the ORM and by plain SQL that leave the tenant out. Every tenant table takes part, one written tomorrow too.
By default some thousands of operations run; `TENANCY_MODEL_EXAMPLES=4000` in the environment makes it hundreds of
thousands (about an hour). The policies themselves are then dropped and widened, one at a time, in a clone of the
database: the model and the test of the schema must both fail for each.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.contrib.postgres.fields import ArrayField
from django.db import DatabaseError, connection, models, transaction
from django.db.models import Count
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.models import Tenant
from accounts.tenancy.models import TenantForeignKey, TenantModel, new_id
from accounts.tenancy.rls import CURRENT_TENANT, ROLES, ImmutableColumns
from accounts.tenancy.scope import NoTenantError, TenantSwitchError, open_tenant
from tests import conftest
from tests.architecture import test_tenancy as schema
from tests.architecture.everything import TENANT_MODELS
from tests.factories import make_person

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = int(os.environ.get("TENANCY_MODEL_EXAMPLES", "60"))
LEAST_OPERATIONS = 2000
TENANTS = 3
TABLES = {model._meta.db_table: model for model in TENANT_MODELS}


def _value_field(model: type[models.Model]) -> models.Field:
    """A field that may hold any word and takes part in no constraint: what operations read and change."""
    bound = {name for constraint in model._meta.constraints for name in getattr(constraint, "fields", ())}
    bound |= {name for constraint in model._meta.constraints if isinstance(constraint, ImmutableColumns) for name in constraint.columns}
    words = [each for each in model._meta.concrete_fields if isinstance(each, models.CharField | models.TextField) and each.name not in bound]
    return words[0] if words else next(each for each in model._meta.concrete_fields if isinstance(each, models.JSONField))


VALUE = {model: _value_field(model).name for model in TENANT_MODELS}
PARENTS = {model: [each for each in model._meta.concrete_fields if isinstance(each, TenantForeignKey)] for model in TENANT_MODELS}


@dataclass(frozen=True)
class Row:
    """A row as the oracle knows it."""

    id: UUID
    tenant: UUID
    model: type[TenantModel]
    value: str
    parents: frozenset[UUID]


@dataclass(frozen=True)
class Operation:
    """One thing that a program does; `pick` chooses rows and words."""

    kind: str
    model: type[TenantModel]
    pick: int


@dataclass(frozen=True)
class Block:
    """Operations in a savepoint (kind "savepoint"), in the same tenant opened again ("same"), in another ("other")."""

    kind: str
    body: Sequence[Any]
    fails: bool


@dataclass(frozen=True)
class Session:
    """Operations of one tenant; `joined` sessions follow each other in one transaction."""

    tenant: int
    body: Sequence[Any]
    fails: bool


class Undo(Exception):
    """Ends a block or a session, which must leave no trace."""


def _sample(of: models.Field) -> Any:
    samples: list[tuple[type, Any]] = [
        (models.GenericIPAddressField, "192.0.2.1"), (models.CharField, secrets.token_hex(16)), (models.TextField, "text"),
        (models.DateTimeField, timezone.now()), (models.BinaryField, secrets.token_bytes(8)), (models.BooleanField, True),
        (models.IntegerField, 1), (models.FloatField, 1.0), (models.JSONField, {}), (ArrayField, []), (models.UUIDField, new_id()),
    ]  # fmt: skip
    value = next(value for kind, value in samples if isinstance(of, kind))
    return value[: of.max_length] if isinstance(value, str) else value


def _build(model: type[TenantModel], value: str, **fixed: Any) -> tuple[TenantModel, list[TenantModel]]:
    """An unsaved row with rows made for all that it refers to."""
    fields, made = dict(fixed), []
    for each in model._meta.concrete_fields:
        if each.primary_key or each.name in {"tenant", *fixed} or each.has_default() or each.null or getattr(each, "auto_now_add", False) or each.has_db_default():
            continue
        if isinstance(each, TenantForeignKey):
            parent, older = _build(each.related_model, f"p{value}")
            parent.save(force_insert=True)
            made += [*older, parent]
            fields[each.name] = parent
        else:
            fields[each.name] = make_person() if isinstance(each, models.ForeignKey) else _sample(each)
    return model(**{**fields, VALUE[model]: value}), made


def _sql(statement: str, **arguments: Any) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        return cursor.fetchall() if cursor.description else [(cursor.rowcount,)]


def _refused(act: Callable[[], object], what: str) -> None:
    try:
        with transaction.atomic():
            act()
    except DatabaseError:
        return
    raise AssertionError(f"{what} was accepted")


def _word(value: Any) -> str:
    return str(value).strip('"')


@dataclass
class World:
    """The tenants of one program, and the oracle: what rows there should be."""

    tenants: list[UUID] = field(default_factory=list)
    rows: dict[UUID, Row] = field(default_factory=dict)
    operations: int = 0

    def __post_init__(self) -> None:
        for _ in range(TENANTS):
            tenant = Tenant(id=new_id(), name="before", slug=f"t-{secrets.token_hex(8)}", kind="covered_entity")
            with open_tenant(tenant.pk):
                tenant.save(force_insert=True)
            self.tenants.append(tenant.pk)

    def run(self, program: Sequence[Session], *, joined: bool) -> None:
        before = dict(self.rows)
        if joined:
            with transaction.atomic():
                self._run_sessions(program)
        else:
            self._run_sessions(program)
        self.check_everything()
        assert all(row == self.rows.get(row.id, row) or row.tenant in self.tenants for row in before.values())

    def _run_sessions(self, program: Sequence[Session]) -> None:
        for session in program:
            tenant, before = self.tenants[session.tenant], dict(self.rows)
            try:
                with open_tenant(tenant):
                    self._run(tenant, session.body)
                    if session.fails:
                        raise Undo  # noqa: TRY301 (the block is what fails)
            except Undo:
                self.rows = before
            self.outside(tenant, Operation("outside", TENANT_MODELS[0], 0))

    def _run(self, tenant: UUID, body: Sequence[Any]) -> None:
        for step in body:
            if isinstance(step, Block):
                self._run_block(tenant, step)
            else:
                getattr(self, step.kind)(tenant, step)
                self.operations += 1

    def _run_block(self, tenant: UUID, block: Block) -> None:
        if block.kind == "other":
            other = next(each for each in self.tenants if each != tenant)
            with pytest.raises(TenantSwitchError), open_tenant(other):
                raise AssertionError("another tenant was opened inside")
        before = dict(self.rows)
        try:
            with open_tenant(tenant) if block.kind == "same" else transaction.atomic():
                self._run(tenant, block.body)
                if block.fails:
                    raise Undo  # noqa: TRY301 (the block is what fails)
        except Undo:
            self.rows = before
        self.sql_all(tenant, Operation("sql_all", TENANT_MODELS[0], 0))

    # What the oracle says

    def mine(self, tenant: UUID, model: type[TenantModel]) -> dict[UUID, str]:
        return {row.id: row.value for row in self.rows.values() if row.tenant == tenant and row.model is model}

    def _any(self, step: Operation) -> list[UUID]:
        """Some rows of the model, of whatever tenants; never none: an id that nobody has is one as well."""
        ids = [row.id for row in self.rows.values() if row.model is step.model]
        start = step.pick % len(ids) if ids else 0
        return [*ids[start : start + 4], new_id()]

    def _changeable(self, tenant: UUID, step: Operation, *, leaves: bool = False) -> list[UUID]:
        """Some rows of the model, without the own ones that others refer to where those shall be deleted."""
        kept = {parent for row in self.rows.values() for parent in row.parents} if leaves else set()
        return [each for each in self._any(step) if each not in kept or self.rows[each].tenant != tenant]

    def _note(self, tenant: UUID, made: Sequence[TenantModel]) -> None:
        for row in made:
            model = type(row)
            parents = frozenset(getattr(row, each.attname) for each in PARENTS[model] if getattr(row, each.attname))
            self.rows[row.pk] = Row(row.pk, tenant, model, _word(getattr(row, VALUE[model])), parents)

    def _note_change(self, tenant: UUID, ids: Sequence[UUID], value: str | None) -> int:
        own = [each for each in ids if each in self.rows and self.rows[each].tenant == tenant]
        for each in own:
            if value is None:
                del self.rows[each]
            else:
                self.rows[each] = replace(self.rows[each], value=value)
        return len(own)

    # Reading

    def orm_all(self, tenant: UUID, step: Operation) -> None:
        seen = dict(step.model.objects.values_list("pk", VALUE[step.model]))
        assert {key: _word(value) for key, value in seen.items()} == self.mine(tenant, step.model)

    def orm_base_manager(self, tenant: UUID, step: Operation) -> None:
        assert {row.pk for row in step.model._base_manager.all()} == set(self.mine(tenant, step.model))

    def orm_get(self, tenant: UUID, step: Operation) -> None:
        wanted = self._any(step)[0]
        try:
            found = step.model.objects.get(pk=wanted).pk
        except step.model.DoesNotExist:
            found = None
        assert (found is not None) == (wanted in self.mine(tenant, step.model))

    def orm_filter(self, tenant: UUID, step: Operation) -> None:
        mine, ids = self.mine(tenant, step.model), self._any(step)
        words = [self.rows[each].value for each in ids if each in self.rows]
        found = step.model.objects.filter(**{f"{VALUE[step.model]}__in": words}).order_by("-pk")
        assert {row.pk for row in found} == {key for key, value in mine.items() if value in words}

    def orm_in_bulk(self, tenant: UUID, step: Operation) -> None:
        ids = self._any(step)
        assert set(step.model.objects.in_bulk(ids)) == set(ids) & set(self.mine(tenant, step.model))

    def orm_exclude_exists(self, tenant: UUID, step: Operation) -> None:
        ids = self._any(step)
        assert step.model.objects.exclude(pk__in=ids).exists() == bool(set(self.mine(tenant, step.model)) - set(ids))

    def orm_aggregate(self, tenant: UUID, step: Operation) -> None:
        said = step.model.objects.aggregate(n=Count("pk"), tenants=Count("tenant", distinct=True))
        mine = self.mine(tenant, step.model)
        assert said == {"n": len(mine), "tenants": min(1, len(mine))}

    def orm_union(self, tenant: UUID, step: Operation) -> None:
        rows = step.model.objects.values_list("pk", flat=True)
        assert set(rows.union(rows.filter(pk__in=self._any(step)))) == set(self.mine(tenant, step.model))

    def orm_join(self, tenant: UUID, step: Operation) -> None:
        for each in PARENTS[step.model]:
            ids = [row.id for row in self.rows.values() if row.model is each.related_model]
            found = step.model.objects.select_related(each.name).filter(**{f"{each.name}__in": ids})
            expected = {key for key in self.mine(tenant, step.model) if self.rows[key].parents & set(ids)}
            if not each.null:
                assert {row.pk for row in found} == expected

    def orm_raw(self, tenant: UUID, step: Operation) -> None:
        found = step.model.objects.raw(f"select * from {step.model._meta.db_table}")
        assert {row.pk for row in found} == set(self.mine(tenant, step.model))

    def sql_all(self, tenant: UUID, step: Operation) -> None:
        """Every tenant table at once, with no word of the tenant."""
        found = _sql(" union all ".join(f"select '{table}', id from {table}" for table in TABLES))
        assert {each for _table, each in found} == {row.id for row in self.rows.values() if row.tenant == tenant}

    def sql_values(self, tenant: UUID, step: Operation) -> None:
        column = VALUE[step.model]
        found = {key: _word(value) for key, value in _sql(f"select id, {column}::text from {step.model._meta.db_table} for update")} if not step.model.append_only else dict(self.mine(tenant, step.model))
        assert found == self.mine(tenant, step.model)

    def sql_by_id(self, tenant: UUID, step: Operation) -> None:
        ids = self._any(step)
        found = _sql(f"with found as materialized (select id from {step.model._meta.db_table} where id = any(%(ids)s)) select * from found", ids=ids)
        assert {each for (each,) in found} == set(ids) & set(self.mine(tenant, step.model))

    def sql_by_tenant(self, tenant: UUID, step: Operation) -> None:
        other = self.tenants[step.pick % TENANTS]
        found = _sql(f"select count(*) from {step.model._meta.db_table} where tenant_id = %(other)s or true", other=other)
        assert found == [(len(self.mine(tenant, step.model)),)]

    def sql_join(self, tenant: UUID, step: Operation) -> None:
        for each in PARENTS[step.model]:
            parent = each.related_model._meta.db_table
            found = _sql(f"select c.id, p.id from {step.model._meta.db_table} c full join {parent} p on p.id = c.{each.column}")
            mine = set(self.mine(tenant, step.model)) | set(self.mine(tenant, each.related_model))
            assert {one for pair in found for one in pair if one} == mine

    def sql_lateral(self, tenant: UUID, step: Operation) -> None:
        table = step.model._meta.db_table
        found = _sql(f"select x.id from unnest(%(ids)s) given(id) cross join lateral (select id from {table} t where t.id = given.id) x", ids=self._any(step))
        assert {each for (each,) in found} <= set(self.mine(tenant, step.model))

    def sql_copy(self, tenant: UUID, step: Operation) -> None:
        with connection.cursor() as cursor, cursor.cursor.copy(f"copy (select id from {step.model._meta.db_table}) to stdout") as copy:
            found = {UUID(bytes(line).decode().strip()) for line in copy}
        assert found == set(self.mine(tenant, step.model))

    def tenant_row(self, tenant: UUID, step: Operation) -> None:
        assert [row.pk for row in Tenant.objects.all()] == [tenant]
        assert _sql("update accounts_tenant set name = 'after' where id = any(%(ids)s)", ids=self.tenants) == [(1,)]
        slug = f"t-{secrets.token_hex(8)}"
        stranger = Tenant(id=new_id(), name="x", slug=slug, kind="covered_entity")
        _refused(lambda: stranger.save(force_insert=True), "a tenant made inside another")

    # Writing

    def create(self, tenant: UUID, step: Operation) -> None:
        row, made = _build(step.model, f"w{step.pick}")
        row.save(force_insert=True)
        self._note(tenant, [*made, row])

    def bulk_create(self, tenant: UUID, step: Operation) -> None:
        built = [_build(step.model, f"b{step.pick + number}") for number in range(2)]
        rows = [row for row, _made in built]
        step.model.objects.bulk_create(rows)
        self._note(tenant, [*(each for _row, made in built for each in made), *rows])

    def orm_update(self, tenant: UUID, step: Operation) -> None:
        self._change(tenant, step, lambda ids, value: step.model._base_manager.filter(pk__in=ids).update(**{VALUE[step.model]: value}))

    def sql_update(self, tenant: UUID, step: Operation) -> None:
        self._change(tenant, step, lambda ids, value: self._sql_update(step.model, "where id = any(%(ids)s)", value, ids))

    def sql_update_all(self, tenant: UUID, step: Operation) -> None:
        """An UPDATE whose WHERE was forgotten."""
        self._change(tenant, step, lambda _ids, value: self._sql_update(step.model, "", value, []), ids=list(self.mine(tenant, step.model)))

    def _sql_update(self, model: type[TenantModel], where: str, value: str, ids: list[UUID]) -> int:
        value = f'"{value}"' if isinstance(model._meta.get_field(VALUE[model]), models.JSONField) else value
        return _sql(f"update {model._meta.db_table} set {VALUE[model]} = %(value)s {where}", value=value, ids=ids)[0][0]

    def _change(self, tenant: UUID, step: Operation, change: Callable[[list[UUID], str], int], ids: list[UUID] | None = None) -> None:
        ids, value = self._any(step) if ids is None else ids, f"c{step.pick}"
        if step.model.append_only:
            _refused(lambda: change(ids, value), f"a change of {step.model.__name__}")
        else:
            assert change(ids, value) == self._note_change(tenant, ids, value)

    def save(self, tenant: UUID, step: Operation) -> None:
        row = step.model.objects.order_by("pk").first()
        if row and not step.model.append_only:
            setattr(row, VALUE[step.model], f"s{step.pick}")
            row.save(update_fields=[VALUE[step.model]])
            self._note_change(tenant, [row.pk], f"s{step.pick}")

    def orm_delete(self, tenant: UUID, step: Operation) -> None:
        if not step.model.append_only:
            ids = self._changeable(tenant, step, leaves=True)
            step.model._base_manager.filter(pk__in=ids).delete()
            self._note_change(tenant, ids, None)

    def sql_delete(self, tenant: UUID, step: Operation) -> None:
        ids, table = self._changeable(tenant, step, leaves=True), step.model._meta.db_table
        statement = f"delete from {table} where id = any(%(ids)s)"
        if step.model.append_only:
            _refused(lambda: _sql(statement, ids=ids), f"deleting from {table}")
        else:
            assert _sql(statement, ids=ids) == [(self._note_change(tenant, ids, None),)]

    # What must be refused

    def insert_for_another(self, tenant: UUID, step: Operation) -> None:
        other = next(each for each in self.tenants if each != tenant)
        row, made = _build(step.model, "foreign", tenant_id=other)
        self._note(tenant, made)
        _refused(lambda: step.model.objects.bulk_create([row]), f"a {step.model.__name__} of another tenant")
        # Without RETURNING, which asks the policy for reading as well: a copy of an own row with the tenant exchanged.
        table, ids = step.model._meta.db_table, list(self.mine(tenant, step.model))[:1]
        copied = (
            f"insert into {table} select (jsonb_populate_record(null::{table}, to_jsonb(t) ||"
            f" jsonb_build_object('id', gen_random_uuid(), 'tenant_id', %(other)s::uuid))).* from {table} t where id = any(%(ids)s)"
        )
        if ids:
            _refused(lambda: _sql(copied, other=other, ids=ids), f"a copy in {table} for another tenant")

    def move_to_another(self, tenant: UUID, step: Operation) -> None:
        other = next(each for each in self.tenants if each != tenant)
        ids, table = list(self.mine(tenant, step.model)), step.model._meta.db_table
        if ids:
            _refused(lambda: _sql(f"update {table} set tenant_id = %(other)s where id = any(%(ids)s)", other=other, ids=ids), f"moving {table}")

    def truncate(self, tenant: UUID, step: Operation) -> None:
        _refused(lambda: _sql(f"truncate {step.model._meta.db_table} cascade"), "TRUNCATE")

    # After all

    def outside(self, _tenant: UUID, step: Operation) -> None:
        """With no tenant open there are no rows, and the ORM says that this is a mistake."""
        assert _sql(" union all ".join(f"select id from {table}" for table in [*TABLES, "accounts_tenant"])) == []
        with pytest.raises(NoTenantError):
            step.model.objects.count()

    def check_everything(self) -> None:
        """Each tenant's view is the oracle's; and so is the truth, as the superuser sees it."""
        for tenant in self.tenants:
            with open_tenant(tenant):
                self.sql_all(tenant, Operation("sql_all", TENANT_MODELS[0], 0))
        with psycopg.connect(conftest.superuser_dsn(connection.settings_dict["NAME"])) as database:
            parts = [f"select id, tenant_id, {VALUE[model]}::text from {table} where tenant_id = any(%(tenants)s)" for table, model in TABLES.items()]
            rows = database.execute(" union all ".join(parts), {"tenants": self.tenants}).fetchall()
        assert {(key, tenant, _word(value)) for key, tenant, value in rows} == {(row.id, row.tenant, row.value) for row in self.rows.values()}


READS = ["orm_all", "orm_base_manager", "orm_get", "orm_filter", "orm_in_bulk", "orm_exclude_exists", "orm_aggregate", "orm_union", "orm_join", "orm_raw",
         "sql_all", "sql_values", "sql_by_id", "sql_by_tenant", "sql_join", "sql_lateral", "sql_copy"]  # fmt: skip
WRITES = ["create", "bulk_create", "create", "orm_update", "sql_update", "sql_update_all", "save", "orm_delete", "sql_delete"]
OF_THE_TENANT = ["tenant_row"]
FORBIDDEN = ["insert_for_another", "move_to_another", "truncate"]
ANYTHING = [*READS, *WRITES, *WRITES, *FORBIDDEN, *OF_THE_TENANT]
PROBING = ["create", "create", *READS, "sql_update", "sql_delete", *FORBIDDEN]
"""Few reads and writes of each kind: enough to fall into a hole soon."""


def _programs(among: Sequence[type[TenantModel]], size: int, kinds: Sequence[str]) -> st.SearchStrategy[tuple[list[Session], bool]]:
    operations = st.builds(Operation, st.sampled_from(list(kinds)), st.sampled_from(list(among)), st.integers(0, 999))
    steps = st.recursive(
        operations,
        lambda inner: st.builds(Block, st.sampled_from(["savepoint", "same", "other"]), st.lists(inner, max_size=4), st.booleans()),
        max_leaves=6,
    )
    sessions = st.builds(Session, st.integers(0, TENANTS - 1), st.lists(steps, min_size=1, max_size=size), st.sampled_from([False, False, False, True]))
    return st.tuples(st.lists(sessions, min_size=3, max_size=6), st.booleans())


def run_model(among: Sequence[type[TenantModel]], *, examples: int, size: int = 14, kinds: Sequence[str] = ANYTHING, phases: Sequence[Phase] = (Phase.generate, Phase.shrink)) -> int:
    """Runs programs over some models and says how many operations that were. Raises AssertionError where a row differs."""
    operations = 0

    @settings(max_examples=examples, deadline=None, database=None, phases=phases, report_multiple_bugs=False, suppress_health_check=list(HealthCheck))
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

_RESTORE = (
    "drop policy if exists way_in on {table}; drop policy if exists tenant_isolation on {table}; drop policy if exists serving_roles on {table};"
    " alter table {table} enable row level security; alter table {table} force row level security;"
    f" create policy serving_roles on {{table}} for all to {ROLES} using (true) with check (true);"
    f" create policy tenant_isolation on {{table}} as restrictive for all to {ROLES} using ({MINE}) with check ({MINE})"
)


@pytest.fixture(scope="module")
def clone(django_db_setup) -> Iterator[str]:
    """A database of its own, as migrated."""
    name = f"surety_mutant_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with conftest._locked("template"):
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


@pytest.mark.parametrize("table", sorted([*TABLES, "accounts_tenant"]))
def test_every_hole_in_the_fence_of_this_table_is_found(table, clone):
    words = {"table": table, "column": "id" if table == "accounts_tenant" else "tenant_id"}
    missed = []
    with psycopg.connect(conftest.superuser_dsn(clone), autocommit=True) as database, _connected_to(clone):
        schema.test_the_table_is_fenced(database, table)
        for name, mutation in {**MUTATIONS, **UNSEEN_BY_THE_APPLICATION}.items():
            database.execute(mutation.format(**words))
            with pytest.raises((AssertionError, KeyError)):
                schema.test_the_table_is_fenced(database, table)
            if name in MUTATIONS and _model_finds_nothing(table, 40):
                missed.append(name)
            database.execute(_RESTORE.format(**words))
        schema.test_the_table_is_fenced(database, table)
        assert _model_finds_nothing(table, 4), "the model fails on the restored fence too"
    assert missed == []
