"""Evaluates what was collected and keeps findings and statuses as periods. Writes only what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import NotFound
from accounts.tenancy.scope import open_tenant
from accounts.webhooks.emitting import emit
from accounts.webhooks.events import EventType
from assessments.checks.base import Result, checks
from assessments.checks.engine import evaluate
from assessments.exits.services.evidence import plan_looking
from assessments.findings import FindingChanges, write_findings
from assessments.models import Evaluation
from assessments.sharing.publishing import plan_publishing
from assessments.statuses import count_outcomes, take_turn, write_statuses
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
        take_turn()
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


def _write(run: CollectionRun, results: list[Result]) -> Evaluated:
    at = run.finished_at or run.started_at
    changes = write_findings(run.connection, results, at)
    statuses = write_statuses(at, count_outcomes())
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
