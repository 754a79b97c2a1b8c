"""Collects and evaluates one account in this process: the same services as the workers', without a broker."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connections

from accounts.errors import Conflict, InvalidInput, PortalError
from accounts.models import TenantKind
from accounts.services import create_tenant
from accounts.tenancy.scope import open_tenant
from accounts.tenancy.unscoped import tenant_by_slug
from assessments.checks.base import checks
from assessments.models import Finding, SafeguardStatus
from assessments.rule.model import SECURITY_RULE
from assessments.services import evaluate_run
from assessments.status import Status
from evidence.aws.errors import AwsError
from evidence.aws.partitions import check_region, parse_role_arn, partition_of
from evidence.aws.policy import ROLE_NAME
from evidence.aws.session import AmbientAccess, AwsSession, Limits
from evidence.models import Access, AwsConnection, CollectionRun, CollectionUnit, ConnectionState
from evidence.services import (
    collect_unit,
    create_connection,
    list_unfinished_units,
    probe_connection,
    start_run,
)

SCHEMA = "https://surety.example/schemas/scan/1"
LOCAL_TENANT = "local"
SCANNERS = 4
"""Units worked on at a time; each makes up to COLLECT_CONCURRENCY calls side by side in the shared pool."""

QUICK = Limits(concurrency=1, max_attempts=2, connect_timeout=5, read_timeout=10)
"""For the first question, so that an endpoint that isn't AWS is found out in seconds."""

Progress = Callable[[CollectionUnit | None, int, int], None]


@dataclass(frozen=True, slots=True)
class Target:
    """What to scan. Without a role, the process's own credentials must belong to the account."""

    aws_account_id: str
    regions: tuple[str, ...]
    role_arn: str = ""
    external_id: str = ""
    tenant_slug: str = LOCAL_TENANT


def scan(target: Target, progress: Progress) -> dict[str, Any]:
    """Connects (or finds the connection), collects, evaluates; returns the document of `scan --format json`.

    Raises PortalError, and writes nothing of a run, where the account can't be entered as asked.
    """
    role = _check(target)
    tenant_id = _tenant(target.tenant_slug)
    connection = _connection(tenant_id, target, role)
    run_id = collect_here(tenant_id, connection.pk, progress)
    evaluate_run(tenant_id=tenant_id, run_id=run_id)
    with open_tenant(tenant_id):
        return document(CollectionRun.objects.select_related("connection").get(pk=run_id))


def collect_here(tenant_id: UUID, connection_id: UUID, progress: Progress) -> UUID:
    """Runs all units of a new run in this process; returns the run's id. Raises Conflict where one is running."""
    with open_tenant(tenant_id):
        run = start_run(connection_id=connection_id, trigger="command", rings=False)
        waiting = list_unfinished_units(run_id=run.pk)
    progress(None, 0, len(waiting))
    with ThreadPoolExecutor(max_workers=SCANNERS, thread_name_prefix="unit") as pool:
        started = [pool.submit(_collect, tenant_id, unit_id) for unit_id in waiting]
        for number, finished in enumerate(as_completed(started), start=1):
            progress(finished.result(), number, len(waiting))
    return run.pk


def _collect(tenant_id: UUID, unit_id: UUID) -> CollectionUnit | None:
    try:
        return collect_unit(tenant_id=tenant_id, unit_id=unit_id).unit
    finally:
        connections.close_all()


def _tenant(slug: str) -> UUID:
    found = tenant_by_slug(slug)
    if found is not None:
        return found
    if slug != LOCAL_TENANT:
        raise InvalidInput(f"There is no tenant {slug!r}.")
    return create_tenant(name="This machine", slug=slug, kind=TenantKind.COVERED_ENTITY).pk


def _check(target: Target) -> str:
    """The role's path and name, "" for the process's own credentials. Nothing is written before this is through."""
    if not re.fullmatch(r"[0-9]{12}", target.aws_account_id, re.ASCII):
        raise InvalidInput(
            f"{target.aws_account_id!r} is no AWS account ID; it has 12 digits, such as 111122223333."
        )
    try:
        role = _role(target)
        for region in target.regions:
            check_region(partition_of(target.regions[0]), region)
    except ValueError as error:
        raise InvalidInput(str(error)) from error
    own = _own_account()
    if not role and own != target.aws_account_id:
        raise InvalidInput(
            f"The credentials of this process belong to account {own}, not to {target.aws_account_id}."
        )
    return role


