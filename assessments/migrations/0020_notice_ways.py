"""By which ways notices reached their recipients."""

import accounts.tenancy.models
import accounts.tenancy.rls
import accounts.tenancy.scope
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0012_shared_rows'),
        ('assessments', '0015_calendar'),
    ]

    operations = [
        migrations.CreateModel(
            name='NoticeTold',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('shown_from', models.DateTimeField(default=django.utils.timezone.now)),
                ('shown_until', models.DateTimeField(blank=True, null=True)),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                ('notice_id', models.UUIDField()),
                ('mailed_at', models.DateTimeField(null=True)),
                ('webhook_at', models.DateTimeField(null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
                ('viewer', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['viewer', 'notice_id'], name='noticetold_of'), models.Index(fields=['viewer', 'id'], name='noticetold_viewer')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'notice_id'), name='assessments_noticetold_once'), models.UniqueConstraint(fields=('tenant', 'id'), name='assessments_noticetold_tenant_id'), accounts.tenancy.rls.SharedRowSecurity(edition=1, name='assessments_noticetold_rls')],
            },
        ),
    ]
