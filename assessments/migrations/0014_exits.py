"""Exits with proof."""

import accounts.tenancy.models
import accounts.tenancy.rls
import accounts.tenancy.scope
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("assessments", "0013_onboarding"), ("accounts", "0009_auditors")]

    operations = [
        migrations.CreateModel(
            name="Exit",
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
                ("shown_from", models.DateTimeField(default=django.utils.timezone.now)),
                ("shown_until", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("partnership_id", models.UUIDField(blank=True, null=True)),
                ("agreement_id", models.UUIDField(blank=True, null=True)),
                ("agreement", models.CharField(blank=True, max_length=300)),
                ("upstream_name", models.CharField(max_length=200)),
                ("downstream_name", models.CharField(max_length=200)),
                ("reason", models.TextField(max_length=1000)),
                ("items", models.JSONField()),
                ("began_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("began_by_name", models.CharField(max_length=200)),
                ("runs_from", models.DateField()),
                ("return_days", models.PositiveSmallIntegerField()),
                ("days_why", models.CharField(max_length=200)),
                ("due_at", models.DateTimeField()),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("closed_by_name", models.CharField(blank=True, max_length=200)),
                ("closed_note", models.TextField(blank=True, max_length=1000)),
                (
                    "associate",
                    accounts.tenancy.models.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exits",
                        to="assessments.businessassociate",
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
                    "viewer",
                    models.ForeignKey(
                        db_index=False,
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
                'indexes': [models.Index(fields=["tenant", "associate", "-began_at"], name="exit_by_associate"), models.Index(fields=["viewer", "partnership_id"], name="exit_by_partnership"), models.Index(fields=["viewer", "id"], name="exit_viewer")],
                'constraints': [models.UniqueConstraint(
                condition=models.Q(("closed_at", None)),
                fields=("tenant", "associate"),
                name="assessments_exit_open",
            ), accounts.tenancy.rls.ImmutableColumns(
                columns=(
                    "viewer_id",
                    "associate_id",
                    "partnership_id",
                    "agreement_id",
                    "items",
                    "began_at",
                    "runs_from",
                    "return_days",
                    "due_at",
                    "shown_from",
                    "shown_until",
                    "withdrawn_at",
                ),
                edition=1,
                name="assessments_exit_fixed",
            ), models.UniqueConstraint(fields=("tenant", "id"), name="assessments_exit_tenant_id"), accounts.tenancy.rls.SharedRowSecurity(edition=1, name="assessments_exit_rls"), accounts.tenancy.rls.TenantReference(
                edition=1, field="associate", name="assessments_exit_associate_fk"
            )],
            },
        ),
        migrations.CreateModel(
            name="ExitCertificate",
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
                ("shown_from", models.DateTimeField(default=django.utils.timezone.now)),
                ("shown_until", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("exit_id", models.UUIDField()),
                ("number", models.PositiveSmallIntegerField()),
                ("upstream_name", models.CharField(max_length=200)),
                ("downstream_name", models.CharField(max_length=200)),
                ("officer_name", models.CharField(max_length=200)),
                ("officer_title", models.CharField(max_length=200)),
                ("authority", models.CharField(max_length=400)),
                ("certified_at", models.DateTimeField()),
                ("complete", models.BooleanField()),
                ("exceptions", models.PositiveSmallIntegerField()),
                ("content", models.TextField()),
                ("content_sha256", models.CharField(max_length=64)),
                ("pdf", models.BinaryField()),
                ("pdf_sha256", models.CharField(max_length=64)),
                ("kept_until", models.DateField()),
                (
                    "certified_by",
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
                (
                    "viewer",
                    models.ForeignKey(
                        db_index=False,
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
                'indexes': [models.Index(fields=["viewer", "exit_id"], name="exitcertificate_shown"), models.Index(fields=["viewer", "id"], name="exitcertificate_viewer")],
                'constraints': [models.UniqueConstraint(
                fields=("tenant", "exit_id", "number"), name="assessments_exitcertificate_once"
            ), models.UniqueConstraint(
                fields=("tenant", "id"), name="assessments_exitcertificate_tenant_id"
            ), accounts.tenancy.rls.SharedRowSecurity(
                edition=1, name="assessments_exitcertificate_rls"
            ), accounts.tenancy.rls.AppendOnly(
                edition=1, name="assessments_exitcertificate_append_only"
            )],
            },
        ),
        migrations.CreateModel(
            name="ExitEvidence",
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
                ("shown_from", models.DateTimeField(default=django.utils.timezone.now)),
                ("shown_until", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("exit_id", models.UUIDField()),
                (
                    "disclosure",
                    models.CharField(
                        choices=[
                            ("counts", "How many are gone, pending, still there or not known"),
                            ("names", "Each resource by name, with the evidence"),
                        ],
                        max_length=16,
                    ),
                ),
                ("gone", models.PositiveIntegerField(default=0)),
                ("pending", models.PositiveIntegerField(default=0)),
                ("there", models.PositiveIntegerField(default=0)),
                ("unknown", models.PositiveIntegerField(default=0)),
                ("pending_until", models.DateTimeField(blank=True, null=True)),
                ("facts", models.JSONField(default=list)),
                ("as_of", models.DateTimeField(blank=True, null=True)),
                ("looked_at", models.DateTimeField()),
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
                    "viewer",
                    models.ForeignKey(
                        db_index=False,
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
                'indexes': [models.Index(fields=["viewer", "exit_id"], name="exitevidence_shown"), models.Index(fields=["viewer", "id"], name="exitevidence_viewer")],
                'constraints': [models.UniqueConstraint(
                fields=("tenant", "exit_id"), name="assessments_exitevidence_once"
            ), accounts.tenancy.rls.ImmutableColumns(
                columns=("viewer_id", "exit_id"), edition=1, name="assessments_exitevidence_fixed"
            ), models.UniqueConstraint(
                fields=("tenant", "id"), name="assessments_exitevidence_tenant_id"
            ), accounts.tenancy.rls.SharedRowSecurity(edition=1, name="assessments_exitevidence_rls")],
            },
        ),
        migrations.CreateModel(
            name="ExitPackage",
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
                ("shown_from", models.DateTimeField(default=django.utils.timezone.now)),
                ("shown_until", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("address", models.CharField(blank=True, default="", max_length=200)),
                ("wrapped_key", models.BinaryField(default=b"")),
                ("key_id", models.CharField(blank=True, default="", max_length=200)),
                ("ciphertext_digest", models.CharField(blank=True, default="", max_length=64)),
                ("stored_size", models.PositiveBigIntegerField(default=0)),
                ("package_sha256", models.CharField(blank=True, default="", max_length=64)),
                ("package_size", models.PositiveBigIntegerField(default=0)),
                ("certificate_id", models.UUIDField()),
                ("signed_at", models.DateTimeField(default=django.utils.timezone.now)),
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
                    "viewer",
                    models.ForeignKey(
                        db_index=False,
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
                'indexes': [models.Index(fields=["viewer", "certificate_id"], name="exitpackage_shown"), models.Index(fields=["viewer", "id"], name="exitpackage_viewer")],
                'constraints': [models.UniqueConstraint(
                fields=("tenant", "certificate_id"), name="assessments_exitpackage_once"
            ), models.UniqueConstraint(
                fields=("tenant", "id"), name="assessments_exitpackage_tenant_id"
            ), accounts.tenancy.rls.SharedRowSecurity(edition=1, name="assessments_exitpackage_rls"), accounts.tenancy.rls.AppendOnly(edition=1, name="assessments_exitpackage_append_only")],
            },
        ),
        migrations.CreateModel(
            name="ExitPaper",
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
                ("certified_by", models.CharField(max_length=200)),
                ("title", models.CharField(blank=True, max_length=200)),
                ("certified_on", models.DateField()),
                ("reference", models.CharField(blank=True, max_length=200)),
                ("words", models.TextField(blank=True, max_length=2000)),
                ("file_name", models.CharField(blank=True, max_length=200)),
                ("recorded_at", models.DateTimeField(auto_now_add=True)),
                (
                    "blob",
                    accounts.tenancy.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="evidence.blob",
                    ),
                ),
                (
                    "exit",
                    accounts.tenancy.models.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="papers",
                        to="assessments.exit",
                    ),
                ),
                (
                    "recorded_by",
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
                'indexes': [models.Index(fields=["tenant", "exit", "-recorded_at"], name="exitpaper_by_exit")],
                'constraints': [models.UniqueConstraint(
                fields=("tenant", "id"), name="assessments_exitpaper_tenant_id"
            ), accounts.tenancy.rls.RowLevelSecurity(
                column="tenant_id", edition=1, name="assessments_exitpaper_rls"
            ), accounts.tenancy.rls.TenantReference(
                edition=1, field="exit", name="assessments_exitpaper_exit_fk"
            ), accounts.tenancy.rls.TenantReference(
                edition=1, field="blob", name="assessments_exitpaper_blob_fk"
            ), accounts.tenancy.rls.AppendOnly(edition=1, name="assessments_exitpaper_append_only")],
            },
        ),
        migrations.CreateModel(
            name="ExitProof",
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
                ("shown_from", models.DateTimeField(default=django.utils.timezone.now)),
                ("shown_until", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("exit_id", models.UUIDField()),
                ("item", models.CharField(max_length=32)),
                (
                    "said",
                    models.CharField(
                        choices=[
                            ("returned", "Returned"),
                            ("destroyed", "Destroyed"),
                            ("done", "Done"),
                            ("not_feasible", "Not feasible"),
                            ("not_applicable", "Not applicable"),
                        ],
                        max_length=16,
                    ),
                ),
                ("on", models.DateField(blank=True, null=True)),
                ("how", models.TextField(blank=True, max_length=2000)),
                ("reason", models.TextField(blank=True, max_length=2000)),
                ("protections", models.TextField(blank=True, max_length=2000)),
                ("by_hand", models.BooleanField(default=False)),
                ("evidence", models.JSONField(default=dict)),
                ("by_name", models.CharField(max_length=200)),
                ("said_at", models.DateTimeField(default=django.utils.timezone.now)),
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
                    "viewer",
                    models.ForeignKey(
                        db_index=False,
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
                'indexes': [models.Index(fields=["tenant", "exit_id", "item", "-said_at"], name="exitproof_own"), models.Index(fields=["viewer", "exit_id", "item", "-said_at"], name="exitproof_shown"), models.Index(fields=["viewer", "id"], name="exitproof_viewer")],
                'constraints': [models.CheckConstraint(
                condition=models.Q(
                    models.Q(("said__in", ["not_feasible", "not_applicable"]), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="assessments_exitproof_reason",
            ), models.UniqueConstraint(
                fields=("tenant", "id"), name="assessments_exitproof_tenant_id"
            ), accounts.tenancy.rls.SharedRowSecurity(edition=1, name="assessments_exitproof_rls"), accounts.tenancy.rls.AppendOnly(edition=1, name="assessments_exitproof_append_only")],
            },
        ),
        migrations.CreateModel(
            name="ExitResource",
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
                ("exit_id", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("bucket", "S3 bucket"),
                            ("volume", "EBS volume"),
                            ("ebs_snapshot", "EBS snapshot"),
                            ("image", "Server image (AMI)"),
                            ("database", "RDS database"),
                            ("cluster", "RDS cluster"),
                            ("db_snapshot", "RDS snapshot"),
                            ("cluster_snapshot", "RDS cluster snapshot"),
                            ("key", "KMS key"),
                        ],
                        max_length=24,
                    ),
                ),
                ("region", models.CharField(max_length=32)),
                ("identifier", models.CharField(max_length=512)),
                ("seen_at", models.DateTimeField()),
                ("seen_digest", models.CharField(max_length=64)),
                ("named_at", models.DateTimeField(auto_now_add=True)),
                (
                    "connection",
                    accounts.tenancy.models.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="evidence.awsconnection",
                    ),
                ),
                (
                    "named_by",
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
                'constraints': [models.UniqueConstraint(
                fields=("tenant", "exit_id", "connection", "kind", "region", "identifier"),
                name="assessments_exitresource_once",
            ), accounts.tenancy.rls.ImmutableColumns(
                columns=(
                    "exit_id",
                    "connection_id",
                    "kind",
                    "region",
                    "identifier",
                    "seen_at",
                    "seen_digest",
                ),
                edition=1,
                name="assessments_exitresource_fixed",
            ), models.UniqueConstraint(
                fields=("tenant", "id"), name="assessments_exitresource_tenant_id"
            ), accounts.tenancy.rls.RowLevelSecurity(
                column="tenant_id", edition=1, name="assessments_exitresource_rls"
            ), accounts.tenancy.rls.TenantReference(
                edition=1, field="connection", name="assessments_exitresource_connection_fk"
            )],
            },
        ),
        migrations.CreateModel(
            name="ExitReview",
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
                ("shown_from", models.DateTimeField(default=django.utils.timezone.now)),
                ("shown_until", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("exit_id", models.UUIDField()),
                ("proof_id", models.UUIDField()),
                ("item", models.CharField(max_length=32)),
                (
                    "verdict",
                    models.CharField(
                        choices=[("accepted", "Accepted"), ("more", "More is needed")], max_length=16
                    ),
                ),
                ("words", models.TextField(blank=True, max_length=2000)),
                ("by_name", models.CharField(max_length=200)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
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
                    "viewer",
                    models.ForeignKey(
                        db_index=False,
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
                'indexes': [models.Index(fields=["tenant", "exit_id"], name="exitreview_own"), models.Index(fields=["viewer", "exit_id"], name="exitreview_shown"), models.Index(fields=["viewer", "id"], name="exitreview_viewer")],
                'constraints': [models.CheckConstraint(
                condition=models.Q(
                    models.Q(("verdict", "more"), _negated=True),
                    models.Q(("words", ""), _negated=True),
                    _connector="OR",
                ),
                name="assessments_exitreview_words",
            ), models.UniqueConstraint(
                fields=("tenant", "id"), name="assessments_exitreview_tenant_id"
            ), accounts.tenancy.rls.SharedRowSecurity(edition=1, name="assessments_exitreview_rls"), accounts.tenancy.rls.AppendOnly(edition=1, name="assessments_exitreview_append_only")],
            },
        ),
    ]
