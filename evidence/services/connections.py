"""Connections to AWS accounts: made, probed, removed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.audit.events import Act, ActOutcome
from accounts.audit.log import record
from accounts.errors import InvalidInput, NotFound
from accounts.tenancy.scope import current_tenant_id, open_tenant
from evidence.aws.partitions import parse_role_arn, regions_of
from evidence.aws.policy import ROLE_NAME
from evidence.aws.probe import ProbeReport, probe
from evidence.models import Access, AwsConnection, ConnectionState
from evidence.queue import PROBE_CONNECTION, ring_after_commit
from evidence.services.collection import start_run
from evidence.services.entry import aws_access

LONGEST_NAME = 100


def create_connection(
    *, name: str, aws_account_id: str, partition: str = "aws", role_name: str = ROLE_NAME,
    regions: Sequence[str], holds_phi: bool = True, access: str = Access.ROLE,
) -> AwsConnection:  # fmt: skip
    """Registers an account; its external ID is made here. Nothing is collected before verify_connection succeeds.

    Raises InvalidInput naming the field.
    """
    connection = AwsConnection(
        name=_clean_name(name), aws_account_id=_clean_account_id(aws_account_id), partition=partition,
        role_name=role_name.strip(), regions=_clean_regions(partition, regions), holds_phi=holds_phi, access=access,
    )  # fmt: skip
    try:
        parse_role_arn(connection.role_arn)
    except ValueError as error:
        raise InvalidInput(str(error), field="role_name") from error
    try:
        with transaction.atomic():
            connection.save(force_insert=True)
    except IntegrityError as error:
        raise InvalidInput("This account is connected already.", field="aws_account_id") from error
    record(
        Act.CONNECTION_CREATE, object_type="connection", object_id=connection.pk,
        aws_account_id=connection.aws_account_id, role_arn=connection.role_arn, regions=list(connection.regions),
    )  # fmt: skip
    return connection


def verify_connection(*, connection_id: UUID) -> AwsConnection:
    """Asks for a probe of the connection, done by a worker at once; the connection's page shows how it went."""
    connection = _find(connection_id)
    connection.probe_due_at = timezone.now()
    connection.save(update_fields=["probe_due_at"])
    record(Act.CONNECTION_CHANGE, object_type="connection", object_id=connection.pk, asked="verify")
    ring_after_commit(PROBE_CONNECTION, current_tenant_id(), [connection.pk])
    return connection


def probe_connection(*, tenant_id: UUID, connection_id: UUID, collects: bool = True) -> ProbeReport:
    """Proves that the role can be assumed with our external ID and not without it, and writes down how it went.

    A connection that passes for the first time is collected at once (unless told not to). Raises NotFound.
    """
    with open_tenant(tenant_id):
        connection = _find(connection_id)
    report = probe(
        aws_access(connection), connection.aws_account_id, principal_arn=settings.AWS_PRINCIPAL_ARN
    )
    with open_tenant(tenant_id):
        connection = AwsConnection.objects.select_for_update().get(pk=connection_id)
        if connection.state != ConnectionState.REMOVED:
            _keep_report(connection, report)
            if collects and report.passed and not connection.runs.exists():
                start_run(connection_id=connection.pk, trigger="first")
    return report


def _keep_report(connection: AwsConnection, report: ProbeReport) -> None:
    connection.state = ConnectionState.VERIFIED if report.passed else ConnectionState.BROKEN
    connection.probe = [_step_as_json(step) for step in report.steps]
    connection.probe_due_at, connection.probed_at = None, timezone.now()
    connection.save(update_fields=["state", "probe", "probe_due_at", "probed_at"])
    record(
        Act.CONNECTION_VERIFY, object_type="connection", object_id=connection.pk,
        outcome=ActOutcome.DONE if report.passed else ActOutcome.FAILED,
        steps={str(step.name): str(step.outcome) for step in report.steps},
    )  # fmt: skip


def _step_as_json(step: Any) -> dict[str, Any]:
    values = {name: str(value) for name, value in asdict(step).items()}
    return {
        **values,
        "label": step.name.label,
        "ok": values["outcome"] == "passed",
        "advice": step.cause.label,
    }


def remove_connection(*, connection_id: UUID) -> None:
    """Ends a connection. Its evidence and findings stay; its external ID is never used again."""
    connection = _find(connection_id)
    connection.state, connection.removed_at = ConnectionState.REMOVED, timezone.now()
    connection.next_run_at = connection.probe_due_at = None
    connection.save(update_fields=["state", "removed_at", "next_run_at", "probe_due_at"])
    record(Act.CONNECTION_REMOVE, object_type="connection", object_id=connection.pk)


def _find(connection_id: UUID) -> AwsConnection:
    found: AwsConnection | None = AwsConnection.objects.filter(pk=connection_id, removed_at=None).first()
    if found is None:
        raise NotFound("There is no such connection.")
    return found


def _clean_name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not cleaned or len(cleaned) > LONGEST_NAME:
        raise InvalidInput(f"Give the connection a name of at most {LONGEST_NAME} characters.", field="name")
    return cleaned


def _clean_account_id(aws_account_id: str) -> str:
    if not re.fullmatch(r"[0-9]{12}", aws_account_id, re.ASCII):
        raise InvalidInput("An AWS account ID has 12 digits, such as 111122223333.", field="aws_account_id")
    return aws_account_id


def _clean_regions(partition: str, regions: Iterable[str]) -> list[str]:
    wanted = sorted({region.strip() for region in regions if region.strip()})
    if not wanted:
        raise InvalidInput("Choose at least one region.", field="regions")
    try:
        known = set(regions_of(partition))
    except (ValueError, KeyError) as error:
        raise InvalidInput("The partition is aws, aws-us-gov or aws-cn.", field="partition") from error
    unknown = [region for region in wanted if region not in known]
    if unknown:
        raise InvalidInput(f"{', '.join(unknown)}: no such region in partition {partition}.", field="regions")
    return wanted
