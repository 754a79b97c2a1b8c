from django.db import migrations

from accounts.tenancy.lookups import create_lookup


class Migration(migrations.Migration):
    dependencies = [("assessments", "0001_initial"), ("evidence", "0001_initial"), ("accounts", "0002_lookups")]

    operations = [
        create_lookup(
            name="portal_due_work",
            arguments="due_at timestamptz, most integer",
            returns="TABLE (kind text, tenant_id uuid, row_id uuid)",
            body="""
                (SELECT 'unit', u.tenant_id, u.id FROM evidence_collectionunit u
                 WHERE u.state = 'pending' OR (u.state = 'claimed' AND u.lease_until < due_at) ORDER BY u.id LIMIT most)
                UNION ALL
                (SELECT 'evaluation', r.tenant_id, r.id FROM evidence_collectionrun r
                 WHERE r.state = 'finished' AND r.finished_at > due_at - interval '2 days' AND NOT EXISTS (
                     SELECT FROM assessments_evaluation e WHERE e.tenant_id = r.tenant_id AND e.run_id = r.id)
                 ORDER BY r.id LIMIT most)
                UNION ALL
                (SELECT 'schedule', c.tenant_id, c.id FROM evidence_awsconnection c
                 WHERE c.state = 'verified' AND c.next_run_at <= due_at ORDER BY c.next_run_at LIMIT most)
                UNION ALL
                (SELECT 'probe', c.tenant_id, c.id FROM evidence_awsconnection c
                 WHERE c.probe_due_at <= due_at ORDER BY c.probe_due_at LIMIT most)
            """,
            reads=["evidence_collectionunit", "evidence_collectionrun", "assessments_evaluation", "evidence_awsconnection"],
        ),
    ]
