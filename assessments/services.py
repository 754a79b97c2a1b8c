"""Evaluates what was collected and keeps findings and statuses as periods. Writes only what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import NotFound
from accounts.tenancy.scope import open_tenant
from accounts.webhooks.emitting import emit
from accounts.webhooks.events import EventType
from assessments.checks.base import Result, Severity, checks
from assessments.checks.engine import evaluate
from assessments.exits.services.evidence import plan_looking
from assessments.findings import FindingChanges, write_findings
from assessments.models import Evaluation, Finding, SafeguardStatus
from assessments.sharing.publishing import plan_publishing
from assessments.status import Derived, Tally, derive_statuses
from evidence.models import CollectionRun
from evidence.services import load_answers
from evidence.types import Answers, Seen


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What an evaluation did. None of it where another worker had done it before."""

    run_id: UUID
    results: Counter[str]
    changes: FindingChanges


def evaluate_run(*, tenant_id: UUID, run_id: UUID) -> Evaluated | None:
    """Evaluates a finished run once; None where it is evaluated already. Raises NotFound, vault.NotIntact.

    Checks run between two transactions; the second takes turns with other evaluations of the tenant.
    """
    with open_tenant(tenant_id):
        run = _unevaluated(run_id)
    if run is None:
        return None
    answers = load_answers(tenant_id=tenant_id, run_id=run_id)
    results = list(evaluate_answers(run, answers))
    with open_tenant(tenant_id):
        _take_turn(tenant_id)
        return _write(run, results) if _unevaluated(run_id) else None


def evaluate_answers(run: CollectionRun, answers: Mapping[tuple[str, str], Answers]) -> Iterable[Result]:
    """The results of all checks over a run's answers, as of the run's end."""
    aws = run.connection
    at = run.finished_at or run.started_at
    seen = Seen(aws.aws_account_id, aws.partition, "", at, answers)
    return evaluate(checks().values(), seen, aws.regions)


def _unevaluated(run_id: UUID) -> CollectionRun | None:
    run: CollectionRun | None = CollectionRun.objects.select_related("connection").filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such run.")
    return None if run.evaluations.exists() else run


def _take_turn(tenant_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"evaluate {tenant_id}"])


def _write(run: CollectionRun, results: list[Result]) -> Evaluated:
    at = run.finished_at or run.started_at
    changes = write_findings(run.connection, results, at)
    statuses = write_statuses(at)
    counts = Counter(str(result.outcome) for result in results)
    Evaluation.objects.create(
        run=run, connection=run.connection, at=at, finished_at=at,
        counts={**counts, **changes.as_json(), "statuses_changed": statuses},
    )  # fmt: skip
    # In this transaction, so that no crash can come between; a worker that has a broker also rings.
    plan_publishing(rings=False)
    plan_looking()
    record(
        Act.EVALUATION_FINISH,
        object_type="run",
        object_id=run.pk,
        results=dict(counts),
        changes=changes.as_json(),
    )
    if statuses:
        emit(
            EventType.SAFEGUARD_STATUS_CHANGED, run.pk, page=("safeguard-list",), at=at, statuses_changed=statuses,
            findings_failing_anew=changes.appeared, findings_fixed=changes.fixed,
        )  # fmt: skip
    return Evaluated(run.pk, counts, changes)


@cache
def citations_by_check() -> Mapping[str, tuple[str, ...]]:
    """The citations that each check supports."""
    return {check.id: check.supports for check in checks().values()}


def count_outcomes() -> list[Tally]:
    """How each check came out over all resources of the open tenant that are still there."""
    rows = (
        Finding.objects.filter(gone_at=None).values_list("check_id", "outcome").annotate(number=Count("id"))
    )
    by_check: dict[str, Counter[str]] = {}
    for check_id, outcome, number in rows:
        by_check.setdefault(check_id, Counter())[outcome] = number
    return [tally_of(check_id, counts) for check_id, counts in by_check.items() if check_id in checks()]


def tally_of(check_id: str, counts: Counter[str]) -> Tally:
    """A check's tally from its outcomes' counts."""
    weighs = checks()[check_id].severity.rank <= Severity.MEDIUM.rank
    return Tally(
        check_id, weighs, counts["PASS"], counts["FAIL"], counts["UNKNOWN"], counts["NOT_APPLICABLE"]
    )


def write_statuses(at: datetime) -> int:
    """Derives every safeguard's status and opens a period for each that changed; says how many."""
    derived = derive_statuses(count_outcomes(), citations_by_check())
    current = {row.citation: row for row in SafeguardStatus.objects.filter(valid_to=None)}
    changed = [entry for citation, entry in derived.items() if not _same(current.get(citation), entry)]
    with transaction.atomic():
        SafeguardStatus.objects.filter(
            valid_to=None, citation__in=[entry.citation for entry in changed]
        ).update(valid_to=at)
        SafeguardStatus.objects.bulk_create(
            SafeguardStatus(
                citation=entry.citation, status=entry.status, reasons=entry.reasons(), coverage=entry.coverage(),
                valid_from=at,
            )
            for entry in changed
        )  # fmt: skip
    return len(changed)


def _same(row: SafeguardStatus | None, derived: Derived) -> bool:
    return row is not None and (row.status, row.reasons, row.coverage) == (
        derived.status, derived.reasons(), derived.coverage(),
    )  # fmt: skip
