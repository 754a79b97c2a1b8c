"""The sweeper finds a few deliveries of each endpoint, so that a long queue of one doesn't hide those of others."""

from django.db import migrations

from accounts.tenancy.lookups import create_lookup


class Migration(migrations.Migration):
    dependencies = [("accounts", "0012_shared_rows")]

    operations = [
        migrations.RunSQL("DROP FUNCTION portal_due_webhooks(timestamptz, integer)", migrations.RunSQL.noop),
        create_lookup(
            name="portal_due_webhooks",
            arguments="at timestamptz, most integer",
            returns="TABLE (kind text, tenant_id uuid, row_id uuid)",
            body="""
                (SELECT 'delivery', f.tenant_id, f.id FROM (
                    SELECT d.tenant_id, d.id, d.due_at,
                           row_number() OVER (PARTITION BY d.tenant_id, d.endpoint_id ORDER BY d.due_at, d.id) AS place
                    FROM accounts_webhookdelivery d
                    WHERE d.state = 'pending' AND d.due_at <= $1 AND (d.lease_until IS NULL OR d.lease_until < $1)) f
                 WHERE f.place <= 2 ORDER BY f.due_at LIMIT most)
                UNION ALL
                (SELECT 'handover', h.tenant_id, h.id FROM accounts_webhookhandover h
                 WHERE h.occurred_at < $1 - interval '10 seconds' ORDER BY h.occurred_at LIMIT most)
                UNION ALL
                (SELECT DISTINCT 'old', o.tenant_id, o.tenant_id FROM (
                    SELECT m.tenant_id FROM accounts_webhookmessage m
                    WHERE m.occurred_at < $1 - interval '90 days' ORDER BY m.occurred_at LIMIT most) o)
            """,
            reads=["accounts_webhookdelivery", "accounts_webhookhandover", "accounts_webhookmessage"],
        ),
    ]
