"""Templates, questionnaires that were sent, and what was answered.

A questionnaire is the upstream party's row, its answers are rows of whoever answers: the business associate's own where
it is a tenant, the upstream's otherwise (by workbook or by a guest's link). In that case nobody else is shown the rows,
and `viewer` is the upstream itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from django.db import models

from accounts.models import Person
from accounts.tenancy.models import SharedModel, TenantForeignKey, TenantModel
from accounts.tenancy.rls import ImmutableColumns
from assessments.partners.models import BusinessAssociate
from assessments.questionnaires.content import Content, parse


class QuestionnaireTemplate(TenantModel):
    """A tenant's own template. `origin` is the key of the shipped one or the id of the own one it was copied from."""

    title = models.CharField(max_length=200)
    origin = models.CharField(max_length=64, blank=True)
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.title


class TemplateVersion(TenantModel):
    """A state of a template. It is frozen with its first questionnaire; changing it later makes the next version.

    `content` is assessments.questionnaires.content.Content as JSON.
    """

    template = TenantForeignKey(QuestionnaireTemplate, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    content = models.JSONField()
    frozen_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "template", "number"], name="assessments_templateversion_number"
            ),
        )

    def __str__(self) -> str:
        return f"version {self.number}"


class Questionnaire(SharedModel):
    """What one business associate is asked, with the questions as they were when it was sent.

    `template` is the key of a shipped template or the id of an own one, `version` its number. `partnership_id` is None
    for a business associate that isn't a tenant. `round` counts from 1; each "more needed" begins the next. `reviews`
    are the ended rounds': [{"round", "at", "decision", "items": {question: {"verdict", "comment"}}}]. `previous_id` is
    the last questionnaire by the same template. How it stands follows from this and the answers: see states.py.
    """

    associate = TenantForeignKey(BusinessAssociate, on_delete=models.PROTECT, related_name="questionnaires")
    title = models.CharField(max_length=200)
    partnership_id = models.UUIDField(null=True, blank=True)
    template = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    year = models.PositiveSmallIntegerField()
    content = models.JSONField()
    content_sha256 = models.CharField(max_length=64)
    upstream_name = models.CharField(max_length=200)
    downstream_name = models.CharField(max_length=200)
    due_on = models.DateField()
    sent_at = models.DateTimeField(auto_now_add=True)
    sent_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    round = models.PositiveSmallIntegerField(default=1)
    review_began_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    reviews = models.JSONField(default=list)
    previous_id = models.UUIDField(null=True, blank=True)
    reminders = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = (
            ImmutableColumns(
                name="assessments_questionnaire_fixed",
                columns=(
                    "viewer_id",
                    "partnership_id",
                    "associate_id",
                    "content",
                    "content_sha256",
                    "version",
                ),
            ),
        )
        indexes = (
            models.Index(fields=["tenant", "associate", "-sent_at"], name="questionnaire_by_associate"),
            models.Index(fields=["tenant", "due_on", "id"], name="questionnaire_due"),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def questions(self) -> Content:
        """The questions."""
        return parse(self.content)

    @property
    def asking_id(self) -> UUID:
        """The tenant that asks."""
        return cast("UUID", self.tenant_id)

    @property
    def answering_id(self) -> UUID:
        """The tenant in which it is answered."""
        return self.viewer_id

    @property
    def by_guests(self) -> bool:
        """Whether it is answered by workbook or link, since the business associate isn't a tenant here."""
        return self.partnership_id is None


class AnswersDraft(TenantModel):
    """What is answered and not handed in; its tenant alone sees it. `entries`: question to entries.Entry."""

    questionnaire_id = models.UUIDField()
    entries = models.JSONField(default=dict)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "questionnaire_id"], name="assessments_answersdraft_once"
            ),
        )

    def __str__(self) -> str:
        return f"{len(self.entries)} answers"


class Answers(SharedModel):
    """The answers to one round, for whoever asked. Until they are handed in, only that somebody has begun is shown.

    Names are kept, since the questionnaire's row is gone when it is withdrawn. `way`: portal, workbook or link.
    """

    questionnaire_id = models.UUIDField()
    title = models.CharField(max_length=200)
    upstream_name = models.CharField(max_length=200)
    year = models.PositiveSmallIntegerField()
    round = models.PositiveSmallIntegerField()
    entries = models.JSONField(default=dict)
    way = models.CharField(max_length=16, default="portal")
    submitted_by = models.CharField(max_length=254, blank=True)
    began_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "questionnaire_id", "round"], name="assessments_answers_round"
            ),
            ImmutableColumns(
                name="assessments_answers_fixed", columns=("viewer_id", "questionnaire_id", "round")
            ),
        )
        indexes = (models.Index(fields=["viewer", "questionnaire_id", "round"], name="answers_to_viewer"),)

    def __str__(self) -> str:
        return self.title


class AnswerReview(TenantModel):
    """What the upstream finds of one answer in one round; the other party sees it when the round is ended."""

    questionnaire = TenantForeignKey(Questionnaire, on_delete=models.PROTECT, related_name="findings")
    round = models.PositiveSmallIntegerField()
    question = models.CharField(max_length=64)
    verdict = models.CharField(max_length=16)
    comment = models.TextField(max_length=2000, blank=True)
    author = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "questionnaire", "round", "question"], name="assessments_answerreview_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.question}: {self.verdict}"


class AnswersImport(TenantModel):
    """A workbook that was read and compared with the draft. Nothing of it counts until it is confirmed.

    `lines` are assessments.questionnaires.workbook.Line as JSON.
    """

    questionnaire_id = models.UUIDField()
    file_sha256 = models.CharField(max_length=64)
    lines = models.JSONField()
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{len(self.lines)} lines"


class GuestLink(TenantModel):
    """A link by e-mail that opens one questionnaire, for answering it without an account. Its token's SHA-256 is kept.

    `asked` of `asked_since` count its requests, for the limit.
    """

    questionnaire = TenantForeignKey(Questionnaire, on_delete=models.PROTECT, related_name="links")
    email = models.EmailField(max_length=254)
    token_digest = models.BinaryField(max_length=32)
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    asked = models.PositiveIntegerField(default=0)
    asked_since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "token_digest"], name="assessments_guestlink_token"),
        )

    def __str__(self) -> str:
        return self.email

    def is_open(self, at: datetime) -> bool:
        """Whether the link still works."""
        return self.revoked_at is None and at < self.expires_at
