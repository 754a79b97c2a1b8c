import accounts.tenancy.models
import accounts.tenancy.rls
import accounts.tenancy.scope
import django.db.models.deletion
from django.db import migrations, models

from accounts.tenancy.lookups import create_lookup


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0007_provisioning"),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditStream',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('kind', models.CharField(choices=[('webhook', 'Webhook'), ('syslog', 'Syslog over TLS')], max_length=16)),
                ('target', models.CharField(max_length=2048)),
                ('authority', models.TextField(blank=True)),
                ('secret', models.BinaryField(default=bytes)),
                ('state', models.CharField(choices=[('active', 'Active'), ('failing', 'Failing'), ('paused', 'Paused')], default='active', max_length=16)),
                ('position', models.BigIntegerField(default=0)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('delivered_at', models.DateTimeField(null=True)),
                ('failures', models.IntegerField(default=0)),
                ('last_error', models.CharField(blank=True, max_length=300)),
                ('due_at', models.DateTimeField(auto_now_add=True)),
                ('lease_until', models.DateTimeField(null=True)),
                ('fence', models.BigIntegerField(default=0)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['due_at'], name='auditstream_due')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_auditstream_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_auditstream_rls')],
            },
        ),
        migrations.RemoveIndex(
            model_name='auditentry',
            name='auditentry_act',
        ),
        migrations.RemoveIndex(
            model_name='auditentry',
            name='auditentry_actor',
        ),
        migrations.RemoveIndex(
            model_name='auditentry',
            name='auditentry_object',
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['tenant', 'act', 'outcome', 'id'], name='auditentry_by_act'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['tenant', 'actor_id', 'act', 'outcome', 'id'], name='auditentry_by_actor'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['tenant', 'object_id', 'act', 'outcome', 'id'], name='auditentry_by_object'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['tenant', 'actor_id', 'object_id', 'act', 'outcome', 'id'], name='auditentry_by_both'),
        ),
        create_lookup(
            name="portal_due_streams",
            arguments="due_at timestamptz, most integer",
            returns="TABLE (tenant_id uuid, row_id uuid)",
            body="""
                SELECT s.tenant_id, s.id FROM accounts_auditstream s
                WHERE s.state <> 'paused' AND s.due_at <= $1 AND (s.lease_until IS NULL OR s.lease_until < $1)
                AND EXISTS (SELECT FROM accounts_auditleaf l WHERE l.tenant_id = s.tenant_id AND l.leaf_index >= s.position)
                ORDER BY s.due_at LIMIT most
            """,
            reads=["accounts_auditstream", "accounts_auditleaf"],
        ),
    ]
