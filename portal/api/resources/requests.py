"""What auditors ask an organisation for, as both sides' machines read it: lists, and each with its thread."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers

from accounts.clients.scopes import Reach, Scope
from assessments.engagements import work
from assessments.engagements.models import RequestState, Side
from assessments.engagements.services.requests import RequestAct
from portal.api.endpoints import Listing, Reading
from portal.api.query import Asked, Page
from portal.api.resources.fields import Moment, text


class RequestShape(serializers.Serializer[Any]):
    """What an auditor asked the organisation for, and how far that is."""

    id = serializers.UUIDField(source="request.pk", read_only=True)
    citation = text("request.citation")
    title = text("request.title")
    due_on = serializers.DateField(source="request.due_on", read_only=True)
    asked_at = Moment(source="request.asked_at")
    state = serializers.ChoiceField(choices=RequestState.choices, read_only=True)
    overdue = serializers.BooleanField(read_only=True)


class AnsweredBySnapshotShape(serializers.Serializer[Any]):
    """A piece of evidence that came with a message."""

    id = serializers.UUIDField(read_only=True)
    digest = text("blob.digest", help_text="SHA-256 of the answer as it was sealed, in hex.")


class AnsweredByDocumentShape(serializers.Serializer[Any]):
    """A submitted document that came with a message."""

    id = serializers.UUIDField(read_only=True)
    digest = text(help_text="SHA-256 of the document, in hex.")
    name = text("shown_name")


class MessageShape(serializers.Serializer[Any]):
    """One message of a thread. `state` is the request's from then on."""

    number = serializers.IntegerField(source="message.number", read_only=True)
    act = serializers.ChoiceField(
        source="message.act", choices=[str(each) for each in RequestAct], read_only=True
    )
    side = serializers.ChoiceField(source="message.side", choices=Side.choices, read_only=True)
    author = text()
    state = serializers.ChoiceField(source="message.state", choices=RequestState.choices, read_only=True)
    text = text("message.text")
    at = Moment(source="message.at")
    evidence = AnsweredBySnapshotShape(source="snapshots", many=True, read_only=True)
    submissions = AnsweredByDocumentShape(source="documents", many=True, read_only=True)


class ThreadShape(RequestShape):
    """A request with its thread, oldest message first."""

    messages = MessageShape(many=True, read_only=True)


REQUEST: dict[str, Any] = {
    "id": "019a7c42-0100-7d3e-9b2a-1c4d5e6f7a13", "citation": "164.308(a)(3)", "title": "Leavers of March",
    "due_on": "2026-07-15", "asked_at": "2026-07-01T09:00:00Z", "state": "answered", "overdue": False,
}  # fmt: skip
THREAD: dict[str, Any] = {
    **REQUEST,
    "messages": [
        {
            "number": 1, "act": "ask", "side": "auditor", "author": "Ana Auditor", "state": "asked",
            "text": "The list of those who left in March.", "at": "2026-07-01T09:00:00Z", "evidence": [],
            "submissions": [],
        },
        {
            "number": 2, "act": "answer", "side": "tenant", "author": "Olu Owner", "state": "answered",
            "text": "Attached.", "at": "2026-07-03T14:30:00Z", "evidence": [],
            "submissions": [
                {"id": "019a7c43-0100-7d3e-9b2a-1c4d5e6f7a14", "digest": "9f86d081884c7d65" * 4, "name": "leavers.csv"}
            ],
        },
    ],
}  # fmt: skip


def as_thread(read: work.RequestThread) -> dict[str, Any]:
    """A thread as ThreadShape takes it."""
    line = read.line
    return {"request": line.request, "state": line.state, "overdue": line.overdue, "messages": read.messages}


class RequestList(Listing):
    """List what the auditors of an engagement asked for, on one page: what waits first, then by day."""

    scope, operation, tag = Scope.ENGAGEMENTS_READ, "list_engagement_requests", "Audits"
    shape, example = RequestShape, REQUEST

    def page(self, reach: Reach, asked: Asked, **ids: UUID) -> Page:  # noqa: ARG002 (a narrowed client has no such scope)
        return Page(work.list_requests(work.find_engagement(ids["engagement_id"])), None)


class RequestDetail(Reading):
    """Read one request with its thread, and what was attached."""

    scope, operation, tag = Scope.ENGAGEMENTS_READ, "read_engagement_request", "Audits"
    shape, example = ThreadShape, THREAD

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> dict[str, Any]:  # noqa: ARG002 (as above)
        engagement = work.find_engagement(ids["engagement_id"])
        return as_thread(work.read_request(engagement, ids["request_id"], Side.TENANT))
