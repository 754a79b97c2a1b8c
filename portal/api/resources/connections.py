"""Connected AWS accounts, and the collection runs over them."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import ApiRequest
from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.clients.scopes import EVERYTHING, Reach, Scope
from accounts.errors import Forbidden, NotFound
from evidence import services
from evidence.aws import policy
from evidence.forms import PARTITIONS
from evidence.models import AwsConnection, CollectionRun, ConnectionState, RunState, RunVerdict
from portal.api.endpoints import Acting, Doing, Endpoint, Listing, Reading, Shape, reach_of
from portal.api.query import Asked, Page, page_of
from portal.api.resources.fields import Moment, choice, text
from portal.scan import document


class StepShape(serializers.Serializer[Any]):
    """A step of the last proof that the role lets the portal in, and nobody else."""

    step = text("label")
    ok = serializers.BooleanField(read_only=True)
    outcome = text()
    advice = text(allow_blank=True)


class ConnectionShape(serializers.Serializer[Any]):
    """A connected AWS account. `holds_phi`: the tenant says that PHI is kept there."""

    id = serializers.UUIDField(read_only=True)
    name = text()
    aws_account_id = text()
    partition = text()
    regions = serializers.ListField(child=serializers.CharField(), read_only=True)
    holds_phi = serializers.BooleanField(read_only=True)
    state = serializers.ChoiceField(choices=ConnectionState.choices, read_only=True)
    next_run_at = Moment(allow_null=True)
    created_at = Moment()
    verifying = serializers.SerializerMethodField()
    verified_at = Moment(source="probed_at", allow_null=True)
    steps = StepShape(source="probe", many=True, read_only=True)

    def get_verifying(self, row: AwsConnection) -> bool:
        """Whether a proof is under way."""
        return row.probe_due_at is not None


class ConnectionMadeShape(ConnectionShape):
    """A connection with what to put into AWS before it is verified."""

    role_arn = text()
    external_id = serializers.UUIDField(read_only=True)
    trust_policy = serializers.SerializerMethodField()
    policies = serializers.SerializerMethodField()
    cloudformation = serializers.SerializerMethodField()

    def get_trust_policy(self, row: AwsConnection) -> dict[str, Any]:
        """Who may take up the role, and only with this external ID."""
        return dict(policy.trust_policy(settings.AWS_PRINCIPAL_ARN, str(row.external_id)))

    def get_policies(self, row: AwsConnection) -> list[dict[str, Any]]:  # noqa: ARG002 (all connections ask for the same)
        """What the role may read."""
        return [dict(each) for each in policy.managed_policies()]

    def get_cloudformation(self, row: AwsConnection) -> str:
        """A template that makes the role, instead."""
        return policy.cloudformation_template(settings.AWS_PRINCIPAL_ARN, str(row.external_id), row.role_name)


class ConnectionTakes(serializers.Serializer[Any]):
    """Which account."""

    name = serializers.CharField(max_length=100)
    aws_account_id = serializers.RegexField(r"^[0-9]{12}$")
    partition = serializers.ChoiceField(choices=list(PARTITIONS), default="aws")
    role_name = serializers.RegexField(r"^[A-Za-z0-9_+=,.@/-]{1,576}$", default=policy.ROLE_NAME)
    regions = serializers.ListField(child=serializers.CharField(max_length=32), min_length=1, max_length=64)
    holds_phi = serializers.BooleanField(default=True)


class RunShape(serializers.Serializer[Any]):
    """One run of all collectors over a connection. `verdict` is empty until it is finished."""

    id = serializers.UUIDField(read_only=True)
    connection = serializers.UUIDField(source="connection_id", read_only=True)
    trigger = text()
    state = serializers.ChoiceField(choices=RunState.choices, read_only=True)
    verdict = serializers.ChoiceField(choices=["", *RunVerdict.values], read_only=True)
    started_at = Moment()
    finished_at = Moment(allow_null=True)


class ConnectionFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    state = choice(*(state for state in ConnectionState.values if state != ConnectionState.REMOVED))


class RunFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    connection = serializers.UUIDField(required=False)
    state = choice(*RunState.values)
    verdict = choice(*RunVerdict.values)


CONNECTION: dict[str, Any] = {
    "id": "019a7c10-1f00-7c2e-8f2a-5b1e7d9a4c02", "name": "Clinical systems", "aws_account_id": "111122223333",
    "partition": "aws", "regions": ["us-east-1"], "holds_phi": True, "state": "verified",
    "next_run_at": "2026-03-02T06:00:00Z", "created_at": "2026-01-12T09:30:00Z",
    "verifying": False, "verified_at": "2026-01-12T09:40:00Z",
    "steps": [{"step": "Assumes the role", "ok": True, "outcome": "passed", "advice": ""}],
}  # fmt: skip
MADE = {
    **CONNECTION, "state": "pending", "next_run_at": None, "verified_at": None, "steps": [],
    "role_arn": "arn:aws:iam::111122223333:role/SuretyReader", "external_id": "5f0f0f5e-9d5e-4f0a-8d5b-3d5b8f0a9d5e",
    "trust_policy": {"Version": "2012-10-17", "Statement": []},
    "policies": [{"Version": "2012-10-17", "Statement": []}], "cloudformation": "{}",
}  # fmt: skip
RUN: dict[str, Any] = {
    "id": "019a7c11-0100-7b44-a3d2-6e5f8c1b9d04", "connection": "019a7c10-1f00-7c2e-8f2a-5b1e7d9a4c02",
    "trigger": "schedule", "state": "finished", "verdict": "complete", "started_at": "2026-03-01T06:00:00Z",
    "finished_at": "2026-03-01T06:00:41Z",
}  # fmt: skip


def connections_within(reach: Reach) -> QuerySet[AwsConnection]:
    """The connections that a caller may see; removed ones are not among them."""
    rows: QuerySet[AwsConnection] = AwsConnection.objects.filter(removed_at=None)
    return rows.filter(pk__in=reach.connections) if reach.connections else rows


def runs_within(reach: Reach) -> QuerySet[CollectionRun]:
    """The runs that a caller may see."""
    rows: QuerySet[CollectionRun] = CollectionRun.objects.all()
    return rows.filter(connection__in=reach.connections) if reach.connections else rows


class _Writing(Doing):
    """An act upon a connection. A member proves both factors again where the page asks for it."""

    scope, tag, status = Scope.CONNECTIONS_WRITE, "Connections", 200
    shape: ClassVar[Shape] = ConnectionShape
    example = CONNECTION

    def look(self, request: ApiRequest, **ids: UUID) -> None:
        if ids and not connections_within(request.reach).filter(pk=ids["connection_id"]).exists():
            raise NotFound("There is no such connection.")


class ConnectionCreate(_Writing):
    """Connect an AWS account.

    Nothing is collected until the role is there and verified: make it by the template or the policies in the answer,
    then verify. A member proves both factors again first.
    """

    operation, act, step_up, status = "create_connection", Act.CONNECTION_CREATE, True, 201
    takes, shape, example = ConnectionTakes, ConnectionMadeShape, MADE

    def do(self, request: ApiRequest, given: dict[str, Any], **_ids: Any) -> tuple[Any, str]:  # noqa: ARG002 (every act takes one)
        made = services.create_connection(**given)
        return made, reverse("api-connection", args=[made.pk])


class ConnectionVerify(_Writing):
    """Verify a connection.

    A worker proves it at once; read the connection again until `verifying` is false. One that passes for the first
    time is collected.
    """

    operation, act = "verify_connection", Act.CONNECTION_CHANGE

    def do(self, request: ApiRequest, given: dict[str, Any], **ids: UUID) -> tuple[Any, str]:  # noqa: ARG002 (as above)
        return services.verify_connection(connection_id=ids["connection_id"]), ""


class ConnectionRemove(_Writing):
    """Remove a connection.

    Its evidence and findings stay. A member proves both factors again first.
    """

    operation, act, step_up = "remove_connection", Act.CONNECTION_REMOVE, True

    def do(self, request: ApiRequest, given: dict[str, Any], **ids: UUID) -> tuple[Any, str]:  # noqa: ARG002 (as above)
        services.remove_connection(connection_id=ids["connection_id"])
        return AwsConnection.objects.get(pk=ids["connection_id"]), ""


class ConnectionList(Acting, Listing):
    """List connected AWS accounts, newest first."""

    scope, operation, tag = Scope.CONNECTIONS_READ, "list_connections", "Connections"
    shape, filters, example, doing = ConnectionShape, ConnectionFilters, CONNECTION, ConnectionCreate

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:
        return page_of(connections_within(reach).filter(**asked.values), asked)


class ConnectionDetail(Reading):
    """Read one connected AWS account."""

    scope, operation, tag = Scope.CONNECTIONS_READ, "read_connection", "Connections"
    shape, example = ConnectionShape, CONNECTION

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> AwsConnection:  # noqa: ARG002 (as every reading)
        found: AwsConnection | None = connections_within(reach).filter(pk=ids["connection_id"]).first()
        if found is None:
            raise NotFound("There is no such connection.")
        return found


class RunList(Listing):
    """List collection runs, newest first."""

    scope, operation, tag = Scope.RUNS_READ, "list_runs", "Runs"
    shape, filters, example = RunShape, RunFilters, RUN

    def page(self, reach: Reach, asked: Asked, **_ids: Any) -> Page:
        return page_of(runs_within(reach).filter(**asked.values), asked)


class RunDetail(Reading):
    """Read one collection run.

    Ask again until `state` is `finished`.
    """

    scope, operation, tag = Scope.RUNS_READ, "read_run", "Runs"
    shape, example = RunShape, RUN

    def read(self, reach: Reach, asked: Asked, **ids: UUID) -> CollectionRun:  # noqa: ARG002 (as every reading)
        found: CollectionRun | None = runs_within(reach).filter(pk=ids["run_id"]).first()
        if found is None:
            raise NotFound("There is no such run.")
        return found


class RunDocument(Endpoint):
    """Read all that a finished run led to.

    The document that `manage.py scan --format json` prints: gaps, findings, and the statuses of all safeguards. As
    these rest on all connections, a client that is narrowed to some can't read it.
    """

    scope, operation, tag = Scope.RUNS_READ, "read_run_document", "Runs"

    def get(self, request: Request, run_id: UUID) -> Response:
        self.asked(request)
        if reach_of(request) != EVERYTHING:
            raise Forbidden("This document tells of all connections, and the client is narrowed to some.")
        runs = CollectionRun.objects.select_related("connection").exclude(finished_at=None)
        run = runs.filter(pk=run_id).first()
        if run is None:
            raise NotFound("There is no such finished run.")
        record(Act.EVIDENCE_EXPORT, object_type="run", object_id=run.pk)
        return Response(document(run))


class RunStart(Doing):
    """Start a collection run.

    The workers collect it; `Location` says where to see how far it is. 409 where the connection isn't verified, or is
    being collected already.
    """

    scope, operation, tag = Scope.RUNS_START, "start_run", "Runs"
    shape, example, status = RunShape, {**RUN, "state": "running", "verdict": "", "finished_at": None}, 201

    def look(self, request: ApiRequest, **ids: UUID) -> None:
        if not connections_within(request.reach).filter(pk=ids["connection_id"]).exists():
            raise NotFound("There is no such connection.")

    def do(self, request: ApiRequest, given: dict[str, Any], **ids: UUID) -> tuple[CollectionRun, str]:  # noqa: ARG002
        self.look(request, **ids)
        trigger = "client" if request.client else "person"
        run = services.start_run(connection_id=ids["connection_id"], trigger=trigger)
        return run, reverse("api-run", args=[run.pk])
