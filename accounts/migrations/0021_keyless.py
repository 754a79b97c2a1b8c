"""Clients that prove who they are without a stored secret."""

import accounts.tenancy.models
import accounts.tenancy.rls
import accounts.tenancy.scope
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0020_fair_webhooks")]

    operations = [
        migrations.CreateModel(
            name='SpentProof',
            fields=[
                ('digest', models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='ClientTrust',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('aws', 'AWS'), ('oidc', 'CI system (OpenID Connect)')], max_length=8)),
                ('account', models.CharField(blank=True, max_length=12)),
                ('arn', models.CharField(blank=True, max_length=512)),
                ('issuer', models.CharField(blank=True, max_length=500)),
                ('audience', models.CharField(blank=True, max_length=500)),
                ('subject', models.CharField(blank=True, max_length=255)),
                ('keys', models.JSONField(blank=True, default=dict)),
                ('keys_fetched_at', models.DateTimeField(blank=True, null=True)),
                ('keys_asked_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('last_proven', models.CharField(blank=True, max_length=512)),
                ('client', accounts.tenancy.models.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='trusts', to='accounts.apiclient')),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.AddConstraint(
            model_name='clienttrust',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_clienttrust_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='clienttrust',
            constraint=accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_clienttrust_rls'),
        ),
        migrations.AddConstraint(
            model_name='clienttrust',
            constraint=accounts.tenancy.rls.TenantReference(edition=1, field='client', name='accounts_clienttrust_client_fk'),
        ),
        # Proofs are taken by the web application alone.
        migrations.RunSQL(
            "REVOKE ALL ON accounts_spentproof FROM portal_worker, portal_sealer, portal_auditor", migrations.RunSQL.noop
        ),
    ]
