"""The fence stands around every table: what the models promise is compared with what PostgreSQL enforces."""

from __future__ import annotations

import psycopg
import pytest
from django.apps import apps
from django.db import connection, models

from accounts.tenancy.models import SharedModel, TenantManager, TenantModel, TenantModelBase
from accounts.tenancy.rls import AppendOnly, RowLevelSecurity
from assessments.engagements.models import AUDITOR_WRITES
from tests.conftest import superuser_dsn

WITHOUT_TENANT = {
    "accounts_auditanchor": "the log of all tenants' checkpoints: sizes and signed roots",
    "accounts_auditepoch": "the database's own life: restores and moves",
    "accounts_auditgloballeaf": "the log of all tenants' checkpoints: hashes, which say nothing by themselves",
    "accounts_auditglobaltile": "as its leaves",
    "accounts_auditkey": "public keys of the audit log",
    "accounts_auditsealer": "how far the audit log's sealer is",
    "accounts_emailchange": "a person's address, whatever the tenants",
    "accounts_passkey": "a person's way in, before any tenant",
    "accounts_passwordreset": "a person's way back in, before any tenant",
    "accounts_person": "one person can be a member of several tenants",
    "accounts_recoverycode": "a person's way in, before any tenant",
    "accounts_recoverycodedevice": "a person's way in, before any tenant",
    "accounts_session": "a session is a person's, before any tenant",
    "accounts_signinthrottle": "failed sign-ins, by keyed digest, before anybody is known",
    "accounts_spentchallenge": "answered challenges of passkeys, by digest",
    "accounts_spentproof": "used proofs of clients without a secret, by digest, whichever tenant's the client is",
    "accounts_totpdevice": "a person's way in, before any tenant",
    "auth_group": "unused part of django.contrib.auth",
    "auth_group_permissions": "unused part of django.contrib.auth",
    "auth_permission": "unused part of django.contrib.auth",
    "django_content_type": "Django's own",
    "django_migrations": "Django's own",
    "django_session": "Django's own and empty: sessions are in accounts_session",
}
"""Every table that is not a tenant's, with the reason."""

SEALER_MAY = {
    "accounts_auditanchor": {"SELECT", "INSERT"},
    "accounts_auditcheckpoint": {"SELECT", "INSERT"},
    "accounts_auditentry": {"SELECT", "INSERT"},
    "accounts_auditepoch": {"SELECT", "INSERT"},
    "accounts_auditgloballeaf": {"SELECT", "INSERT"},
    "accounts_auditglobaltile": {"SELECT", "INSERT"},
    "accounts_auditkey": {"SELECT", "INSERT"},
    "accounts_auditleaf": {"SELECT", "INSERT"},
    "accounts_auditsealer": {"SELECT", "INSERT"},
    "accounts_auditsignature": {"SELECT"},
    "accounts_audittile": {"SELECT", "INSERT"},
}
"""Every table that the sealer reaches, there all tenants' rows. It has no right on any other."""

SEALER_MAY_CHANGE = {
    ("accounts_auditanchor", "anchored_at"),
    ("accounts_auditanchor", "location"),
    ("accounts_auditkey", "retired_at"),
    ("accounts_auditsealer", "catching_up_from"),
    ("accounts_auditsealer", "epoch"),
    ("accounts_auditsealer", "mixed_until"),
    ("accounts_auditsealer", "position_id"),
    ("accounts_auditsealer", "position_xid"),
    ("accounts_auditsealer", "seen_at"),
    ("accounts_auditsignature", "note"),
    ("accounts_auditsignature", "signed_at"),
}
"""Every column that the sealer may change."""

SEALED = set(SEALER_MAY) - {"accounts_auditentry"}
"""Tables that the sealer alone writes (the application inserts what it asks to be signed)."""

pytestmark = pytest.mark.django_db(transaction=True)

OURS = [model for model in apps.get_models() if issubclass(model, TenantModel)]
SHARED = {model._meta.db_table for model in OURS if issubclass(model, SharedModel)}
SERVING = {"portal_app", "portal_worker", "portal_sealer", "portal_auditor"}


