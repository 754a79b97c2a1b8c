import accounts.tenancy.models
import accounts.tenancy.rls
import accounts.tenancy.scope
import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from accounts.tenancy.lookups import create_lookup


class Migration(migrations.Migration):
    dependencies = [
        ("assessments", "0003_engagements"),
        ("accounts", "0002_lookups"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Package',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('citations', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), blank=True, null=True, size=None)),
                ('connection_ids', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), blank=True, null=True, size=None)),
                ('period_from', models.DateField()),
                ('period_to', models.DateField()),
                ('withheld', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=300), default=list, size=None)),
                ('withheld_reason', models.TextField(blank=True)),
                ('requested_at', models.DateTimeField(auto_now_add=True)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('building', 'Being made'), ('ready', 'Ready'), ('failed', 'Failed'), ('removed', 'Removed')], default='waiting', max_length=16)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('due_at', models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('fence', models.PositiveIntegerField(default=0)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('done', models.PositiveIntegerField(default=0)),
                ('total', models.PositiveIntegerField(default=0)),
                ('bytes_done', models.PositiveBigIntegerField(default=0)),
                ('bytes_total', models.PositiveBigIntegerField(default=0)),
                ('address', models.CharField(blank=True, max_length=200)),
                ('wrapped_key', models.BinaryField(default=b'')),
                ('key_id', models.CharField(blank=True, max_length=200)),
                ('ciphertext_digest', models.CharField(blank=True, max_length=64)),
                ('stored_size', models.PositiveBigIntegerField(default=0)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('size', models.PositiveBigIntegerField(default=0)),
                ('contents', models.JSONField(default=dict)),
                ('ready_at', models.DateTimeField(blank=True, null=True)),
                ('keep_until', models.DateTimeField(blank=True, null=True)),
                ('token_digest', models.BinaryField(max_length=32, null=True)),
                ('link_number', models.PositiveIntegerField(default=0)),
                ('link_expires_at', models.DateTimeField(blank=True, null=True)),
                ('engagement', accounts.tenancy.models.TenantForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='packages', to='assessments.engagement')),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant', '-requested_at', '-id'], name='package_by_time'), models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='package_due')],
                'constraints': [models.CheckConstraint(condition=models.Q(('period_from__lte', models.F('period_to'))), name='assessments_package_period'), models.UniqueConstraint(fields=('tenant', 'token_digest'), name='assessments_package_token'), accounts.tenancy.rls.ImmutableColumns(columns=('engagement_id', 'citations', 'connection_ids', 'period_from', 'period_to', 'withheld', 'requested_by_id'), edition=1, name='assessments_package_fixed'), models.UniqueConstraint(fields=('tenant', 'id'), name='assessments_package_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='assessments_package_rls'), accounts.tenancy.rls.TenantReference(edition=1, field='engagement', name='assessments_package_engagement_fk')],
            },
        ),
        create_lookup(
            name="portal_due_packages",
            arguments="due_at timestamptz, most integer",
            returns="TABLE (tenant_id uuid, row_id uuid)",
            body="""
                SELECT p.tenant_id, p.id FROM assessments_package p
                WHERE p.due_at <= portal_due_packages.due_at ORDER BY p.due_at LIMIT most
            """,
            reads=["assessments_package"],
        ),
    ]
