"""Puts entries into the log's table: in the act's transaction, or for an auditor through a connection of its own.

An auditor's entry is committed by portal_auditlog, which can only insert entries, at the end of the request's
transaction: before that commits, and before the answer goes out. So an auditor reads or writes nothing that is not in
the log already. Should the auditor's own commit then fail, the log names an act that came to nothing: it may say too
much, and never too little.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import connections
from django.db.models.expressions import DatabaseDefault
from psycopg import sql

from accounts.audit.models import AuditEntry
from accounts.tenancy.scope import AUDITLOG, AUDITOR, before_leaving, current_database, execute_apart


def keep_entry(entry: AuditEntry) -> AuditEntry:
    """Writes the entry, now or (an auditor's) at the end of the open tenant's scope."""
    if current_database() == AUDITOR:
        before_leaving(partial(_insert_apart, entry))
    else:
        entry.save(force_insert=True)
    return entry


def _insert_apart(entry: AuditEntry) -> None:
    """Not by the ORM, which asks for the database's defaults back: the role may read nothing."""
    given: dict[str, Any] = {
        str(field.column): field.get_db_prep_save(getattr(entry, field.attname), connections[AUDITLOG])
        for field in AuditEntry._meta.concrete_fields
        if not isinstance(getattr(entry, field.attname), DatabaseDefault)
    }
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(AuditEntry._meta.db_table),
        sql.SQL(", ").join(map(sql.Identifier, given)),
        sql.SQL(", ").join([sql.Placeholder()] * len(given)),
    )
    execute_apart(AUDITLOG, statement, list(given.values()))
