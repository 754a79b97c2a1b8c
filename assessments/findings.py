"""Findings as periods: compares an evaluation's results with what stands, and writes the difference."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from assessments.checks.base import Outcome, Result, checks
from assessments.models import Finding, FindingPeriod
from evidence.collectors.base import collectors
from evidence.models import AwsConnection
from evidence.types import Gap

BATCH = 2000
_CHANGING = ["outcome", "observed", "missing_action", "severity", "since", "gone_at"]

Key = tuple[str, str]
"""Check id and resource key: one finding within a connection."""


@dataclass(frozen=True, slots=True)
class FindingChanges:
    """How many findings are new, say something else, or are gone.

    `appeared`: failing ones that are new or did not fail before; `fixed`: ones that failed and pass now.
    """

    opened: int = 0
    changed: int = 0
    gone: int = 0
    appeared: int = 0
    fixed: int = 0

    def as_json(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)


def write_findings(aws: AwsConnection, results: Iterable[Result], at: datetime) -> FindingChanges:
    """Writes what differs from the findings that stand for the connection.

    A resource that a complete listing no longer has is gone. Where the listing was not seen, what stood becomes
    UNKNOWN: what could not be seen is neither cleaned up nor left looking fresh.
    """
    standing: dict[Key, Finding] = {
        (finding.check_id, finding.resource_key): finding
        for finding in Finding.objects.filter(connection=aws, stream=None)
    }
    new, moved, unlisted, met = [], [], {}, set()
    for result in results:
        key = (result.check_id, resource_key(result))
        if key in met:
            continue
        met.add(key)
        if not result.kind:
            unlisted[result.check_id, result.scope] = result
        before = standing.get(key)
        if before is None:
            new.append(_new_finding(aws, result, key, at))
        elif _moves(before, result):
            moved.append((before, before.outcome, _move(before, result, at)))
    left = [finding for key, finding in standing.items() if key not in met and finding.gone_at is None]
    hidden = [(f, unlisted[f.check_id, f.scope]) for f in left if (f.check_id, f.scope) in unlisted]
    moved += [(f, f.outcome, _move(f, result, at)) for f, result in hidden if _moves(f, result)]
    gone = [finding for finding in left if (finding.check_id, finding.scope) not in unlisted]
    _save(new, [finding for finding, *_ in moved], gone, at)
    return _count(new, moved, gone)


def resource_key(result: Result) -> str:
    """What tells two resources of a check apart: 32 hexadecimal digits of a SHA-256.

    Made of the scope and the whole ARN, so that same names in two regions stay two things.
    """
    return hashlib.sha256(f"{result.scope}\n{result.arn}".encode()).hexdigest()[:32]


def _new_finding(aws: AwsConnection, result: Result, key: Key, at: datetime) -> Finding:
    return Finding(
        connection=aws, check_id=result.check_id, resource_key=key[1], resource_arn=result.arn[:2048],
        resource_name=result.name[:512], resource_kind=result.kind, region=result.region, scope=result.scope,
        severity=checks()[result.check_id].severity, outcome=result.outcome, observed=result.observed,
        missing_action=_missing_action(result.gap), first_seen_at=at, since=at,
    )  # fmt: skip


def _moves(finding: Finding, result: Result) -> bool:
    said = (finding.outcome, finding.observed, finding.severity)
    return finding.gone_at is not None or said != (
        result.outcome, result.observed, checks()[result.check_id].severity,
    )  # fmt: skip


def _move(finding: Finding, result: Result, at: datetime) -> Finding:
    if finding.outcome != result.outcome or finding.gone_at is not None:
        finding.since = at
    finding.outcome, finding.observed, finding.gone_at = result.outcome, result.observed, None
    finding.severity = checks()[result.check_id].severity
    finding.missing_action = _missing_action(result.gap)
    return finding


def _missing_action(gap: Gap | None) -> str:
    """The IAM action whose absence explains the gap, as the collector declares it."""
    if gap is None:
        return ""
    collector = collectors().get(gap.service)
    declared: Mapping[str, str] = {a.operation: a.name for a in collector.actions} if collector else {}
    return gap.action or declared.get(gap.operation.rpartition(":")[2], "")


def _save(new: list[Finding], moved: list[Finding], gone: list[Finding], at: datetime) -> None:
    for finding in gone:
        finding.gone_at = at
    ended = [finding.pk for finding in (*moved, *gone)]
    for start in range(0, len(ended), BATCH):
        FindingPeriod.objects.filter(valid_to=None, finding__in=ended[start : start + BATCH]).update(
            valid_to=at
        )
    Finding.objects.bulk_create(new, batch_size=BATCH)
    Finding.objects.bulk_update([*moved, *gone], _CHANGING, batch_size=BATCH)
    FindingPeriod.objects.bulk_create(
        (
            FindingPeriod(finding=f, outcome=f.outcome, observed=f.observed, valid_from=at)
            for f in (*new, *moved)
        ),
        batch_size=BATCH,
    )


def _count(
    new: list[Finding], moved: list[tuple[Finding, str, Finding]], gone: list[Finding]
) -> FindingChanges:
    failing, passing = Outcome.FAIL, Outcome.PASS
    return FindingChanges(
        opened=len(new),
        changed=len(moved),
        gone=len(gone),
        appeared=sum(f.outcome == failing for f in new)
        + sum(f.outcome == failing != was for f, was, _ in moved),
        fixed=sum(was == failing and f.outcome == passing for f, was, _ in moved),
    )