def _role(target: Target) -> str:
    if not target.role_arn:
        if target.external_id:
            raise InvalidInput("--external-id goes with --role-arn.")
        return ""
    arn = parse_role_arn(target.role_arn)
    if arn.account_id != target.aws_account_id:
        raise InvalidInput(
            f"--role-arn names account {arn.account_id}, and --account-id says {target.aws_account_id}."
        )
    if arn.partition != partition_of(target.regions[0]):
        raise InvalidInput(
            f"--role-arn is of partition {arn.partition}, and {target.regions[0]} is not in it."
        )
    return f"{arn.path.strip('/')}/{arn.name}".lstrip("/")


def _own_account() -> str:
    try:
        return AwsSession(AmbientAccess(), QUICK).account_id()
    except AwsError as error:
        raise InvalidInput(f"AWS gave no answer to who we are: {error}") from error


def _connection(tenant_id: UUID, target: Target, role: str) -> AwsConnection:
    with open_tenant(tenant_id):
        found = AwsConnection.objects.filter(aws_account_id=target.aws_account_id, removed_at=None).first()
        connection = found or _new_connection(target, role)
        _bring_up_to_date(connection, target, role)
    if role:
        _prove(tenant_id, connection)
    return connection


def _new_connection(target: Target, role: str) -> AwsConnection:
    access = Access.ROLE if role else Access.AMBIENT
    return create_connection(
        name=f"Account {target.aws_account_id}", aws_account_id=target.aws_account_id,
        partition=partition_of(target.regions[0]), role_name=role or ROLE_NAME,
        regions=target.regions, access=access,
    )  # fmt: skip


def _bring_up_to_date(connection: AwsConnection, target: Target, role: str) -> None:
    if target.external_id and target.external_id != str(connection.external_id):
        raise Conflict(
            f"The external ID of this connection is {connection.external_id}: the portal makes it, and the role's "
            f"trust policy must demand it. Paste it there, then scan with --external-id {connection.external_id}."
        )
    connection.regions = sorted({*target.regions})
    connection.access = Access.ROLE if role else Access.AMBIENT
    if role:
        connection.role_name = role
    else:
        connection.state = ConnectionState.VERIFIED
    connection.save(update_fields=["regions", "access", "role_name", "state"])


def _prove(tenant_id: UUID, connection: AwsConnection) -> None:
    report = probe_connection(tenant_id=tenant_id, connection_id=connection.pk, collects=False)
    failed = next((step for step in report.steps if step.outcome not in {"passed", "skipped"}), None)
    if failed is not None:
        raise PortalError(
            f"{failed.name.label}: no. {failed.happened} {failed.cause.label} "
            f"(The external ID of this connection is {connection.external_id}.)"
        )


def document(run: CollectionRun) -> dict[str, Any]:
    """A run with what it led to, as `scan --format json` prints it. The tenant is open."""
    units = list(run.units.order_by("collector", "region"))
    calls: Counter[str] = Counter()
    for unit in units:
        calls.update(unit.api_calls)
    return {
        "schema": SCHEMA,
        "run": {
            "id": str(run.pk),
            "aws_account_id": run.connection.aws_account_id,
            "regions": run.connection.regions,
            "verdict": run.verdict,
            "started_at": run.started_at.isoformat(),
            "finished_at": run.finished_at.isoformat() if run.finished_at else None,
            "api_calls": sum(calls.values()),
            "api_calls_by_operation": dict(sorted(calls.items())),
            "seconds_in_aws": round(sum(unit.seconds_in_aws for unit in units), 3),
            "gaps": [gap for unit in units for gap in unit.gaps],
        },
        "findings": [_finding(row) for row in _findings(run)],
        "safeguards": _safeguards(),
    }


def _findings(run: CollectionRun) -> list[Finding]:
    rows = Finding.objects.filter(connection=run.connection, stream=None, gone_at=None)
    return list(rows.order_by("check_id", "resource_arn", "scope"))


def _finding(row: Finding) -> dict[str, Any]:
    return {
        "check_id": row.check_id,
        "outcome": row.outcome,
        "severity": row.severity,
        "resource_arn": row.resource_arn,
        "region": row.region,
        "citations": list(checks()[row.check_id].supports) if row.check_id in checks() else [],
        "reason": row.observed,
        "since": row.since.isoformat(),
    }


def _safeguards() -> list[dict[str, Any]]:
    rows = {row.citation: row for row in SafeguardStatus.objects.filter(valid_to=None)}
    return [
        {
            "citation": safeguard.citation,
            "title": safeguard.title,
            "designation": safeguard.designation,
            "status": rows[citation].status if citation in rows else Status.UNDETERMINED,
            "coverage": rows[citation].coverage if citation in rows else {"decided": 0, "total": 0},
            "reasons": rows[citation].reasons if citation in rows else {},
        }
        for citation, safeguard in SECURITY_RULE.items()
    ]
