"""The calendar of duties."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.tenancy.models
import accounts.tenancy.rls
import accounts.tenancy.scope
from accounts.tenancy.lookups import create_lookup


class Migration(migrations.Migration):
    dependencies = [
        ("assessments", "0014_exits"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CalendarFeed',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('token_digest', models.BinaryField(max_length=32)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('used_at', models.DateTimeField(blank=True, null=True)),
                ('told_on', models.DateField(blank=True, null=True)),
                ('asked', models.PositiveIntegerField(default=0)),
                ('asked_since', models.DateTimeField(auto_now_add=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(db_index=False, default=accounts.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['token_digest'], name='calendarfeed_digest')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'token_digest'), name='assessments_calendarfeed_token'), models.UniqueConstraint(condition=models.Q(('revoked_at', None)), fields=('tenant', 'person'), name='assessments_calendarfeed_live'), models.UniqueConstraint(fields=('tenant', 'id'), name='assessments_calendarfeed_tenant_id'), accounts.tenancy.rls.RowLevelSecurity(column='tenant_id', edition=1, name='assessments_calendarfeed_rls')],
            },
        ),
        create_lookup(
            name="portal_calendar_feed_tenant",
            arguments="digest bytea, roles text[]",
            returns="uuid",
            body=(
                "SELECT feed.tenant_id FROM assessments_calendarfeed feed"
                " JOIN accounts_membership member ON member.tenant_id = feed.tenant_id AND member.person_id = feed.person_id"
                " WHERE feed.token_digest = digest AND feed.revoked_at IS NULL AND member.role = ANY (roles)"
                " AND (member.ends_at IS NULL OR now() < member.ends_at)"
            ),
            reads=["assessments_calendarfeed", "accounts_membership"],
        ),
    ]
