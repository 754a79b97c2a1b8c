"""How the checks of submitted documents came out, for the statuses of safeguards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assessments.checks.base import Severity
from assessments.models import SubmittedCheck
from assessments.status import Tally


@dataclass(frozen=True, slots=True)
class SubmittedTallies:
    """Tallies of checks, and the citations that each supports, by check id."""

    tallies: tuple[Tally, ...]
    supports: Mapping[str, frozenset[str]]


def submitted_tallies() -> SubmittedTallies:
    """A tally for each check of the open tenant's streams that supports a safeguard; streams of one tool add up.

    A failure that the tool itself mutes stays a failure: what is switched off there is not thereby put right.
    """
    sums: dict[str, Tally] = {}
    supports: dict[str, frozenset[str]] = {}
    for row in SubmittedCheck.objects.exclude(citations=[]).order_by("check_id", "stream"):
        sums[row.check_id] = _add(sums.get(row.check_id), row)
        supports[row.check_id] = supports.get(row.check_id, frozenset()) | frozenset(row.citations)
    return SubmittedTallies(tuple(tally for tally in sums.values() if tally.total), supports)


def _add(before: Tally | None, row: SubmittedCheck) -> Tally:
    tally = before or Tally(row.check_id, weighs=False, title=row.title, severity=row.severity)
    return Tally(
        row.check_id, tally.weighs or row.weighing > 0, tally.passed + row.passed, tally.failed + row.failed,
        tally.unknown + row.unknown, tally.not_applicable + row.not_applicable, title=tally.title or row.title,
        severity=min(tally.severity, row.severity, key=lambda said: Severity(said).rank),
    )  # fmt: skip
