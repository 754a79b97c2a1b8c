import accounts.tenancy.models
import accounts.tenancy.rls
import accounts.tenancy.scope
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.tenancy.lookups import create_lookup


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0005_passkeys"),
    ]

    operations = [
        migrations.AddField(
            model_name='tenant',
            name='sso_required',
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name='IdentityProvider',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('kind', models.CharField(choices=[('oidc', 'OpenID Connect'), ('saml', 'SAML 2.0')], max_length=8)),
                ('issuer', models.CharField(blank=True, max_length=1000)),
                ('client_id', models.CharField(blank=True, max_length=255)),
                ('client_secret', models.BinaryField(blank=True, default=b'')),
                ('metadata_url', models.CharField(blank=True, max_length=1000)),
                ('endpoints', models.JSONField(blank=True, default=dict)),
                ('keys', models.JSONField(blank=True, default=dict)),
                ('keys_fetched_at', models.DateTimeField(blank=True, null=True)),
                ('email_claim', models.CharField(default='email', max_length=255)),
                ('groups_claim', models.CharField(blank=True, default='groups', max_length=255)),
                ('provider_proves_second_factor', models.CharField(choices=[('never', 'Never: ask our own second factor after it'), ('when_said', 'When its answer says so (amr, acr or AuthnContext)'), ('always', 'Always: it asks for one at every sign-in')], default='never', max_length=16)),
                ('second_factor_values', models.JSONField(blank=True, default=list)),
                ('just_in_time', models.BooleanField(default=True)),
                ('default_role', models.CharField(choices=[('security_official', 'Security official'), ('contributor', 'Contributor'), ('viewer', 'Viewer')], default='viewer', max_length=32)),
                ('listed', models.BooleanField(default=True)),
                ('enabled', models.BooleanField(default=False)),
                ('tested_at', models.DateTimeField(blank=True, null=True)),
                ('test_report', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_identityprovider_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_identityprovider_rls')],
            },
        ),
        migrations.CreateModel(
            name='GroupRole',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('group', models.CharField(max_length=255)),
                ('role', models.CharField(choices=[('owner', 'Owner'), ('security_official', 'Security official'), ('contributor', 'Contributor'), ('viewer', 'Viewer')], max_length=32)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
                ('provider', accounts.tenancy.models.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.identityprovider')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'provider', 'group'), name='accounts_grouprole_once'), models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_grouprole_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_grouprole_rls'), accounts.tenancy.rls.TenantReference(edition=1, field='provider', name='accounts_grouprole_provider_fk')],
            },
        ),
        migrations.CreateModel(
            name='ExternalIdentity',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('subject', models.CharField(max_length=512)),
                ('email', models.EmailField(max_length=254)),
                ('role_given', models.CharField(blank=True, max_length=32)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
                ('provider', accounts.tenancy.models.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.identityprovider')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'provider', 'subject'), name='accounts_externalidentity_subject'), models.UniqueConstraint(fields=('tenant', 'provider', 'person'), name='accounts_externalidentity_person'), models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_externalidentity_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_externalidentity_rls'), accounts.tenancy.rls.TenantReference(edition=1, field='provider', name='accounts_externalidentity_provider_fk')],
            },
        ),
        migrations.CreateModel(
            name='SeenAssertion',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('digest', models.BinaryField(max_length=32)),
                ('subject', models.CharField(max_length=512)),
                ('expires_at', models.DateTimeField()),
                ('provider', accounts.tenancy.models.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.identityprovider')),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'provider', 'digest'), name='accounts_seenassertion_once'), models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_seenassertion_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_seenassertion_rls'), accounts.tenancy.rls.TenantReference(edition=1, field='provider', name='accounts_seenassertion_provider_fk')],
            },
        ),
        migrations.CreateModel(
            name='SsoFlow',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(choices=[('sign_in', 'Sign In'), ('step_up', 'Step Up'), ('test', 'Test')], max_length=16)),
                ('handle', models.CharField(max_length=64)),
                ('browser', models.BinaryField(max_length=32)),
                ('nonce', models.CharField(blank=True, max_length=64)),
                ('verifier', models.CharField(blank=True, max_length=128)),
                ('wanted', models.CharField(blank=True, max_length=2000)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('answered_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('asserted', models.JSONField(null=True)),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('provider', accounts.tenancy.models.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.identityprovider')),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'handle'), name='accounts_ssoflow_handle'), models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_ssoflow_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_ssoflow_rls'), accounts.tenancy.rls.TenantReference(edition=1, field='provider', name='accounts_ssoflow_provider_fk')],
            },
        ),
        migrations.CreateModel(
            name='VerifiedDomain',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('domain', models.CharField(max_length=253)),
                ('challenge', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('checked_at', models.DateTimeField(blank=True, null=True)),
                ('verified_at', models.DateTimeField(blank=True, null=True)),
                ('problem', models.CharField(blank=True, max_length=500)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['domain'], name='verifieddomain_domain')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'domain'), name='accounts_verifieddomain_once'), models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_verifieddomain_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_verifieddomain_rls')],
            },
        ),
        migrations.CreateModel(
            name='BreakGlass',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('membership', accounts.tenancy.models.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.membership')),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'membership'), name='accounts_breakglass_once'), models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_breakglass_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_breakglass_rls'), accounts.tenancy.rls.TenantReference(edition=1, field='membership', name='accounts_breakglass_membership_fk')],
            },
        ),
        create_lookup(
            name="portal_domain_holder",
            arguments="wanted varchar",
            returns="TABLE (tenant_id uuid, challenge varchar)",
            body="""
                SELECT d.tenant_id, d.challenge FROM accounts_verifieddomain d
                WHERE d.domain = wanted AND d.verified_at IS NOT NULL ORDER BY d.verified_at DESC, d.id DESC LIMIT 1
            """,
            reads=["accounts_verifieddomain"],
        ),
        create_lookup(
            name="portal_sso_provider_tenant",
            arguments="provider uuid",
            returns="uuid",
            body="SELECT tenant_id FROM accounts_identityprovider WHERE id = provider",
            reads=["accounts_identityprovider"],
        ),
    ]