@pytest.fixture(scope="module")
def catalogue(django_db_setup):
    with psycopg.connect(superuser_dsn(connection.settings_dict["NAME"])) as database:
        yield database


def _rows(database, statement: str, *arguments: object) -> list[tuple]:
    return database.execute(statement, arguments).fetchall()


def test_every_table_is_a_tenants_or_on_the_written_list(catalogue):
    tables = {
        name for (name,) in _rows(catalogue, "select tablename from pg_tables where schemaname = 'public'")
    }
    ours = {model._meta.db_table for model in OURS} | {"accounts_tenant"}
    assert tables - ours == set(WITHOUT_TENANT)


def _shown(mine: str) -> str:
    """The viewer reads while it is shown, in PostgreSQL's words."""
    return (
        f"({mine.replace('tenant_id', 'viewer_id')} AND (withdrawn_at IS NULL) AND (shown_from <= now())"
        " AND ((shown_until IS NULL) OR (now() < shown_until)))"
    )


@pytest.mark.parametrize("table", sorted({model._meta.db_table for model in OURS} | {"accounts_tenant"}))
def test_the_table_is_fenced(catalogue, table):
    assert _rows(
        catalogue, "select relrowsecurity, relforcerowsecurity from pg_class where relname = %s", table
    ) == [(True, True)]
    policies = {
        name: (permissive, command, set(roles), using, check)
        for name, permissive, command, roles, using, check in _rows(
            catalogue,
            "select policyname, permissive, cmd, roles, qual, with_check from pg_policies where tablename = %s",
            table,
        )
    }
    column = "id" if table == "accounts_tenant" else "tenant_id"
    mine = (
        f"({column} = ( SELECT (NULLIF(current_setting('portal.tenant'::text, true), ''::text))::uuid"
        ' AS "nullif"))'
    )
    fenced = SERVING - {"portal_sealer"} if table in SEALER_MAY else SERVING
    if table in SHARED:
        assert {name: policies.pop(name) for name in [*policies] if name.startswith("shared_")} == {
            "shared_read": ("RESTRICTIVE", "SELECT", SERVING, f"({mine} OR {_shown(mine)})", None),
            "shared_insert": ("RESTRICTIVE", "INSERT", SERVING, None, mine),
            "shared_update": ("RESTRICTIVE", "UPDATE", SERVING, mine, mine),
            "shared_delete": ("RESTRICTIVE", "DELETE", SERVING, mine, None),
        }
    else:
        assert policies.pop("tenant_isolation") == ("RESTRICTIVE", "ALL", fenced, mine, mine)
    assert policies.pop("serving_roles") == ("PERMISSIVE", "ALL", SERVING, "true", "true")
    policies.pop("lookup", None)
    if table == "accounts_auditentry":
        assert policies.pop("auditlog_insert") == ("PERMISSIVE", "INSERT", {"portal_auditlog"}, None, mine)
    assert policies == {}


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_its_keys_and_references_lead_with_the_tenant(catalogue, model):
    table = model._meta.db_table
    for name, kind, columns in _rows(
        catalogue,
        """select c.conname, c.contype, array(select attname::text from unnest(c.conkey) with ordinality k(n, o)
           join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.n order by k.o)
           from pg_constraint c where c.conrelid = %s::regclass and c.contype in ('u', 'f', 'x')""",
        table,
    ):
        refers_outside = kind == "f" and columns[0] in _outside(model)
        assert columns[0] == "tenant_id" or refers_outside, f"{name} on {columns}"
    for index, definition in _rows(
        catalogue,
        "select indexname, indexdef from pg_indexes where tablename = %s and indexdef like 'CREATE UNIQUE%%'",
        table,
    ):
        assert "(tenant_id" in definition or index.endswith("_pkey"), definition


