"""What is withdrawn from another tenant stays so: the trigger for tables that were made without it."""

from typing import Any

from django.db import migrations

from accounts.tenancy.rls import withdrawn_for_good


def keep_withdrawn(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 (Django gives both)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("select format('%I', tablename) from pg_policies where policyname = 'shared_read'")
        tables = [row[0] for row in cursor.fetchall()]
        for table in tables:
            for statement in withdrawn_for_good(table):
                cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_api_clients")]

    operations = [migrations.RunPython(keep_withdrawn, migrations.RunPython.noop)]
