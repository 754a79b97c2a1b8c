"""Submissions that may hold PHI are held back; saved mappings."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.tenancy.models
import accounts.tenancy.rls
import accounts.tenancy.scope


class Migration(migrations.Migration):
    dependencies = [
        ("evidence", "0003_submissions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="submission",
            name="deleted_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="submission",
            name="deletion_reason",
            field=models.TextField(blank=True),
        ),
        migrations.CreateModel(
            name="ReleaseDecision",
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
                ("person_name", models.CharField(max_length=150)),
                ("reason", models.TextField()),
                ("decided_at", models.DateTimeField(auto_now_add=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "submission",
                    accounts.tenancy.models.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="evidence.submission",
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "submission", "person"), name="evidence_releasedecision_once"
                    ),
                    models.UniqueConstraint(
                        fields=("tenant", "id"), name="evidence_releasedecision_tenant_id"
                    ),
                    accounts.tenancy.rls.RowLevelSecurity(
                        column="tenant_id", edition=1, name="evidence_releasedecision_rls"
                    ),
                    accounts.tenancy.rls.TenantReference(
                        edition=1, field="submission", name="evidence_releasedecision_submission_fk"
                    ),
                    accounts.tenancy.rls.AppendOnly(edition=1, name="evidence_releasedecision_append_only"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SubmissionMapping",
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
                ("name", models.CharField(max_length=100)),
                ("version", models.PositiveIntegerField()),
                ("description", models.CharField(blank=True, max_length=200)),
                ("content", models.JSONField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "name", "version"), name="evidence_submissionmapping_version"
                    ),
                    accounts.tenancy.rls.ImmutableColumns(
                        columns=("version", "content", "created_by_id", "created_at"),
                        edition=1,
                        name="evidence_submissionmapping_fixed",
                    ),
                    models.UniqueConstraint(
                        fields=("tenant", "id"), name="evidence_submissionmapping_tenant_id"
                    ),
                    accounts.tenancy.rls.RowLevelSecurity(
                        column="tenant_id", edition=1, name="evidence_submissionmapping_rls"
                    ),
                ],
            },
        ),
    ]
