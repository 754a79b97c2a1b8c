"""Agreements, their versions, what was found in their clauses, and what the other party is shown of them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, ClassVar

from django.db import models

from accounts.models import Person
from accounts.tenancy.models import SharedModel, TenantForeignKey, TenantModel
from accounts.tenancy.rls import ImmutableColumns
from assessments.agreements.states import DatedManager, DatedReceivedManager, Stage, State
from assessments.partners.models import BusinessAssociate
from evidence.models import Blob


class Disposal(models.TextChoices):
    """What happens to PHI at the end (164.504(e)(2)(ii)(J))."""

    RETURN = "return", "Returned"
    DESTROY = "destroy", "Destroyed"
    EITHER = "either", "Returned or destroyed"


class TermColumns(models.Model):
    """What an agreement says, in columns. NULL: it doesn't say, or nobody has looked yet.

    `ends_on` is the last day of its term, NULL where it runs until it is ended. With `renews` the term begins anew
    by itself for `renewal_months`, unless a party gives notice `notice_days` before its last day. Hours run from the
    business associate's discovery, or from the event.
    """

    own_party = models.CharField(max_length=200, blank=True)
    other_party = models.CharField(max_length=200, blank=True)
    signed_on = models.DateField(null=True, blank=True)
    effective_from = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    renews = models.BooleanField(default=False)
    renewal_months = models.PositiveSmallIntegerField(null=True, blank=True)
    notice_days = models.PositiveSmallIntegerField(null=True, blank=True)
    incident_hours = models.PositiveIntegerField(null=True, blank=True)
    breach_hours = models.PositiveIntegerField(null=True, blank=True)
    contingency_hours = models.PositiveIntegerField(null=True, blank=True)
    workforce_hours = models.PositiveIntegerField(null=True, blank=True)
    return_days = models.PositiveSmallIntegerField(null=True, blank=True)
    disposal = models.CharField(max_length=16, blank=True, choices=Disposal)
    audit_right = models.BooleanField(null=True, blank=True)
    binds_subcontractors = models.BooleanField(null=True, blank=True)
    """Whether it promises agreements with subcontractors (164.314(a)(2)(i)(B) and (iii), 164.308(b)(2))."""

    class Meta:
        abstract = True


TERM_FIELDS = tuple(field.name for field in TermColumns._meta.local_fields)
"""The names of a version's terms, in the order of forms and letters."""


def copy_terms(source: TermColumns, target: Any) -> None:
    """Writes what one says into another, unsaved."""
    for name in TERM_FIELDS:
        setattr(target, name, getattr(source, name))


class Standing(models.Model):
    """From which columns the state follows: see assessments.agreements.states. `last_on` is the last day in force."""

    stage = models.CharField(max_length=16, choices=Stage, default=Stage.DRAFT)
    terminated_on = models.DateField(null=True, blank=True)
    last_on = models.DateField(null=True, blank=True)

    state: str | None
    """A `State`, on rows that `with_state` found."""

    class Meta:
        abstract = True

    @property
    def state_label(self) -> str:
        """The state in words."""
        return State(str(self.state)).label


class Agreement(TermColumns, Standing, TenantModel):
    """A business associate agreement as it stands now. What it said before stands in its versions.

    An associate has one that is current; one that was terminated stays and gives place to the next. `version` is the
    number of the newest version, `terms_version` of that whose terms these are. `clauses_missing` counts clauses that
    were found missing, `clauses_open` those that the Rule asks for and nobody has looked for yet.
    """

    associate = TenantForeignKey(BusinessAssociate, on_delete=models.PROTECT, related_name="agreements")
    is_current = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    terms_version = models.PositiveIntegerField(default=1)
    termination_reason = models.CharField(max_length=500, blank=True)
    clauses_missing = models.PositiveSmallIntegerField(default=0)
    clauses_open = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = DatedManager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "associate"],
                condition=models.Q(is_current=True),
                name="assessments_agreement_current",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_on=None)
                | models.Q(effective_from=None)
                | models.Q(effective_from__lte=models.F("ends_on")),
                name="assessments_agreement_term",
            ),
            ImmutableColumns(name="assessments_agreement_fixed", columns=("associate_id", "created_at")),
        )
        indexes = (models.Index(fields=["tenant", "is_current", "last_on", "id"], name="agreement_by_end"),)

    def __str__(self) -> str:
        return f"agreement with {self.other_party}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves the row with the last day that follows from its dates."""
        self.last_on = last_day(self)
        super().save(*args, **kwargs)


