"""Other tools' documents within a scope: what speaks of its safeguards in its period, or what findings rest on.

A document is one piece of evidence, and is shown whole. So a scope that names accounts has those alone whose stream
never said anything of another account, or of none. What isn't accepted is no evidence: a document that is being read,
held back or refused is never here, and of a deleted one nothing but that it was deleted.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from accounts.errors import NotFound
from assessments.engagements import scope
from assessments.models import Engagement, Finding, SubmittedCheck
from evidence.models import Submission, SubmissionState, SubmissionStream


def submissions(engagement: Engagement, citation: str = "") -> QuerySet[Submission]:
    """The accepted documents that are evidence of the safeguards in scope, or of the one given."""
    wanted = sorted(scope.wanted_citations(engagement, citation))
    speaking = SubmittedCheck.objects.filter(check_id__in=list(scope.tools_of(engagement, citation))).exclude(
        citations=[]
    )
    concerns = Q(citations__overlap=wanted) | Q(stream__in=speaking.values("stream"))
    told = scope.finding_periods(engagement, citation).exclude(submission=None).values("submission")
    return _timed(SubmissionState.ACCEPTED).filter(
        _within_accounts(engagement), (concerns & _in_period(engagement)) | Q(pk__in=told)
    )


def find_submission(engagement: Engagement, submission_id: UUID) -> Submission:
    """The document. Raises NotFound for one beyond the scope."""
    found = submissions(engagement).filter(pk=submission_id).first()
    if found is None:
        raise NotFound(scope.NOTHING)
    return found


def deleted(engagement: Engagement) -> QuerySet[Submission]:
    """The documents that were held back and deleted, as far as their senders named the scope's safeguards.

    Nobody read what they say: a scope of the whole Rule has all of them, one that names accounts those that came from
    clients of these accounts alone.
    """
    named = Q() if engagement.citations is None else Q(citations__overlap=sorted(scope.citations(engagement)))
    within = Q()
    if engagement.connection_ids is not None:
        within = Q(reach_connections__len__gt=0, reach_connections__contained_by=engagement.connection_ids)
    return _timed(SubmissionState.DELETED).filter(named, within, _in_period(engagement))


def _timed(state: SubmissionState) -> QuerySet[Submission]:
    """Documents with the time that they speak of, `begins` until `ends`: as the sender says, or their tool."""
    ends = Coalesce("effective_to", "produced_at", "received_at", output_field=DateTimeField())
    begins = Coalesce("effective_from", ends, output_field=DateTimeField())
    rows: QuerySet[Submission] = Submission.objects.filter(state=state).alias(begins=begins, ends=ends)
    return rows


def _in_period(engagement: Engagement) -> Q:
    return Q(begins__lt=engagement.ends, ends__gte=engagement.starts)


def _within_accounts(engagement: Engagement) -> Q:
    if engagement.connection_ids is None:
        return Q()
    said = Finding.objects.filter(stream=OuterRef("pk"))
    inside = Q(connection__in=engagement.connection_ids)
    beyond = said.filter(Q(connection=None) | ~inside)
    return Q(stream__in=SubmissionStream.objects.filter(Exists(said.filter(inside)), ~Exists(beyond)))
