"""Constraints that Django's own don't offer: row-level security, composite references, append-only tables.

They live in `Meta.constraints`, so that makemigrations sees them; each carries an `edition`, whose change makes
a migration. Django folds a constraint into CREATE TABLE through `constraint_sql`; what must follow the table is
put on the schema editor's deferred statements there.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.constraints import BaseConstraint

ROLES = "portal_app, portal_worker, portal_sealer, portal_auditor"
"""The database roles that serve tenants. None of them owns a table or may bypass row-level security."""

FENCED_ROLES = "portal_app, portal_worker, portal_auditor"
"""Those of them that see one tenant alone in the audit log's tables too, where the sealer sees all."""

CURRENT_TENANT = "(select nullif(current_setting('portal.tenant', true), '')::uuid)"
"""The open tenant in SQL. As a scalar subquery it is evaluated once and serves as an index condition."""


_REFUSE_CHANGE = (
    "CREATE OR REPLACE FUNCTION portal_refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'this of % never changes', TG_TABLE_NAME USING ERRCODE = '42501'; END $$"
)


class _TableConstraint(BaseConstraint):
    """A constraint made of statements about a table, undone by others."""

    edition = 1

    def __init__(self, *, name: str, edition: int = 1, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.edition = edition

    def statements(self, model: type[models.Model], table: str) -> list[str]:
        raise NotImplementedError

    def undo(self, model: type[models.Model], table: str) -> list[str]:
        raise NotImplementedError

    def constraint_sql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> None:  # type: ignore[override] # Django calls it with both, and takes None for "deferred"
        schema_editor.deferred_sql.extend(
            self.statements(model, schema_editor.quote_name(model._meta.db_table))
        )

    def create_sql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> str:  # type: ignore[override] # as above
        return ";\n".join(self.statements(model, schema_editor.quote_name(model._meta.db_table)))

    def remove_sql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> str:  # type: ignore[override] # as above
        return ";\n".join(self.undo(model, schema_editor.quote_name(model._meta.db_table)))

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """The database alone judges."""

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, tuple(args), {**kwargs, "edition": self.edition}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _TableConstraint) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash((type(self), self.name))


class RowLevelSecurity(_TableConstraint):
    """Rows are visible and writable only while their tenant is open.

    The tenant's policy is restrictive (it can only narrow); one permissive policy lets the serving roles in.
    `column` holds the tenant's id. With `sealer_sees` the audit log's sealer is let in to all tenants' rows.
    """

    def __init__(
        self,
        *,
        name: str,
        column: str = "tenant_id",
        sealer_sees: bool = False,
        edition: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, edition=edition, **kwargs)
        self.column, self.sealer_sees = column, sealer_sees

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return (
            path,
            args,
            {**kwargs, "column": self.column, **({"sealer_sees": True} if self.sealer_sees else {})},
        )

    def statements(self, model: type[models.Model], table: str) -> list[str]:
        mine = f"{self.column} = {CURRENT_TENANT}"
        fenced = FENCED_ROLES if self.sealer_sees else ROLES
        return [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY serving_roles ON {table} AS PERMISSIVE FOR ALL TO {ROLES}"
            " USING (true) WITH CHECK (true)",
            f"CREATE POLICY tenant_isolation ON {table} AS RESTRICTIVE FOR ALL TO {fenced}"
            f" USING ({mine}) WITH CHECK ({mine})",
            # A table that has no tenant is nothing for an auditor, so that no default lets their role in.
            f"GRANT SELECT ON {table} TO portal_auditor",
        ]

    def undo(self, model: type[models.Model], table: str) -> list[str]:
        # Row-level security stays on: without a policy the table is closed, not open.
        return [f"DROP POLICY tenant_isolation ON {table}", f"DROP POLICY serving_roles ON {table}"]


def withdrawn_for_good(table: str) -> list[str]:
    """Statements by which a withdrawn row of a table stays withdrawn; they may be run again."""
    return [
        _REFUSE_CHANGE,
        f"CREATE OR REPLACE TRIGGER withdrawn_for_good BEFORE UPDATE ON {table} FOR EACH ROW"
        " WHEN (OLD.withdrawn_at IS NOT NULL AND NEW.withdrawn_at IS NULL) EXECUTE FUNCTION portal_refuse_change()",
    ]


class SharedRowSecurity(_TableConstraint):
    """Rows are their tenant's as under RowLevelSecurity; one other tenant, the viewer, reads each while it is shown.

    A row is shown from `shown_from` to before `shown_until` (NULL: without end) and until it is withdrawn, which is
    for good: a trigger refuses to show it again, whoever asks. Commands have a policy each: one for all of them would
    let a viewer take a row over by changing its tenant.
    """

    SHOWN = (
        f"(viewer_id = {CURRENT_TENANT} AND withdrawn_at IS NULL AND shown_from <= now()"
        " AND (shown_until IS NULL OR now() < shown_until))"
    )

    def statements(self, model: type[models.Model], table: str) -> list[str]:
        mine = f"tenant_id = {CURRENT_TENANT}"
        policy = f"ON {table} AS RESTRICTIVE FOR"
        return [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY serving_roles ON {table} AS PERMISSIVE FOR ALL TO {ROLES}"
            " USING (true) WITH CHECK (true)",
            f"CREATE POLICY shared_read {policy} SELECT TO {ROLES} USING ({mine} OR {self.SHOWN})",
            f"CREATE POLICY shared_insert {policy} INSERT TO {ROLES} WITH CHECK ({mine})",
            f"CREATE POLICY shared_update {policy} UPDATE TO {ROLES} USING ({mine}) WITH CHECK ({mine})",
            f"CREATE POLICY shared_delete {policy} DELETE TO {ROLES} USING ({mine})",
            f"GRANT SELECT ON {table} TO portal_auditor",
            *withdrawn_for_good(table),
        ]

    def undo(self, model: type[models.Model], table: str) -> list[str]:
        names = ("shared_read", "shared_insert", "shared_update", "shared_delete", "serving_roles")
        trigger = f"DROP TRIGGER IF EXISTS withdrawn_for_good ON {table}"
        return [trigger, *(f"DROP POLICY {name} ON {table}" for name in names)]


