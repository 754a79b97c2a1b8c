"""Documents that clients push as evidence, what became of them, and their receipts."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import ApiRequest, Receive
from accounts.audit.events import Act
from accounts.audit.seals import proof_of
from accounts.clients.scopes import Reach, Scope
from accounts.errors import InvalidInput, PortalError, UnsupportedMedia
from accounts.models import ApiClient, Person
from accounts.tenancy.scope import open_tenant
from assessments.rule.model import SECURITY_RULE
from evidence.formats.base import formats
from evidence.models import Submission, SubmissionState
from evidence.submissions.mappings import content_to_use
from evidence.submissions.quarantine import delete_pushed
from evidence.submissions.receiving import DocumentTooLarge, Read, Received, receive_document
from evidence.submissions.services import (
    Declared,
    Sender,
    find_submission,
    keep_submission,
    submissions_within,
)
from portal.api.endpoints import Acting, Doing, Endpoint, Listing, Reading, Removing, RemovingOnce, reach_of
from portal.api.idempotency import answer_once, check_key
from portal.api.query import Asked, Page, UnknownParameter, page_of, read_query
from portal.api.resources.fields import Moment, choice, text

MOST_BYTES_OF_MEMBERS = 16 << 20
SILENCE_SECONDS = 30.0
"""How long a sender may say nothing in the middle of a body."""
_FORMS = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})


class LengthRequired(PortalError):
    """The body's end can't be told."""

    status = 411
    slug = "length-required"


class Citations(serializers.CharField):
    """Citations of the Security Rule with commas between."""

    def to_internal_value(self, data: Any) -> Any:
        named = [each.strip() for each in super().to_internal_value(data).split(",")]
        for each in named:
            if each not in SECURITY_RULE:
                raise serializers.ValidationError(
                    f"{each[:40]} is no standard or implementation specification of the Security Rule"
                )
        return tuple(named)


class PushShape(serializers.Serializer[Any]):
    """The receipt of a document. `receipt` says the same, signed (a JWS, RFC 7515); keep it."""

    id = serializers.UUIDField(read_only=True)
    state = serializers.ChoiceField(choices=SubmissionState.choices, read_only=True)
    tenant = serializers.UUIDField(source="tenant_id", read_only=True)
    sequence = serializers.IntegerField(read_only=True)
    digest = text(help_text="SHA-256 of the document, in hex.")
    size = serializers.IntegerField(read_only=True, help_text="Bytes.")
    received_at = Moment()
    receipt = text()


class SubmissionShape(PushShape):
    """A document that was sent, and what became of it. `counts` is empty until it is accepted."""

    sender = text()
    name = text("shown_name", help_text="What the file is called; empty while it may name a patient.")
    media_type = text()
    stream = text("stream_name")
    complete = serializers.BooleanField(read_only=True)
    citations = serializers.ListField(child=serializers.CharField(), read_only=True)
    effective_from = Moment(allow_null=True)
    effective_to = Moment(allow_null=True)
    format = text()
    producer = text()
    producer_version = text()
    produced_at = Moment(allow_null=True)
    problem = text()
    found = serializers.ListField(
        child=serializers.DictField(), read_only=True, help_text="What may identify patients, masked."
    )
    counts = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    processed_at = Moment(allow_null=True)


class ReceiptShape(serializers.Serializer[Any]):
    """A receipt, and the proof that it stands in the sealed audit log; null until the log is sealed that far."""

    receipt = text()
    proof = serializers.DictField(read_only=True, allow_null=True)


class PushParameters(serializers.Serializer[Any]):
    """What the sender says of the document."""

    format = choice(*formats(), help_text="How it is read; by its first bytes unless said.")
    name = serializers.CharField(max_length=255, required=False, help_text="What the file is called.")
    stream = serializers.CharField(
        max_length=100,
        required=False,
        help_text="The series that it belongs to, such as one scanner's over one account; its producer unless said.",
    )
    complete = serializers.BooleanField(
        required=False,
        help_text="true: it says all that its stream knows, so what isn't in it is gone.",
    )
    effective_from = serializers.DateTimeField(
        required=False, help_text="When the period begins that it tells of."
    )
    effective_to = serializers.DateTimeField(required=False, help_text="When that period ends.")
    mapping = serializers.UUIDField(
        required=False,
        help_text="The saved mapping that says what a CSV's or a plain JSON document's fields mean.",
    )

    def get_fields(self) -> Any:
        """`for` is no name that Python lets a class have."""
        words = "Citations with commas between: what it is evidence for where it cites nothing itself."
        named = Citations(max_length=2000, required=False, help_text=words)
        return {"for": named, **super().get_fields()}

    def validate(self, attrs: Any) -> Any:
        begins, ends = attrs.get("effective_from"), attrs.get("effective_to")
        if begins and ends and begins > ends:
            raise serializers.ValidationError({"effective_to": "it is earlier than effective_from"})
        return attrs


class SubmissionFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    state = choice(*SubmissionState.values)
    format = choice(*formats())
    stream = serializers.CharField(max_length=100, required=False)


PUSHED: dict[str, Any] = {
    "id": "019a7c14-2a00-7d31-9c55-0e4f6a8b7c12", "state": "received",
    "tenant": "019a7c10-0000-7c2e-8f2a-5b1e7d9a4c00", "sequence": 41,
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "size": 481920,
    "received_at": "2026-03-01T06:02:10.118Z", "receipt": "eyJhbGciOiJFZERTQSIsImtpZCI6IjEifQ.eyJ...Q.sVn...Aw",
}  # fmt: skip
SUBMISSION: dict[str, Any] = {
    **PUSHED, "state": "accepted", "sender": "Nightly scanner", "name": "prowler.ocsf.json",
    "media_type": "application/json", "stream": "prowler-111122223333", "complete": True, "citations": [],
    "effective_from": None, "effective_to": "2026-03-01T06:00:00Z", "format": "ocsf", "producer": "Prowler",
    "producer_version": "5.46.0", "produced_at": "2026-03-01T05:58:41Z", "problem": "", "found": [],
    "counts": {"outcomes": 1289, "passed": 1011, "failed": 240, "unknown": 38, "opened": 12, "changed": 3, "gone": 1},
    "processed_at": "2026-03-01T06:02:11.402Z",
}  # fmt: skip
DELETED: dict[str, Any] = {
    **SUBMISSION, "state": "deleted", "name": "", "format": "", "producer": "", "producer_version": "",
    "produced_at": None, "counts": {},
    "found": [{"kind": "ssn", "form": "000-00-0000", "place": "/0/message", "weight": "block"}],
}  # fmt: skip
RECEIPT: dict[str, Any] = {
    "receipt": PUSHED["receipt"],
    "proof": {
        "entry": "eyJhY3QiOiJzdWJtaXNzaW9uLnJlY2VpdmUi...", "index": 1204, "size": 1311,
        "path": ["n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="], "checkpoint": "...", "key": "...",
    },
}  # fmt: skip


@contextmanager
def receive(request: HttpRequest, tenant_id: UUID) -> Iterator[None]:
    """Stores the body before the tenant is opened. What is wrong with the request is said before any of it is read."""
    check_key(cast("ApiRequest", request))
    with open_tenant(tenant_id) if "mapping" in request.GET else nullcontext():
        _declared(request)
    read, size = _body_of(request)
    digest = request.headers.get("Content-Digest", "")
    with receive_document(read, tenant_id=tenant_id, declared_size=size, declared_digest=digest) as received:
        request.received = received  # type: ignore[attr-defined]
        yield


def _body_of(request: HttpRequest) -> tuple[Read, int | None]:
    """How the body is read, and its length where that is told. Raises LengthRequired, UnsupportedMedia."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMedia("what it is, without a Content-Encoding")
    if request.content_type in _FORMS:
        raise UnsupportedMedia("application/json", "application/octet-stream")
    sock = request.META.get("gunicorn.socket")
    if sock is not None:
        sock.settimeout(SILENCE_SECONDS)
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdecimal():
        return request.read, int(length)
    if request.META.get("wsgi.input_terminated") and "chunked" in request.headers.get(
        "Transfer-Encoding", ""
    ):
        return request.META["wsgi.input"].read, None
    if "Transfer-Encoding" not in request.headers:
        return request.read, 0
    raise LengthRequired("Say how long the body is (Content-Length), or send it in chunks.")