def _outside(model: type[models.Model]) -> set[str]:
    return {
        field.column
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and not issubclass(field.related_model, TenantModel)
    }


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_the_serving_roles_hold_no_more_rights_than_they_need(catalogue, model):
    granted = {
        (role, right)
        for role, right in _rows(
            catalogue,
            "select grantee, privilege_type from information_schema.role_table_grants where table_name = %s",
            model._meta.db_table,
        )
        if role in SERVING
    }
    table = model._meta.db_table
    writes = {"SELECT", "INSERT"} if model.append_only else {"SELECT", "INSERT", "UPDATE", "DELETE"}
    if table in SEALED:
        writes = {"SELECT", "INSERT"} if table == "accounts_auditsignature" else {"SELECT"}
    expected = {(role, right) for role in ("portal_app", "portal_worker") for right in writes}
    expected |= {("portal_sealer", right) for right in SEALER_MAY.get(table, ())}
    auditor = {"SELECT", "INSERT"} if model in AUDITOR_WRITES else {"SELECT"}
    assert granted == expected | {("portal_auditor", right) for right in auditor}


def test_the_sealer_reaches_the_audit_log_and_nothing_else(catalogue):
    granted = "select table_name, {} from information_schema.{} where grantee = 'portal_sealer'"
    rights: dict[str, set[str]] = {}
    for table, right in _rows(catalogue, granted.format("privilege_type", "role_table_grants")):
        rights.setdefault(table, set()).add(right)
    assert rights == SEALER_MAY
    columns = granted.format("column_name", "column_privileges") + " and privilege_type = 'UPDATE'"
    assert set(_rows(catalogue, columns)) == SEALER_MAY_CHANGE


@pytest.mark.parametrize("table", sorted(SEALED & set(WITHOUT_TENANT)))
def test_what_the_sealer_writes_for_all_tenants_is_only_read_by_others(catalogue, table):
    granted = set(
        _rows(
            catalogue,
            "select grantee, privilege_type from information_schema.role_table_grants where table_name = %s",
            table,
        )
    )
    readers = {(role, "SELECT") for role in SERVING - {"portal_sealer"}}
    assert {row for row in granted if row[0] in SERVING - {"portal_sealer"}} == readers


def test_no_serving_role_may_bypass_the_fence(catalogue):
    rows = _rows(
        catalogue,
        "select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where rolname like 'portal_%%'",
    )
    assert len(rows) == 8
    assert all(not any(rights) for _name, *rights in rows)


def test_the_only_definer_functions_are_the_lookups_with_a_fixed_search_path(catalogue):
    rows = _rows(
        catalogue,
        "select proname, pg_get_userbyid(proowner), proconfig from pg_proc where prosecdef and pronamespace = 'public'::regnamespace",
    )
    assert {name for name, _owner, _config in rows} == {
        "portal_memberships_of", "portal_tenant_by_slug", "portal_invitation_tenant", "portal_due_work",
        "portal_due_chains", "portal_due_packages", "portal_due_submissions", "portal_due_streams", "portal_due_timers", "portal_partnership_invitation_tenant",
        "portal_domain_holder", "portal_sso_provider_tenant", "portal_scim_tenant", "portal_operator_windows",
        "portal_api_client_tenant", "portal_calendar_feed_tenant", "portal_due_notices", "portal_due_webhooks", "portal_guest_link_tenant", "portal_outside_notice_tenant",
    }  # fmt: skip
    assert {(owner, tuple(config)) for _name, owner, config in rows} == {
        ("portal_lookup", ("search_path=public, pg_temp",))
    }


def test_a_subclass_written_tomorrow_is_isolated_without_another_line():
    class Tomorrow(TenantModel):
        text = models.TextField()

        class Meta:
            app_label = "tomorrow"

    kinds = {type(constraint) for constraint in Tomorrow._meta.constraints}
    assert {RowLevelSecurity, models.UniqueConstraint} <= kinds
    assert AppendOnly not in kinds
    assert type(Tomorrow._default_manager) is type(Tomorrow._base_manager) is TenantManager
    assert isinstance(Tomorrow, TenantModelBase)
