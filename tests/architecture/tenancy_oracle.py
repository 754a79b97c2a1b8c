"""Operations on tenants' rows, and an oracle that says what each must see and change. For test_tenancy_model."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection, models, transaction
from django.db.models import Count

from accounts.models import Tenant
from accounts.tenancy.models import TenantModel, new_id
from accounts.tenancy.scope import NoTenantError, TenantSwitchError, open_tenant
from tests import conftest
from tests.architecture.tenancy_rows import PARENTS, TABLES, TENANT_MODELS, VALUE, build, refused, sql, word

TENANTS = 3


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


@dataclass
class World:
    """The tenants of one program, and the oracle: what rows there should be."""

    tenants: list[UUID] = field(default_factory=list)
    rows: dict[UUID, Row] = field(default_factory=dict)
    operations: int = 0

    def __post_init__(self) -> None:
        for _ in range(TENANTS):
            tenant = Tenant(
                id=new_id(), name="before", slug=f"t-{secrets.token_hex(8)}", kind="covered_entity"
            )
            with open_tenant(tenant.pk):
                tenant.save(force_insert=True)
            self.tenants.append(tenant.pk)

    def run(self, program: Sequence[Session], *, joined: bool) -> None:
        with transaction.atomic() if joined else nullcontext():
            self._run_sessions(program)
        self.check_everything()

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

    def mine(self, tenant: UUID, model: type[models.Model]) -> dict[UUID, str]:
        return {
            row.id: row.value for row in self.rows.values() if row.tenant == tenant and row.model is model
        }

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
            parents = frozenset(
                getattr(row, each.attname) for each in PARENTS[model] if getattr(row, each.attname)
            )
            self.rows[row.pk] = Row(row.pk, tenant, model, word(getattr(row, VALUE[model])), parents)

    def _note_change(self, tenant: UUID, ids: Sequence[UUID], value: str | None) -> int:
        own = [each for each in ids if each in self.rows and self.rows[each].tenant == tenant]
        changed = {each: replace(self.rows.pop(each), value=value or "") for each in own}
        self.rows |= changed if value is not None else {}
        return len(own)

    # Reading

    def orm_all(self, tenant: UUID, step: Operation) -> None:
        seen = dict(step.model.objects.values_list("pk", VALUE[step.model]))
        assert {key: word(value) for key, value in seen.items()} == self.mine(tenant, step.model)

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
        assert step.model.objects.exclude(pk__in=ids).exists() == bool(
            set(self.mine(tenant, step.model)) - set(ids)
        )

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
        found = sql(" union all ".join(f"select '{table}', id from {table}" for table in TABLES))
        assert {each for _table, each in found} == {
            row.id for row in self.rows.values() if row.tenant == tenant
        }

    def sql_values(self, tenant: UUID, step: Operation) -> None:
        locks = "" if step.model.append_only else "for update"
        rows = sql(f"select id, {VALUE[step.model]}::text from {step.model._meta.db_table} {locks}")
        found = {key: word(value) for key, value in rows}
        assert found == self.mine(tenant, step.model)

    def sql_by_id(self, tenant: UUID, step: Operation) -> None:
        ids = self._any(step)
        found = sql(
            f"with found as materialized (select id from {step.model._meta.db_table} where id = any(%(ids)s)) select * from found",
            ids=ids,
        )
        assert {each for (each,) in found} == set(ids) & set(self.mine(tenant, step.model))

    def sql_by_tenant(self, tenant: UUID, step: Operation) -> None:
        other = self.tenants[step.pick % TENANTS]
        found = sql(
            f"select count(*) from {step.model._meta.db_table} where tenant_id = %(other)s or true",
            other=other,
        )
        assert found == [(len(self.mine(tenant, step.model)),)]

    def sql_join(self, tenant: UUID, step: Operation) -> None:
        for each in PARENTS[step.model]:
            parent = each.related_model._meta.db_table
            found = sql(
                f"select c.id, p.id from {step.model._meta.db_table} c full join {parent} p on p.id = c.{each.column}"
            )
            mine = set(self.mine(tenant, step.model)) | set(self.mine(tenant, each.related_model))
            assert {one for pair in found for one in pair if one} == mine

    def sql_copy(self, tenant: UUID, step: Operation) -> None:
        with (
            connection.cursor() as cursor,
            cursor.cursor.copy(f"copy (select id from {step.model._meta.db_table}) to stdout") as copy,
        ):
            found = {UUID(bytes(line).decode().strip()) for line in copy}
        assert found == set(self.mine(tenant, step.model))

    def tenant_row(self, tenant: UUID, step: Operation) -> None:
        assert [row.pk for row in Tenant.objects.all()] == [tenant]
        assert sql("update accounts_tenant set name = 'after' where id = any(%(ids)s)", ids=self.tenants) == [
            (1,)
        ]
        slug = f"t-{secrets.token_hex(8)}"
        # Without RETURNING, which asks the policy for reading as well.
        copied = (
            "insert into accounts_tenant select (jsonb_populate_record(null::accounts_tenant, to_jsonb(t) ||"
            " jsonb_build_object('id', gen_random_uuid(), 'slug', %(slug)s::text))).* from accounts_tenant t"
            " where id = %(own)s"
        )
        refused(lambda: sql(copied, slug=slug, own=tenant), "a tenant made inside another")

    def create(self, tenant: UUID, step: Operation) -> None:
        row, made = build(step.model, f"w{step.pick}")
        row.save(force_insert=True)
        self._note(tenant, [*made, row])

    def bulk_create(self, tenant: UUID, step: Operation) -> None:
        built = [build(step.model, f"b{step.pick + number}") for number in range(2)]
        rows = [row for row, _made in built]
        step.model.objects.bulk_create(rows)
        self._note(tenant, [*(each for _row, made in built for each in made), *rows])

    def orm_update(self, tenant: UUID, step: Operation) -> None:
        self._change(
            tenant,
            step,
            lambda ids, value: step.model._base_manager.filter(pk__in=ids).update(
                **{VALUE[step.model]: value}
            ),
        )

    def sql_update(self, tenant: UUID, step: Operation) -> None:
        self._change(
            tenant,
            step,
            lambda ids, value: self._sql_update(step.model, "where id = any(%(ids)s)", value, ids),
        )

    def sql_update_all(self, tenant: UUID, step: Operation) -> None:
        """An UPDATE whose WHERE was forgotten."""
        self._change(
            tenant,
            step,
            lambda _ids, value: self._sql_update(step.model, "", value, []),
            ids=list(self.mine(tenant, step.model)),
        )

    def _sql_update(self, model: type[TenantModel], where: str, value: str, ids: list[UUID]) -> int:
        value = f'"{value}"' if isinstance(model._meta.get_field(VALUE[model]), models.JSONField) else value
        statement = f"update {model._meta.db_table} set {VALUE[model]} = %(value)s {where}"
        return int(sql(statement, value=value, ids=ids)[0][0])

    def _change(
        self,
        tenant: UUID,
        step: Operation,
        change: Callable[[list[UUID], str], int],
        ids: list[UUID] | None = None,
    ) -> None:
        ids, value = self._any(step) if ids is None else ids, f"c{step.pick}"
        if step.model.append_only:
            refused(lambda: change(ids, value), f"a change of {step.model.__name__}")
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
            refused(lambda: sql(statement, ids=ids), f"deleting from {table}")
        else:
            assert sql(statement, ids=ids) == [(self._note_change(tenant, ids, None),)]

    # What must be refused

    def insert_for_another(self, tenant: UUID, step: Operation) -> None:
        other = next(each for each in self.tenants if each != tenant)
        row, made = build(step.model, "foreign", tenant_id=other)
        self._note(tenant, made)
        refused(lambda: step.model.objects.bulk_create([row]), f"a {step.model.__name__} of another tenant")
        # Without RETURNING, which asks the policy for reading as well: a copy of an own row with the tenant exchanged.
        table, ids = step.model._meta.db_table, list(self.mine(tenant, step.model))[:1]
        copied = (
            f"insert into {table} select (jsonb_populate_record(null::{table}, to_jsonb(t) ||"
            f" jsonb_build_object('id', gen_random_uuid(), 'tenant_id', %(other)s::uuid))).* from {table} t where id = any(%(ids)s)"
        )
        if ids:
            refused(lambda: sql(copied, other=other, ids=ids), f"a copy in {table} for another tenant")

    def move_to_another(self, tenant: UUID, step: Operation) -> None:
        other = next(each for each in self.tenants if each != tenant)
        ids, table = list(self.mine(tenant, step.model)), step.model._meta.db_table
        if ids:
            refused(
                lambda: sql(
                    f"update {table} set tenant_id = %(other)s where id = any(%(ids)s)", other=other, ids=ids
                ),
                f"moving {table}",
            )

    def truncate(self, tenant: UUID, step: Operation) -> None:
        refused(lambda: sql(f"truncate {step.model._meta.db_table} cascade"), "TRUNCATE")

    # After all

    def outside(self, _tenant: UUID, step: Operation) -> None:
        """With no tenant open there are no rows, and the ORM says that this is a mistake."""
        assert (
            sql(" union all ".join(f"select id from {table}" for table in [*TABLES, "accounts_tenant"])) == []
        )
        with pytest.raises(NoTenantError):
            step.model.objects.count()

    def check_everything(self) -> None:
        """Each tenant's view is the oracle's; and so is the truth, as the superuser sees it."""
        for tenant in self.tenants:
            with open_tenant(tenant):
                self.sql_all(tenant, Operation("sql_all", TENANT_MODELS[0], 0))
        with psycopg.connect(conftest.superuser_dsn(connection.settings_dict["NAME"])) as database:
            parts = [
                f"select id, tenant_id, {VALUE[model]}::text from {table} where tenant_id = any(%(tenants)s)"
                for table, model in TABLES.items()
            ]
            rows = database.execute(" union all ".join(parts), {"tenants": self.tenants}).fetchall()
        assert {(key, tenant, word(value)) for key, tenant, value in rows} == {
            (row.id, row.tenant, row.value) for row in self.rows.values()
        }
