"""Writes the statuses of safeguards as periods, from how all checks come out: our own, and submitted ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache

from django.db import connection, transaction
from django.db.models import Count

from accounts.tenancy.scope import current_tenant_id
from assessments.checks.base import Severity, checks
from assessments.models import Finding, SafeguardStatus
from assessments.status import Derived, Tally, derive_statuses
from assessments.submitted.tallies import submitted_tallies

_TICK = timedelta(microseconds=1)


def take_turn() -> None:
    """Waits until nobody else writes the open tenant's findings and statuses; held until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"evaluate {current_tenant_id()}"]
        )


@cache
def citations_by_check() -> Mapping[str, tuple[str, ...]]:
    """The citations that each check supports."""
    return {check.id: check.supports for check in checks().values()}


def count_outcomes() -> list[Tally]:
    """How each of our own checks came out over all resources of the open tenant that are still there."""
    rows = Finding.objects.filter(gone_at=None, check_id__in=list(checks()), stream=None)
    by_check: dict[str, Counter[str]] = {}
    for check_id, outcome, number in rows.values_list("check_id", "outcome").annotate(number=Count("id")):
        by_check.setdefault(check_id, Counter())[outcome] = number
    return [tally_of(check_id, counts) for check_id, counts in by_check.items()]


def tally_of(check_id: str, counts: Counter[str]) -> Tally:
    """A check's tally from its outcomes' counts."""
    weighs = checks()[check_id].severity.rank <= Severity.MEDIUM.rank
    return Tally(
        check_id, weighs, counts["PASS"], counts["FAIL"], counts["UNKNOWN"], counts["NOT_APPLICABLE"]
    )


def write_statuses(at: datetime, ours: Iterable[Tally] | None = None) -> int:
    """Derives every safeguard's status and opens a period for each that changed; says how many.

    Our own checks and those of submitted documents count alike. `ours`: how our own came out; None where that can't
    have changed, so that a document costs no look at the findings of all accounts. Whoever writes holds the tenant's
    turn. A period begins no earlier than the newest that stands: a document may have been read since a run ended.
    """
    current = {row.citation: row for row in SafeguardStatus.objects.filter(valid_to=None)}
    if ours is None:
        ours = _as_they_stand(current.values())
    said = submitted_tallies()
    derived = derive_statuses([*ours, *said.tallies], {**citations_by_check(), **said.supports})
    at = max([at, *(row.valid_from + _TICK for row in current.values())])
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


def _as_they_stand(current: Iterable[SafeguardStatus]) -> list[Tally]:
    """Our own checks' tallies, which the statuses in force hold: findings are only ever written together with them."""
    told = {said["check_id"]: said for row in current for said in row.reasons["checks"]}
    return [Tally(**said) for check_id, said in told.items() if check_id in checks()]


def _same(row: SafeguardStatus | None, derived: Derived) -> bool:
    return row is not None and (row.status, row.reasons, row.coverage) == (
        derived.status, derived.reasons(), derived.coverage(),
    )  # fmt: skip
