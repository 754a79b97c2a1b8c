"""Connected AWS accounts, and the collection runs over them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

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
from evidence.models import AwsConnection, CollectionRun, ConnectionState, RunState, RunVerdict
from portal.api.endpoints import Doing, Endpoint, Listing, Reading, reach_of
from portal.api.query import Asked, Page, page_of
from portal.api.resources.fields import Moment, choice, text
from portal.scan import document


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


class ConnectionList(Listing):
    """List connected AWS accounts, newest first."""

    scope, operation, tag = Scope.CONNECTIONS_READ, "list_connections", "Connections"
    shape, filters, example = ConnectionShape, ConnectionFilters, CONNECTION

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
