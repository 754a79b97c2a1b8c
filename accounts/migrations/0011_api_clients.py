"""Clients of the interface."""

import accounts.tenancy.models
import accounts.tenancy.rls
import accounts.tenancy.scope
import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.tenancy.lookups import create_lookup


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0010_webhooks'),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiClient',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), size=None)),
                ('safeguards', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, size=None)),
                ('connections', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), blank=True, default=list, size=None)),
                ('networks', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=43), blank=True, default=list, size=None)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('last_address', models.GenericIPAddressField(blank=True, null=True)),
                ('minute_began_at', models.DateTimeField(blank=True, null=True)),
                ('minute_requests', models.PositiveIntegerField(default=0)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant', '-created_at'], name='apiclient_newest')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_apiclient_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_apiclient_rls')],
            },
        ),
        migrations.CreateModel(
            name='ApiSecret',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('secret_digest', models.BinaryField(max_length=32)),
                ('ending', models.CharField(max_length=4)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('client', accounts.tenancy.models.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='secrets', to='accounts.apiclient')),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'client', 'secret_digest'), name='accounts_apisecret_once'), models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_apisecret_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_apisecret_rls'), accounts.tenancy.rls.TenantReference(edition=1, field='client', name='accounts_apisecret_client_fk')],
            },
        ),
        migrations.CreateModel(
            name='KeptAnswer',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('caller', models.CharField(max_length=64)),
                ('key', models.CharField(max_length=255)),
                ('asked_digest', models.BinaryField(max_length=32)),
                ('status', models.PositiveSmallIntegerField()),
                ('headers', models.JSONField(default=dict)),
                ('sealed_body', models.BinaryField()),
                ('answered_at', models.DateTimeField(auto_now_add=True)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant', 'answered_at'], name='keptanswer_age')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'caller', 'key'), name='accounts_keptanswer_once'), models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_keptanswer_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_keptanswer_rls')],
            },
        ),
        create_lookup(
            name="portal_api_client_tenant",
            arguments="client_id uuid",
            returns="uuid",
            body="SELECT c.tenant_id FROM accounts_apiclient c WHERE c.id = client_id",
            reads=["accounts_apiclient"],
        ),
    ]
