"""Webhooks: endpoints, the outbox, deliveries."""

import accounts.tenancy.models
import accounts.tenancy.rls
import accounts.tenancy.scope
import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from accounts.tenancy.lookups import create_lookup


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_auditors")]

    operations = [
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('description', models.CharField(max_length=200)),
                ('url', models.CharField(max_length=2048)),
                ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), size=None)),
                ('secret', models.BinaryField()),
                ('previous_secret', models.BinaryField(default=bytes)),
                ('previous_until', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('disabled_at', models.DateTimeField(null=True)),
                ('disabled_reason', models.CharField(blank=True, max_length=300)),
                ('delivered_at', models.DateTimeField(null=True)),
                ('failing_since', models.DateTimeField(null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_webhookendpoint_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_webhookendpoint_rls')],
            },
        ),
        migrations.CreateModel(
            name='WebhookHandover',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('type', models.CharField(max_length=64)),
                ('key', models.CharField(max_length=200)),
                ('to_tenant_id', models.UUIDField()),
                ('data', models.JSONField()),
                ('occurred_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['occurred_at'], name='webhookhandover_age')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_webhookhandover_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_webhookhandover_rls')],
            },
        ),
        migrations.CreateModel(
            name='WebhookMessage',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('type', models.CharField(max_length=64)),
                ('key', models.CharField(max_length=200)),
                ('data', models.JSONField()),
                ('occurred_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['occurred_at'], name='webhookmessage_age')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'type', 'key'), name='accounts_webhookmessage_once'), models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_webhookmessage_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_webhookmessage_rls')],
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('pending', 'Waiting'), ('delivered', 'Delivered'), ('dead', 'Dead letter')], default='pending', max_length=16)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('lease_until', models.DateTimeField(null=True)),
                ('fence', models.BigIntegerField(default=0)),
                ('tried_at', models.DateTimeField(null=True)),
                ('settled_at', models.DateTimeField(null=True)),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('error', models.CharField(blank=True, max_length=300)),
                ('answer', models.TextField(blank=True)),
                ('milliseconds', models.PositiveIntegerField(null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
                ('endpoint', accounts.tenancy.models.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='accounts.webhookendpoint')),
                ('message', accounts.tenancy.models.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='accounts.webhookmessage')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(condition=models.Q(('state', 'pending')), fields=['due_at'], name='webhookdelivery_due'), models.Index(fields=['tenant', 'endpoint', 'state', 'id'], name='webhookdelivery_list'), models.Index(fields=['tenant', 'message'], name='webhookdelivery_message')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'endpoint', 'message'), name='accounts_webhookdelivery_once'), models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_webhookdelivery_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_webhookdelivery_rls'), accounts.tenancy.rls.TenantReference(edition=1, field='endpoint', name='accounts_webhookdelivery_endpoint_fk'), accounts.tenancy.rls.TenantReference(edition=1, field='message', name='accounts_webhookdelivery_message_fk')],
            },
        ),
        create_lookup(
            name="portal_due_webhooks",
            arguments="at timestamptz, most integer",
            returns="TABLE (kind text, tenant_id uuid, row_id uuid)",
            body="""
                (SELECT 'delivery', d.tenant_id, d.id FROM accounts_webhookdelivery d
                 WHERE d.state = 'pending' AND d.due_at <= $1 AND (d.lease_until IS NULL OR d.lease_until < $1)
                 ORDER BY d.due_at LIMIT most)
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
