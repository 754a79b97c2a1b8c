"""Checks of other tools, as their documents name them, each with how it came out."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.tenancy.models import TenantForeignKey, TenantModel


class SubmittedCheck(TenantModel):
    """One check of one stream. `check_id` is that of its findings: "prowler:s3_bucket_object_versioning".

    `citations` are all that its outcomes were ever said to be evidence for. The numbers count the findings that are
    there now, by outcome; `weighing` those of the failing ones that make a gap (severity medium or above, or not
    told), `muted` those that the tool itself suppresses. They are kept up with each document, so that a status needs
    no look at every finding.
    """

    stream = TenantForeignKey("evidence.SubmissionStream", on_delete=models.PROTECT, related_name="checks")
    check_id = models.CharField(max_length=300)
    title = models.CharField(max_length=300, blank=True)
    severity = models.CharField(max_length=16)
    citations = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    passed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField(default=0)
    not_applicable = models.PositiveIntegerField(default=0)
    weighing = models.PositiveIntegerField(default=0)
    muted = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "stream", "check_id"], name="assessments_submittedcheck_once"
            ),
        )

    def __str__(self) -> str:
        return self.title or self.check_id