def _declared(request: HttpRequest) -> Declared:
    """Raises InvalidInput."""
    given = dict(read_query(request, PushParameters, (), paged=False).values)
    media_type = request.content_type or "application/octet-stream"
    try:
        mapping = content_to_use(given.pop("mapping", None))
    except InvalidInput as error:
        raise UnknownParameter(str(error), [{"parameter": "mapping", "detail": str(error)}]) from error
    return Declared(media_type=media_type, citations=given.pop("for", ()), mapping=mapping, **given)


class SubmissionPush(Doing):
    """Send a document as evidence.

    The body is the document as its tool wrote it, at most 5 GiB; the answer is a signed receipt. A worker reads it
    then: `Location` says where to see what became of it. With a `Content-Digest` (RFC 9530) it is refused unless it
    arrived as it was sent. A client that is narrowed to safeguards or accounts can speak of those alone.
    """

    scope, operation, tag = Scope.SUBMISSIONS_PUSH, "push_submission", "Submissions"
    shape, filters, example, status = PushShape, PushParameters, PUSHED, 201
    act = Act.SUBMISSION_RECEIVE

    @staticmethod
    def receiving() -> Receive:
        return receive

    def post(self, request: Request, **ids: Any) -> HttpResponse:  # noqa: ARG002 (as every act)
        plain = cast("ApiRequest", getattr(request, "_request", request))
        if plain.client is None:
            with _received_of_member(plain):
                return _answer(plain)
        return _answer(plain)


