"""What both sides say of a safeguard, and what the auditor concludes. Nothing is overwritten: versions stay."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput
from accounts.tenancy.scope import savepoint
from assessments.engagements import scope
from assessments.engagements.models import Judgement, Side
from assessments.models import Conclusion, Engagement, SafeguardComment


def comment(*, engagement: Engagement, citation: str, side: Side, text: str, by: UUID) -> SafeguardComment:
    """Says something about a safeguard, to both sides. Raises NotFound beyond the scope, InvalidInput without text."""
    scope.find_safeguard(engagement, citation)
    if not text.strip():
        raise InvalidInput("Write a text.", field="text")
    made: SafeguardComment = SafeguardComment.objects.create(
        engagement=engagement, citation=citation, side=side, author_id=by, text=text.strip()
    )
    record(Act.SAFEGUARD_COMMENT, object_type="safeguard", object_id=citation, engagement=str(engagement.pk))
    return made


def conclude(
    *, engagement: Engagement, citation: str, judgement: Judgement, reasons: str, shared: bool, by: UUID
) -> Conclusion:
    """Writes the next version of the auditor's conclusion. The tenant sees the versions that are shared.

    Raises NotFound beyond the scope, InvalidInput without reasons, Conflict where another auditor was faster.
    """
    scope.find_safeguard(engagement, citation)
    if not reasons.strip():
        raise InvalidInput("Give the reasons.", field="reasons")
    version = Conclusion.objects.filter(engagement=engagement, citation=citation).count() + 1
    try:
        with savepoint():
            made: Conclusion = Conclusion.objects.create(
                engagement=engagement, citation=citation, version=version, judgement=judgement,
                reasons=reasons.strip(), shared=shared, author_id=by,
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict("Another auditor concluded at the same time. Read that first.") from error
    record(
        Act.SAFEGUARD_CONCLUDE, object_type="safeguard", object_id=citation, engagement=str(engagement.pk),
        judgement=str(judgement), version=version, shared=shared,
    )  # fmt: skip
    return made
