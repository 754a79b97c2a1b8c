from django.db import migrations

from accounts.tenancy.rls import CURRENT_TENANT

AUDITLOG = f"""
    GRANT INSERT ON accounts_auditentry TO portal_auditlog;
    CREATE POLICY auditlog_insert ON accounts_auditentry AS PERMISSIVE FOR INSERT TO portal_auditlog
        WITH CHECK (tenant_id = {CURRENT_TENANT});
"""
UNDO_AUDITLOG = """
    DROP POLICY auditlog_insert ON accounts_auditentry;
    REVOKE ALL ON accounts_auditentry FROM portal_auditlog;
"""
# Where the roles were made before this version, every table was opened to auditors by default.
NO_TENANT_NO_AUDITOR = """
    DO $auditor$
    DECLARE
        found regclass;
    BEGIN
        FOR found IN SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
                AND c.relkind = 'r' AND NOT c.relrowsecurity AND c.relname NOT LIKE 'accounts_audit%' LOOP
            EXECUTE format('REVOKE ALL ON %s FROM portal_auditor', found);
        END LOOP;
    END
    $auditor$;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_audit_reading")]
    operations = [
        migrations.RunSQL(AUDITLOG, UNDO_AUDITLOG),
        migrations.RunSQL(NO_TENANT_NO_AUDITOR, migrations.RunSQL.noop),
    ]