@contextmanager
def _received_of_member(request: ApiRequest) -> Iterator[None]:
    """A member's body is taken inside of the transaction, so it has to be small."""
    size = request.META.get("CONTENT_LENGTH") or "0"
    if size.isdecimal() and int(size) > MOST_BYTES_OF_MEMBERS:
        raise DocumentTooLarge("A document of more than 16 MiB is sent by a client.")
    with receive(request, request.tenant.pk):
        yield


def _answer(request: ApiRequest) -> HttpResponse:
    received: Received = request.received  # type: ignore[attr-defined]
    return answer_once(request, lambda: _keep(request, received), body=received.digest.encode)


def _keep(request: ApiRequest, received: Received) -> HttpResponse:
    client = request.client
    if client is None:
        person = cast("Person", request.user)
        sender = Sender(person.name or person.email, person_id=person.pk)
    else:
        sender = Sender(client.name, client_id=client.pk, reach=request.reach)
    row = keep_submission(received, _declared(request), sender)
    return HttpResponse(
        JSONRenderer().render(PushShape(row).data), status=201, content_type="application/json",
        headers={"Location": reverse("api-submission", args=[row.pk])},
    )  # fmt: skip


class SubmissionList(Acting, Listing):
    """List documents that were sent, newest first.

    A client that is narrowed sees its own.
    """

    scope, operation, tag = Scope.SUBMISSIONS_READ, "list_submissions", "Submissions"
    shape, filters, example = SubmissionShape, SubmissionFilters, SUBMISSION
    act = Act.SUBMISSION_READ
    doing = SubmissionPush

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:
        given = dict(asked.values)
        if "stream" in given:
            given["stream_name"] = given.pop("stream")
        return page_of(submissions_within(reach, self._caller()).filter(**given), asked)

    def _caller(self) -> UUID | None:
        client = getattr(self.request._request, "client", None)
        return client.pk if client else None


class SubmissionDelete(RemovingOnce):
    """Delete a document that is held back and that this client sent.

    Its bytes and the key that opens them are gone for good; number, digest, receipt, what was found, when and through
    which client stay. Once more changes nothing. A document in another state is a `conflict`; what another sent is for
    people alone, and so is releasing any.
    """

    scope, operation, tag = Scope.SUBMISSIONS_DELETE, "delete_submission", "Submissions"
    shape, example = SubmissionShape, DELETED
    act = Act.SUBMISSION_DELETE

    def look(self, **ids: UUID) -> None:
        find_submission(ids["submission_id"])

    def remove(self, client: ApiClient, request: Request, **ids: UUID) -> Submission:
        return delete_pushed(submission_id=ids["submission_id"], client=client, reach=reach_of(request))


class SubmissionDetail(Removing, Reading):
    """Read one document's state.

    Ask again until `state` is no longer `received`.
    """

    scope, operation, tag = Scope.SUBMISSIONS_READ, "read_submission", "Submissions"
    shape, example = SubmissionShape, SUBMISSION
    act = Act.SUBMISSION_READ
    removing = SubmissionDelete

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> Submission:  # noqa: ARG002 (as every reading)
        client = getattr(self.request._request, "client", None)
        return find_submission(ids["submission_id"], reach, client_id=client.pk if client else None)


class SubmissionReceipt(Endpoint):
    """Read a document's receipt and its proof.

    `proof` shows that the entry of its reception, which holds the receipt's digest, is in the audit log that nobody
    can change (RFC 9162 section 2.1.3): `entry` is the leaf, `path` leads to the root that `checkpoint` signs.
    """

    scope, operation, tag = Scope.SUBMISSIONS_READ, "read_submission_receipt", "Submissions"
    shape, example = ReceiptShape, RECEIPT
    act = Act.SUBMISSION_READ

    def get(self, request: Request, submission_id: UUID) -> Response:
        asked = self.asked(request)
        client = getattr(request._request, "client", None)
        row = find_submission(submission_id, reach_of(request), client_id=client.pk if client else None)
        proof = proof_of(Act.SUBMISSION_RECEIVE, row.pk)
        said = proof and {
            "entry": _b64(proof.entry), "index": proof.index, "size": proof.size,
            "path": [_b64(each) for each in proof.path], "checkpoint": proof.checkpoint, "key": proof.key,
        }  # fmt: skip
        return Response(self.shown([{"receipt": row.receipt, "proof": said}], asked)[0])


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