class TenantReference(_TableConstraint):
    """A foreign key over (tenant_id, field): a plain one ignores row-level security and could cross tenants."""

    def __init__(self, *, name: str, field: str, edition: int = 1, **kwargs: Any) -> None:
        super().__init__(name=name, edition=edition, **kwargs)
        self.field = field

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "field": self.field}

    def statements(self, model: type[models.Model], table: str) -> list[str]:
        field = model._meta.get_field(self.field)
        target = field.related_model._meta.db_table  # type: ignore[union-attr]
        return [
            f'ALTER TABLE {table} ADD CONSTRAINT "{self.name}" FOREIGN KEY (tenant_id, {field.column})'  # type: ignore[union-attr]
            f' REFERENCES "{target}" (tenant_id, id) DEFERRABLE INITIALLY DEFERRED'
        ]

    def undo(self, model: type[models.Model], table: str) -> list[str]:
        return [f'ALTER TABLE {table} DROP CONSTRAINT "{self.name}"']


class AppendOnly(_TableConstraint):
    """Rows are inserted and read, never changed or deleted: by grant for the serving roles, by trigger for all."""

    def statements(self, model: type[models.Model], table: str) -> list[str]:
        return [
            _REFUSE_CHANGE,
            f"REVOKE UPDATE, DELETE ON {table} FROM {ROLES}",
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION portal_refuse_change()",
            f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION portal_refuse_change()",
        ]

    def undo(self, model: type[models.Model], table: str) -> list[str]:
        return [f"DROP TRIGGER append_only ON {table}", f"DROP TRIGGER append_only_truncate ON {table}"]


class WrittenBySealer(_TableConstraint):
    """Rows are inserted by the audit log's sealer alone, and read by all serving roles.

    `updates` are the columns that the sealer may change. With `asked` the application inserts the rows, for the
    sealer to complete.
    """

    def __init__(
        self,
        *,
        name: str,
        updates: tuple[str, ...] = (),
        asked: bool = False,
        edition: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, edition=edition, **kwargs)
        self.updates, self.asked = tuple(updates), asked

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "updates": self.updates, "asked": self.asked}

    def statements(self, model: type[models.Model], table: str) -> list[str]:
        writers = "portal_app, portal_worker" if self.asked else "portal_sealer"
        columns = ", ".join(self.updates)
        return [
            f"REVOKE ALL ON {table} FROM {ROLES}",
            f"GRANT SELECT ON {table} TO {ROLES}",
            f"GRANT INSERT ON {table} TO {writers}",
            *([f"GRANT UPDATE ({columns}) ON {table} TO portal_sealer"] if columns else []),
        ]

    def undo(self, model: type[models.Model], table: str) -> list[str]:
        return [f"REVOKE ALL ON {table} FROM {ROLES}"]


class Periods(_TableConstraint):
    """No two rows of the same `fields` hold at the same time: `[valid_from, valid_to)` never overlap.

    An exclusion constraint by btree_gist. The fields' columns should be few and short, since each row is indexed.
    """

    def __init__(self, *, name: str, columns: tuple[str, ...], edition: int = 1, **kwargs: Any) -> None:
        super().__init__(name=name, edition=edition, **kwargs)
        self.columns = tuple(columns)

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "columns": self.columns}

    def statements(self, model: type[models.Model], table: str) -> list[str]:
        same = ", ".join(f"{column} WITH =" for column in ("tenant_id", *self.columns))
        return [
            f'ALTER TABLE {table} ADD CONSTRAINT "{self.name}"'
            f" EXCLUDE USING gist ({same}, tstzrange(valid_from, valid_to) WITH &&)"
        ]

    def undo(self, model: type[models.Model], table: str) -> list[str]:
        return [f'ALTER TABLE {table} DROP CONSTRAINT "{self.name}"']


class ImmutableColumns(_TableConstraint):
    """Columns that are set at insertion and never change, kept so by a trigger for everybody."""

    def __init__(self, *, name: str, columns: tuple[str, ...], edition: int = 1, **kwargs: Any) -> None:
        super().__init__(name=name, edition=edition, **kwargs)
        self.columns = tuple(columns)

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "columns": self.columns}

    def statements(self, model: type[models.Model], table: str) -> list[str]:
        changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in self.columns)
        return [
            _REFUSE_CHANGE,
            f"CREATE TRIGGER immutable_columns BEFORE UPDATE ON {table}"
            f" FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION portal_refuse_change()",
        ]

    def undo(self, model: type[models.Model], table: str) -> list[str]:
        return [f"DROP TRIGGER immutable_columns ON {table}"]
