"""Migration operations for the look-up functions of `unscoped`."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.migrations.operations import RunSQL


def create_lookup(*, name: str, arguments: str, returns: str, body: str, reads: Iterable[str]) -> RunSQL:
    """Creates a SECURITY DEFINER function owned by portal_lookup, which may read the tables `reads` and no other.

    `arguments` and `returns` in PostgreSQL's words; `body` one SELECT. The search path is fixed.
    """
    signature = f"{name}({arguments})"
    grants = [
        f"GRANT SELECT ON {table} TO portal_lookup;"
        f" DROP POLICY IF EXISTS lookup ON {table};"
        f" CREATE POLICY lookup ON {table} FOR SELECT TO portal_lookup USING (true);"
        for table in reads
    ]
    return RunSQL(
        "\n".join(
            [
                *grants,
                f"CREATE FUNCTION {signature} RETURNS {returns} LANGUAGE sql STABLE SECURITY DEFINER"
                f" SET search_path = public, pg_temp AS $lookup$ {body} $lookup$;",
                f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC;",
                f"GRANT EXECUTE ON FUNCTION {signature} TO portal_app, portal_worker;",
                f"ALTER FUNCTION {signature} OWNER TO portal_lookup;",
            ]
        ),
        reverse_sql=f"DROP FUNCTION {signature};",
    )
