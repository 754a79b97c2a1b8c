"""Requests: asked by the auditor, answered by the tenant, accepted or sent back. The machine is a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Membership
from accounts.permissions import Permission, Role, allows
from accounts.tenancy.scope import savepoint
from assessments.engagements import documents, scope
from assessments.engagements.models import RequestState, Side
from assessments.models import Engagement, EvidenceRequest, RequestEvidence, RequestMessage

LONGEST_TEXT = 10_000


class RequestAct(StrEnum):
    """What a message does to its request."""

    ASK = "ask"
    COMMENT = "comment"
    ANSWER = "answer"
    ACCEPT = "accept"
    NEED_MORE = "need_more"
    WITHDRAW = "withdraw"

    @property
    def label(self) -> str:
        """The words on the button."""
        return _LABELS[self]


_LABELS = {
    RequestAct.ASK: "Asked",
    RequestAct.COMMENT: "Comment",
    RequestAct.ANSWER: "Answer",
    RequestAct.ACCEPT: "Accept",
    RequestAct.NEED_MORE: "Ask for more",
    RequestAct.WITHDRAW: "Withdraw",
}

_ASKED, _ANSWERED, _NEED_MORE, _ACCEPTED = (
    RequestState.ASKED,
    RequestState.ANSWERED,
    RequestState.NEED_MORE,
    RequestState.ACCEPTED,
)
MACHINE: Mapping[tuple[Side, RequestAct], Mapping[RequestState, RequestState]] = {
    (Side.TENANT, RequestAct.ANSWER): {_ASKED: _ANSWERED, _NEED_MORE: _ANSWERED, _ANSWERED: _ANSWERED},
    (Side.AUDITOR, RequestAct.ACCEPT): {_ANSWERED: _ACCEPTED},
    (Side.AUDITOR, RequestAct.NEED_MORE): {_ANSWERED: _NEED_MORE, _ACCEPTED: _NEED_MORE},
    (Side.AUDITOR, RequestAct.WITHDRAW): dict.fromkeys(
        (_ASKED, _ANSWERED, _NEED_MORE), RequestState.WITHDRAWN
    ),
    **{(side, RequestAct.COMMENT): {state: state for state in RequestState} for side in Side},
}
"""Who may do what, and where it leads. What is not here is refused."""

WITHOUT_TEXT = {RequestAct.ACCEPT, RequestAct.WITHDRAW}


def acts_open(side: Side, state: RequestState) -> list[RequestAct]:
    """What a side may do with a request in a state, the most telling first."""
    return [act for (who, act), moves in MACHINE.items() if who is side and state in moves]


def ask(
    *, engagement: Engagement, citation: str, title: str, text: str, due_on: date, by: UUID
) -> EvidenceRequest:
    """The auditor asks for something. Raises NotFound for a safeguard beyond the scope, InvalidInput for a past day."""
    scope.find_safeguard(engagement, citation)
    if due_on < timezone.now().date():
        raise InvalidInput("Choose a day that isn't over.", field="due_on")
    request = EvidenceRequest.objects.create(
        engagement=engagement, citation=citation, title=title, due_on=due_on, asked_by_id=by
    )
    _write(request, 1, Side.AUDITOR, RequestAct.ASK, RequestState.ASKED, text, by)
    record(
        Act.REQUEST_ASK, object_type="request", object_id=request.pk, engagement=str(engagement.pk),
        citation=citation, due_on=str(due_on),
    )  # fmt: skip
    return request


def say(
    *,
    request: EvidenceRequest,
    act: RequestAct,
    side: Side,
    by: UUID,
    text: str = "",
    snapshot_ids: Iterable[UUID] = (),
    submission_ids: Iterable[UUID] = (),
) -> RequestMessage:
    """Adds to the thread, and moves the request where the machine leads.

    Raises Conflict for an act that isn't open in the request's state, or where somebody else moved it meanwhile;
    InvalidInput for no text, NotFound for evidence beyond the engagement's scope.
    """
    last = request.messages.order_by("-number").first()
    if last is None:
        raise NotFound("There is no such request.")
    moves = MACHINE.get((side, act), {})
    if last.state not in moves:
        raise Conflict(f"This can't be done with a request that is {last.get_state_display().lower()}.")
    if not text.strip() and act not in WITHOUT_TEXT:
        raise InvalidInput("Write a text.", field="text")
    state = moves[RequestState(last.state)]
    message = _write(request, last.number + 1, side, act, state, text, by)
    attached = (
        _attach(request, message, set(snapshot_ids), set(submission_ids)) if act is RequestAct.ANSWER else 0
    )
    record(
        Act.REQUEST_SAY, object_type="request", object_id=request.pk, engagement=str(request.engagement_id),
        move=str(act), state=str(state), attached=attached,
    )  # fmt: skip
    return message


def assign(*, request: EvidenceRequest, membership_id: UUID | None) -> None:
    """Says who in the tenant answers. Raises NotFound for who is no member, Conflict for who may not answer."""
    member = None
    if membership_id:
        member = Membership.objects.filter(pk=membership_id).first()
        if member is None:
            raise NotFound("There is no such member.")
        if not allows(Role(member.role), Permission.ENGAGEMENT_ANSWER):
            raise Conflict("This member's role doesn't permit answering. Choose somebody else.")
    request.owner_id = member.person_id if member else None
    request.save(update_fields=["owner"])
    record(
        Act.REQUEST_ASSIGN, object_type="request", object_id=request.pk, engagement=str(request.engagement_id),
        owner=str(request.owner_id or ""),
    )  # fmt: skip


def _write(
    request: EvidenceRequest,
    number: int,
    side: Side,
    act: RequestAct,
    state: RequestState,
    text: str,
    by: UUID,
) -> RequestMessage:
    try:
        with savepoint():
            return RequestMessage.objects.create(
                request=request,
                number=number,
                side=side,
                act=act,
                state=state,
                text=text.strip(),
                author_id=by,
            )
    except IntegrityError as error:
        raise Conflict("Somebody wrote at the same time. Read that first, then repeat.") from error


def _attach(
    request: EvidenceRequest, message: RequestMessage, snapshot_ids: set[UUID], submission_ids: set[UUID]
) -> int:
    inside = request.engagement
    snapshots = scope.snapshots(inside).filter(pk__in=snapshot_ids).select_related("blob")
    sent = documents.submissions(inside).filter(pk__in=submission_ids)
    found = [
        *(RequestEvidence(message=message, snapshot=each, digest=each.blob.digest) for each in snapshots),
        *(RequestEvidence(message=message, submission=each, digest=each.digest) for each in sent),
    ]
    if len(found) != len(snapshot_ids) + len(submission_ids):
        raise NotFound("Some of the evidence isn't in the engagement's scope.")
    RequestEvidence.objects.bulk_create(found)
    return len(found)
