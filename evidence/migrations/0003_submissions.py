"""What clients push."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.tenancy.models
import accounts.tenancy.rls
import accounts.tenancy.scope
from accounts.tenancy.lookups import create_lookup


class Migration(migrations.Migration):
    dependencies = [
        ("evidence", "0002_fields"),
        ("accounts", "0022_auditors_clients"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="blob",
            name="sealed_as",
            field=models.CharField(blank=True, default="", max_length=300),
        ),
        migrations.CreateModel(
            name="SubmissionStream",
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
                ("producer", models.CharField(max_length=64)),
                ("name", models.CharField(max_length=100)),
                ("complete_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
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
        migrations.CreateModel(
            name="Submission",
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
                ("sequence", models.PositiveBigIntegerField()),
                ("sender", models.CharField(max_length=150)),
                ("receipt", models.TextField()),
                ("received_at", models.DateTimeField()),
                ("digest", models.CharField(max_length=64)),
                ("size", models.PositiveBigIntegerField()),
                ("name", models.CharField(blank=True, max_length=255)),
                ("media_type", models.CharField(max_length=100)),
                ("declared_format", models.CharField(blank=True, max_length=32)),
                ("stream_name", models.CharField(blank=True, max_length=100)),
                ("complete", models.BooleanField(default=False)),
                (
                    "citations",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), blank=True, default=list, size=None
                    ),
                ),
                ("effective_from", models.DateTimeField(blank=True, null=True)),
                ("effective_to", models.DateTimeField(blank=True, null=True)),
                ("mapping", models.JSONField(blank=True, null=True)),
                (
                    "reach_safeguards",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), blank=True, default=list, size=None
                    ),
                ),
                (
                    "reach_connections",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                ("address", models.CharField(max_length=200)),
                ("wrapped_key", models.BinaryField()),
                ("key_id", models.CharField(max_length=200)),
                ("ciphertext_digest", models.CharField(max_length=64)),
                ("stored_size", models.PositiveBigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "Being read"),
                            ("accepted", "Accepted"),
                            ("refused", "Refused"),
                            ("quarantined", "Held back"),
                            ("deleted", "Deleted"),
                        ],
                        default="received",
                        max_length=16,
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("fence", models.PositiveIntegerField(default=0)),
                ("attempt", models.PositiveIntegerField(default=0)),
                ("problem", models.TextField(blank=True)),
                ("found", models.JSONField(default=list)),
                ("released", models.BooleanField(default=False)),
                ("format", models.CharField(blank=True, max_length=32)),
                ("producer", models.CharField(blank=True, max_length=200)),
                ("producer_version", models.CharField(blank=True, max_length=100)),
                ("produced_at", models.DateTimeField(blank=True, null=True)),
                ("header", models.JSONField(default=dict)),
                ("counts", models.JSONField(default=dict)),
                ("processed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "blob",
                    accounts.tenancy.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submissions",
                        to="evidence.blob",
                    ),
                ),
                (
                    "client",
                    accounts.tenancy.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.apiclient",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        null=True,
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
                (
                    "stream",
                    accounts.tenancy.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submissions",
                        to="evidence.submissionstream",
                    ),
                ),
            ],
            options={
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.AddConstraint(
            model_name="submissionstream",
            constraint=models.UniqueConstraint(
                fields=("tenant", "producer", "name"), name="evidence_submissionstream_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="submissionstream",
            constraint=models.UniqueConstraint(
                fields=("tenant", "id"), name="evidence_submissionstream_tenant_id"
            ),
        ),
        migrations.AddConstraint(
            model_name="submissionstream",
            constraint=accounts.tenancy.rls.RowLevelSecurity(
                column="tenant_id", edition=1, name="evidence_submissionstream_rls"
            ),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["tenant", "-received_at", "-id"], name="submission_newest"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(
                condition=models.Q(("state", "received")), fields=["due_at"], name="submission_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=models.UniqueConstraint(
                fields=("tenant", "sequence"), name="evidence_submission_sequence"
            ),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=accounts.tenancy.rls.ImmutableColumns(
                columns=("sequence", "receipt", "received_at", "digest", "size", "sender", "citations"),
                edition=1,
                name="evidence_submission_fixed",
            ),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=models.UniqueConstraint(fields=("tenant", "id"), name="evidence_submission_tenant_id"),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=accounts.tenancy.rls.RowLevelSecurity(
                column="tenant_id", edition=1, name="evidence_submission_rls"
            ),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=accounts.tenancy.rls.TenantReference(
                edition=1, field="client", name="evidence_submission_client_fk"
            ),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=accounts.tenancy.rls.TenantReference(
                edition=1, field="blob", name="evidence_submission_blob_fk"
            ),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=accounts.tenancy.rls.TenantReference(
                edition=1, field="stream", name="evidence_submission_stream_fk"
            ),
        ),
        create_lookup(
            name="portal_due_submissions",
            arguments="due_at timestamptz, most integer",
            returns="TABLE (tenant_id uuid, row_id uuid)",
            body="""
                SELECT s.tenant_id, s.id FROM evidence_submission s
                WHERE s.state = 'received' AND s.due_at <= portal_due_submissions.due_at ORDER BY s.due_at LIMIT most
            """,
            reads=["evidence_submission"],
        ),
    ]
