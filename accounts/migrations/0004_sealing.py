import accounts.audit.models
import accounts.tenancy.models
import accounts.tenancy.rls
import accounts.tenancy.scope
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_ways_in'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditAnchor',
            fields=[
                ('size', models.BigIntegerField(primary_key=True, serialize=False)),
                ('epoch', models.IntegerField()),
                ('note', models.TextField()),
                ('created_at', models.DateTimeField()),
                ('location', models.TextField(blank=True)),
                ('anchored_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('anchored_at', None)), fields=['size'], name='auditanchor_waiting')],
                'constraints': [accounts.tenancy.rls.WrittenBySealer(asked=False, edition=1, name='accounts_auditanchor_sealer', updates=('location', 'anchored_at'))],
            },
        ),
        migrations.CreateModel(
            name='AuditCheckpoint',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('size', models.BigIntegerField()),
                ('root', models.BinaryField(max_length=32)),
                ('note', models.TextField()),
                ('epoch', models.IntegerField()),
                ('created_at', models.DateTimeField()),
                ('global_index', models.BigIntegerField()),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['global_index'], name='auditcheckpoint_global')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'size'), name='accounts_auditcheckpoint_size'), accounts.tenancy.rls.WrittenBySealer(asked=False, edition=1, name='accounts_auditcheckpoint_sealer', updates=()), models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_auditcheckpoint_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_auditcheckpoint_rls', sealer_sees=True), accounts.tenancy.rls.AppendOnly(edition=1, name='accounts_auditcheckpoint_append_only')],
            },
        ),
        migrations.CreateModel(
            name='AuditEpoch',
            fields=[
                ('number', models.IntegerField(primary_key=True, serialize=False)),
                ('started_at', models.DateTimeField()),
                ('reason', models.CharField(max_length=32)),
                ('system_identifier', models.CharField(max_length=20)),
                ('timeline', models.BigIntegerField()),
                ('size', models.BigIntegerField()),
                ('anchored_epoch', models.IntegerField(null=True)),
                ('anchored_size', models.BigIntegerField(null=True)),
            ],
            options={
                'constraints': [accounts.tenancy.rls.WrittenBySealer(asked=False, edition=1, name='accounts_auditepoch_sealer', updates=()), accounts.tenancy.rls.AppendOnly(edition=1, name='accounts_auditepoch_append_only')],
            },
        ),
        migrations.CreateModel(
            name='AuditGlobalLeaf',
            fields=[
                ('index', models.BigIntegerField(primary_key=True, serialize=False)),
                ('leaf_hash', models.BinaryField(max_length=32)),
            ],
            options={
                'constraints': [accounts.tenancy.rls.WrittenBySealer(asked=False, edition=1, name='accounts_auditgloballeaf_sealer', updates=()), accounts.tenancy.rls.AppendOnly(edition=1, name='accounts_auditgloballeaf_append_only')],
            },
        ),
        migrations.CreateModel(
            name='AuditGlobalTile',
            fields=[
                ('pk', models.CompositePrimaryKey('level', 'index', blank=True, editable=False, primary_key=True, serialize=False)),
                ('level', models.SmallIntegerField()),
                ('index', models.BigIntegerField()),
                ('hash', models.BinaryField(max_length=32)),
            ],
            options={
                'constraints': [accounts.tenancy.rls.WrittenBySealer(asked=False, edition=1, name='accounts_auditglobaltile_sealer', updates=()), accounts.tenancy.rls.AppendOnly(edition=1, name='accounts_auditglobaltile_append_only')],
            },
        ),
        migrations.CreateModel(
            name='AuditKey',
            fields=[
                ('key_id', models.CharField(max_length=8, primary_key=True, serialize=False)),
                ('vkey', models.CharField(max_length=128)),
                ('public_key', models.BinaryField(max_length=32)),
                ('certificate', models.TextField(null=True)),
                ('created_at', models.DateTimeField()),
                ('retired_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [accounts.tenancy.rls.WrittenBySealer(asked=False, edition=1, name='accounts_auditkey_sealer', updates=('retired_at',))],
            },
        ),
        migrations.CreateModel(
            name='AuditLeaf',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('leaf_index', models.BigIntegerField()),
                ('leaf_hash', models.BinaryField(max_length=32)),
                ('sealed_at', models.DateTimeField()),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'leaf_index'), name='accounts_auditleaf_index'), accounts.tenancy.rls.WrittenBySealer(asked=False, edition=1, name='accounts_auditleaf_sealer', updates=()), models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_auditleaf_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_auditleaf_rls', sealer_sees=True), accounts.tenancy.rls.AppendOnly(edition=1, name='accounts_auditleaf_append_only')],
            },
        ),
        migrations.CreateModel(
            name='AuditSealer',
            fields=[
                ('id', models.SmallIntegerField(primary_key=True, serialize=False)),
                ('epoch', models.IntegerField()),
                ('position_xid', accounts.audit.models.TransactionIdField()),
                ('position_id', models.UUIDField()),
                ('catching_up_from', accounts.audit.models.TransactionIdField(null=True)),
                ('mixed_until', accounts.audit.models.TransactionIdField()),
                ('seen_at', models.DateTimeField()),
            ],
            options={
                'constraints': [accounts.tenancy.rls.WrittenBySealer(asked=False, edition=1, name='accounts_auditsealer_state', updates=('epoch', 'position_xid', 'position_id', 'catching_up_from', 'mixed_until', 'seen_at')), models.CheckConstraint(condition=models.Q(('id', 1)), name='accounts_auditsealer_one')],
            },
        ),
        migrations.CreateModel(
            name='AuditSignature',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('text', models.TextField()),
                ('note', models.TextField(null=True)),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('signed_at', models.DateTimeField(null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(condition=models.Q(('signed_at', None)), fields=['asked_at'], name='auditsignature_asked')],
                'constraints': [accounts.tenancy.rls.WrittenBySealer(asked=True, edition=1, name='accounts_auditsignature_sealer', updates=('note', 'signed_at')), models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_auditsignature_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_auditsignature_rls', sealer_sees=True)],
            },
        ),
        migrations.CreateModel(
            name='AuditTile',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('level', models.SmallIntegerField()),
                ('index', models.BigIntegerField()),
                ('hash', models.BinaryField(max_length=32)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'level', 'index'), name='accounts_audittile_place'), accounts.tenancy.rls.WrittenBySealer(asked=False, edition=1, name='accounts_audittile_sealer', updates=()), models.UniqueConstraint(fields=('tenant', 'id'), name='accounts_audittile_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_audittile_rls', sealer_sees=True), accounts.tenancy.rls.AppendOnly(edition=1, name='accounts_audittile_append_only')],
            },
        ),
        migrations.RemoveConstraint(
            model_name='auditentry',
            name='accounts_auditentry_rls',
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['transaction_id', 'id'], name='auditentry_sealing'),
        ),
        migrations.AddConstraint(
            model_name='auditentry',
            constraint=accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='accounts_auditentry_rls', sealer_sees=True),
        ),
        # The sealer reads every tenant's entries, and adds one where an entry is not what was recorded.
        migrations.RunSQL(
            "GRANT SELECT, INSERT ON accounts_auditentry TO portal_sealer",
            "REVOKE SELECT, INSERT ON accounts_auditentry FROM portal_sealer",
        ),
    ]