def last_day(agreement: Agreement) -> date | None:
    """The last day in force: of its term unless that renews itself, or the one before its termination."""
    ends = [
        *([agreement.ends_on] if agreement.ends_on and not agreement.renews else []),
        *([agreement.terminated_on - timedelta(days=1)] if agreement.terminated_on else []),
    ]
    return min(ends, default=None)


class VersionKind(models.TextChoices):
    """What a version is."""

    DRAFT = "draft", "Draft"
    SIGNED = "signed", "Signed agreement"
    AMENDMENT = "amendment", "Amendment"
    RENEWAL = "renewal", "Renewal"
    CORRECTION = "correction", "Correction of what was recorded"


class AgreementVersion(TermColumns, TenantModel):
    """What an agreement said from a version on, numbered from 1; never changed.

    `summary` says what is new in it. Its document is in the vault, where there is one.
    """

    append_only = True

    agreement = TenantForeignKey(Agreement, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=16, choices=VersionKind)
    summary = models.CharField(max_length=500, blank=True)
    blob = TenantForeignKey(Blob, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    file_name = models.CharField(max_length=200, blank=True)
    recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "agreement", "number"], name="assessments_agreementversion_once"
            ),
        )

    def __str__(self) -> str:
        return f"version {self.number}"


class ClauseAnswer(models.TextChoices):
    """What somebody found who looked for a clause."""

    PRESENT = "present", "Present"
    MISSING = "missing", "Missing"
    NOT_APPLICABLE = "not_applicable", "Not applicable"


class ClauseMark(TenantModel):
    """What was found of a clause in a version. The newest of a clause counts, for later versions as well.

    `clause` is the id of assessments.agreements.clauses.
    """

    append_only = True

    version = TenantForeignKey(AgreementVersion, on_delete=models.PROTECT, related_name="marks")
    clause = models.CharField(max_length=64)
    answer = models.CharField(max_length=16, choices=ClauseAnswer)
    page = models.PositiveSmallIntegerField(null=True, blank=True)
    quote = models.CharField(max_length=500, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    marked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    marked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["tenant", "version", "clause"], name="clausemark_by_version"),)

    def __str__(self) -> str:
        return f"{self.clause}: {self.answer}"


class AgreementReminder(TenantModel):
    """That people were told of an end, `days` before it; 0 is that it has lapsed.

    `told` counts addresses: {"own": 2, "theirs": 1}.
    """

    append_only = True

    agreement = TenantForeignKey(Agreement, on_delete=models.PROTECT, related_name="reminders")
    last_on = models.DateField()
    days = models.PositiveSmallIntegerField()
    told = models.JSONField(default=dict)
    sent_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "agreement", "last_on", "days"], name="assessments_agreementreminder_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.days} days before {self.last_on}"


class AgreementTerms(TermColumns, Standing, SharedModel):
    """A signed agreement as the covered entity shows it to its business associate: the same for both.

    One a partnership. Documents, clauses and remarks aren't in it.
    """

    partnership_id = models.UUIDField()
    agreement_id = models.UUIDField()
    upstream_name = models.CharField(max_length=200)
    downstream_name = models.CharField(max_length=200)
    version = models.PositiveIntegerField()
    changed_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = DatedManager()
    received: ClassVar[Any] = DatedReceivedManager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "partnership_id"], name="assessments_agreementterms_once"
            ),
            ImmutableColumns(
                name="assessments_agreementterms_fixed", columns=("viewer_id", "partnership_id")
            ),
        )
        indexes = (models.Index(fields=["viewer", "partnership_id"], name="agreementterms_partner"),)

    def __str__(self) -> str:
        return f"agreement of {self.upstream_name} and {self.downstream_name}"
