"""Findings of submitted documents beside those of our own checks."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import accounts.tenancy.models
import accounts.tenancy.rls
import accounts.tenancy.scope


class Migration(migrations.Migration):
    dependencies = [
        ("assessments", "0020_notice_ways"),
        ("accounts", "0022_auditors_clients"),
        ("evidence", "0004_quarantine"),
    ]

    operations = [
        migrations.CreateModel(
            name="SubmittedCheck",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.models.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("check_id", models.CharField(max_length=300)),
                ("title", models.CharField(blank=True, max_length=300)),
                ("severity", models.CharField(max_length=16)),
                (
                    "citations",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), blank=True, default=list, size=None
                    ),
                ),
                ("passed", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("unknown", models.PositiveIntegerField(default=0)),
                ("not_applicable", models.PositiveIntegerField(default=0)),
                ("weighing", models.PositiveIntegerField(default=0)),
                ("muted", models.PositiveIntegerField(default=0)),
                (
                    "stream",
                    accounts.tenancy.models.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="checks",
                        to="evidence.submissionstream",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        default=accounts.tenancy.scope.current_tenant_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.tenant",
                    ),
                ),
            ],
            options={
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.RemoveConstraint(
            model_name="finding",
            name="assessments_finding_once",
        ),
        migrations.AddField(
            model_name="finding",
            name="muted",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="finding",
            name="seen_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="finding",
            name="source",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="finding",
            name="stream",
            field=accounts.tenancy.models.TenantForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="findings",
                to="evidence.submissionstream",
            ),
        ),
        migrations.AddField(
            model_name="finding",
            name="submission",
            field=accounts.tenancy.models.TenantForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="findings",
                to="evidence.submission",
            ),
        ),
        migrations.AddField(
            model_name="findingperiod",
            name="submission",
            field=accounts.tenancy.models.TenantForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="evidence.submission",
            ),
        ),
        migrations.AlterField(
            model_name="finding",
            name="check_id",
            field=models.CharField(max_length=300),
        ),
        migrations.AlterField(
            model_name="finding",
            name="connection",
            field=accounts.tenancy.models.TenantForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="findings",
                to="evidence.awsconnection",
            ),
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stream", None)),
                fields=("tenant", "connection", "check_id", "resource_key"),
                name="assessments_finding_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stream__isnull", False)),
                fields=("tenant", "stream", "check_id", "resource_key"),
                name="assessments_finding_submitted_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=accounts.tenancy.rls.TenantReference(
                edition=1, field="stream", name="assessments_finding_stream_fk"
            ),
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=accounts.tenancy.rls.TenantReference(
                edition=1, field="submission", name="assessments_finding_submission_fk"
            ),
        ),
        migrations.AddConstraint(
            model_name="findingperiod",
            constraint=accounts.tenancy.rls.TenantReference(
                edition=1, field="submission", name="assessments_findingperiod_submission_fk"
            ),
        ),
        migrations.AddConstraint(
            model_name="submittedcheck",
            constraint=models.UniqueConstraint(
                fields=("tenant", "stream", "check_id"), name="assessments_submittedcheck_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="submittedcheck",
            constraint=models.UniqueConstraint(
                fields=("tenant", "id"), name="assessments_submittedcheck_tenant_id"
            ),
        ),
        migrations.AddConstraint(
            model_name="submittedcheck",
            constraint=accounts.tenancy.rls.RowLevelSecurity(
                column="tenant_id", edition=1, name="assessments_submittedcheck_rls"
            ),
        ),
        migrations.AddConstraint(
            model_name="submittedcheck",
            constraint=accounts.tenancy.rls.TenantReference(
                edition=1, field="stream", name="assessments_submittedcheck_stream_fk"
            ),
        ),
    ]
