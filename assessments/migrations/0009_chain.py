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
        ('accounts', '0009_auditors'),
        ('assessments', "0008_agreements"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ChainAlert',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('partnership_id', models.UUIDField()),
                ('pseudonym', models.CharField(max_length=32)),
                ('service', models.CharField(max_length=16)),
                ('path', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), size=None)),
                ('reasons', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), size=None)),
                ('began_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('ending', models.CharField(blank=True, max_length=16)),
                ('associate', accounts.tenancy.models.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='chain_alerts', to='assessments.businessassociate')),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant', 'associate', 'began_at'], name='chainalert_associate')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('tenant', 'partnership_id', 'path'), name='assessments_chainalert_once'), models.UniqueConstraint(fields=('tenant', 'id'), name='assessments_chainalert_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='assessments_chainalert_rls'), accounts.tenancy.rls.TenantReference(edition=1, field='associate', name='assessments_chainalert_associate_fk')],
            },
        ),
        migrations.CreateModel(
            name='ChainConsent',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('partnership_id', models.UUIDField()),
                ('service', models.CharField(max_length=16)),
                ('telling', models.CharField(default='nothing', max_length=16)),
                ('decided_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('associate', accounts.tenancy.models.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='chain_consents', to='assessments.businessassociate')),
                ('decided_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
                ('upstream', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'partnership_id', 'associate'), name='assessments_chainconsent_once'), accounts.tenancy.rls.ImmutableColumns(columns=('partnership_id', 'upstream_id', 'associate_id'), edition=1, name='assessments_chainconsent_fixed'), models.UniqueConstraint(fields=('tenant', 'id'), name='assessments_chainconsent_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='assessments_chainconsent_rls'), accounts.tenancy.rls.TenantReference(edition=1, field='associate', name='assessments_chainconsent_associate_fk')],
            },
        ),
        migrations.CreateModel(
            name='ChainNode',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('shown_from', models.DateTimeField(default=django.utils.timezone.now)),
                ('shown_until', models.DateTimeField(blank=True, null=True)),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                ('partnership_id', models.UUIDField()),
                ('pseudonym', models.CharField(max_length=32)),
                ('service', models.CharField(max_length=16)),
                ('agreement_state', models.CharField(max_length=16)),
                ('verified_at', models.DateTimeField(blank=True, null=True)),
                ('broken', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), size=None)),
                ('depth', models.PositiveSmallIntegerField()),
                ('path', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), size=None)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('subject', models.BinaryField(max_length=128)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
                ('viewer', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(condition=models.Q(('withdrawn_at', None)), fields=['viewer', 'partnership_id'], name='chainnode_told'), models.Index(fields=['changed_at'], name='chainnode_changed'), models.Index(fields=['viewer', 'id'], name='chainnode_viewer')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('withdrawn_at', None)), fields=('tenant', 'partnership_id', 'path'), name='assessments_chainnode_once'), models.CheckConstraint(condition=models.Q(('depth__gte', 1), ('depth__lte', 6)), name='assessments_chainnode_depth'), accounts.tenancy.rls.ImmutableColumns(columns=('viewer_id', 'partnership_id'), edition=1, name='assessments_chainnode_fixed'), models.UniqueConstraint(fields=('tenant', 'id'), name='assessments_chainnode_tenant_id'), accounts.tenancy.rls.SharedRowSecurity(edition=1, name='assessments_chainnode_rls')],
            },
        ),
        migrations.CreateModel(
            name='ChainState',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('computed_at', models.DateTimeField(null=True)),
                ('stale_at', models.DateTimeField(null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(condition=models.Q(('stale_at__isnull', False)), fields=['stale_at'], name='chainstate_stale')],
                'constraints': [models.UniqueConstraint(fields=('tenant',), name='assessments_chainstate_once'), models.UniqueConstraint(fields=('tenant', 'id'), name='assessments_chainstate_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='assessments_chainstate_rls')],
            },
        ),
        # A row's time is its transaction's, which commits a little later: whoever computed in between looks once more.
        create_lookup(
            name="portal_due_chains",
            arguments="due_at timestamptz, most integer",
            returns="SETOF uuid",
            body="""
                SELECT s.tenant_id FROM assessments_chainstate s WHERE s.stale_at <= due_at
                UNION
                SELECT n.viewer_id FROM assessments_chainnode n
                LEFT JOIN assessments_chainstate s ON s.tenant_id = n.viewer_id
                WHERE n.changed_at > due_at - interval '30 days' AND (
                    s.computed_at IS NULL OR n.changed_at > s.computed_at
                    OR (n.changed_at > s.computed_at - interval '2 minutes'
                        AND s.computed_at < due_at - interval '2 minutes')
                )
                UNION
                SELECT s.tenant_id FROM assessments_partnership p
                CROSS JOIN LATERAL (VALUES (p.began_at), (p.withdrawn_at), (p.shown_until)) AS moment(happened_at)
                JOIN assessments_chainstate s ON s.tenant_id = ANY (ARRAY[p.tenant_id, p.viewer_id])
                WHERE moment.happened_at BETWEEN due_at - interval '30 days' AND due_at AND (
                    moment.happened_at > s.computed_at
                    OR (moment.happened_at > s.computed_at - interval '2 minutes'
                        AND s.computed_at < due_at - interval '2 minutes')
                )
                LIMIT most
            """,
            reads=["assessments_chainstate", "assessments_chainnode", "assessments_partnership"],
        ),
    ]
