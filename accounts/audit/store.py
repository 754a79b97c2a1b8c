"""Puts entries into the log's table: in the act's transaction, or for an auditor through a connection of its own.

An auditor's entry is committed by portal_auditlog, which can only insert entries, at the end of the request's
transaction: before that commits, and before the answer goes out. So an auditor reads or writes nothing that is not in
the log already. Should the auditor's own commit then fail, the log names an act that came to nothing: it may say too
much, and never too little.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models.expressions import DatabaseDefault
from psycopg import sql

from accounts.audit.models import AuditEntry
from accounts.tenancy.scope import (
    AUDITLOG,
    AUDITOR,
    DEFAULT,
    TenantSwitchError,
    before_leaving,
    current_database,
    current_tenant_id,
    execute_apart,
    execute_for_each,
)


def keep_entry(entry: AuditEntry) -> AuditEntry:
    """Writes the entry, now or (an auditor's) at the end of the open tenant's scope."""
    if current_database() == AUDITOR:
        before_leaving(partial(_insert_apart, entry))
    else:
        _insert(entry)
    return entry


def _insert(entry: AuditEntry) -> None:
    """As its save() would, which is slower: each request of anybody inserts one. Raises TenantSwitchError."""
    if entry.tenant_id != current_tenant_id():
        raise TenantSwitchError("the entry belongs to another tenant than the open one")
    using = current_database()
    with connections[using].cursor() as cursor:
        cursor.execute(*_insertion(entry, using))
    entry._state.adding, entry._state.db = False, using


def keep_entries(entries: Mapping[UUID, AuditEntry]) -> None:
    """Writes entries of several tenants, none of which is open, by tenant, in one round trip."""
    execute_for_each([(tenant_id, *_insertion(entry, DEFAULT)) for tenant_id, entry in entries.items()])


def _insert_apart(entry: AuditEntry) -> None:
    """Not by the ORM, which asks for the database's defaults back: the role may read nothing."""
    statement, values = _insertion(entry, AUDITLOG)
    execute_apart(AUDITLOG, statement, values)


def _insertion(entry: AuditEntry, using: str) -> tuple[str, list[Any]]:
    given: dict[str, Any] = {
        str(field.column): field.get_db_prep_save(getattr(entry, field.attname), connections[using])
        for field in AuditEntry._meta.concrete_fields
        if not isinstance(getattr(entry, field.attname), DatabaseDefault)
    }
    return _statement(tuple(given)), list(given.values())


@cache
def _statement(columns: tuple[str, ...]) -> str:
    return (
        sql.SQL("INSERT INTO {} ({}) VALUES ({})")
        .format(
            sql.Identifier(AuditEntry._meta.db_table),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
        )
        .as_string()
    )
