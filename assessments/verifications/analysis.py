"""Drafts the written analysis of each safeguard from the evidence: what it shows, what fails, what was not seen.

Titles of checks and counts alone: no resource, account or finding is named, since a packet goes to other organisations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from accounts.errors import InvalidInput
from assessments.posture import CheckTally, SafeguardDetail, SafeguardState, read_safeguard, worst_first
from assessments.rule.model import SECURITY_RULE, Family
from assessments.status import Status
from evidence.models import CollectionUnit
from evidence.types import GapReason

TECHNICAL = tuple(each.citation for each in SECURITY_RULE.values() if each.family is Family.TECHNICAL)
"""The technical safeguards, standards and specifications (45 CFR 164.312): what every packet is about."""
MOST_NAMED = 6
"""Checks that are named one by one in a drafted text."""


@dataclass(frozen=True, slots=True)
class CheckFact:
    """How one check came out, by number of resources."""

    title: str
    passed: int
    failed: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Unseen:
    """Calls to AWS that gave no answer, of one kind and reason."""

    collector: str
    operation: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the evidence says of one safeguard. Times in RFC 3339, "" where nothing was collected.

    `decided` of `total` outcomes were decided; `regions` are those from which evidence was collected.
    """

    citation: str
    title: str
    level: str
    status: str
    status_label: str
    why: str
    decided: int
    total: int
    oldest: str
    newest: str
    regions: list[str] = field(default_factory=list)
    checks: list[CheckFact] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As VerificationSection.facts."""
        return asdict(self)


def citations_of(further: Iterable[str]) -> list[str]:
    """The citations of a packet in the order of the Rule. Raises InvalidInput for one that the Rule doesn't have."""
    wanted = {*TECHNICAL, *further}
    unknown = sorted(wanted - set(SECURITY_RULE))
    if unknown:
        raise InvalidInput(f"The Security Rule has no {unknown[0]}.", field="citations")
    return [citation for citation in SECURITY_RULE if citation in wanted]


def read_facts(citation: str) -> Facts:
    """What the open tenant's evidence says of a safeguard now."""
    detail = read_safeguard(citation)
    state, times = detail.state, _times(detail.units)
    return Facts(
        citation=citation, title=state.safeguard.title, level=state.level, status=str(state.status),
        status_label=state.status.label, why=state.why, decided=state.decided, total=state.total,
        oldest=_rfc3339(min(times, default=None)), newest=_rfc3339(max(times, default=None)),
        regions=sorted({unit.region for unit in detail.units if unit.collected_at}),
        checks=[_check(entry) for entry in worst_first(state.checks)], unseen=_unseen(detail),
        needs=state.needs_labels,
    )  # fmt: skip


def _times(units: Iterable[CollectionUnit]) -> list[datetime]:
    return [unit.collected_at for unit in units if unit.collected_at]


def _rfc3339(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else ""


def _check(entry: CheckTally) -> CheckFact:
    tally = entry.tally
    return CheckFact(entry.title, tally.passed, tally.failed, tally.unknown)


def _unseen(detail: SafeguardDetail) -> list[Unseen]:
    return [
        Unseen(group.first.collector, group.first.operation, GapReason(group.first.reason).label, group.count)
        for group in detail.gaps
    ]


def draft_text(facts: Facts) -> str:
    """The drafted analysis, a paragraph for each thing there is to say; nothing that is missing is left out."""
    parts = (
        f"{facts.status_label.capitalize()}. {facts.why}",
        _failing(facts.checks),
        _passing(facts.checks),
        _not_seen(facts),
        _fresh(facts),
        _missing(facts),
    )
    return "\n\n".join(part for part in parts if part)


def _failing(checks: list[CheckFact]) -> str:
    failing = [check for check in checks if check.failed]
    if not failing:
        return ""
    named = [f"“{check.title}” fails on {_count(check.failed, 'resource')}" for check in failing[:MOST_NAMED]]
    return f"What fails: {'; '.join(named)}{_more(failing)}."


def _passing(checks: list[CheckFact]) -> str:
    passing = [check for check in checks if check.passed and not check.failed]
    if not passing:
        return ""
    named = [f"“{check.title}” on {_count(check.passed, 'resource')}" for check in passing[:MOST_NAMED]]
    return f"What passes: {'; '.join(named)}{_more(passing)}."


def _more(checks: list[CheckFact]) -> str:
    rest = len(checks) - MOST_NAMED
    return f"; and {_count(rest, 'more check')}" if rest > 0 else ""


def _not_seen(facts: Facts) -> str:
    undecided = facts.total - facts.decided
    said = []
    if undecided:
        said.append(f"{undecided:,} of {_count(facts.total, 'outcome')} could not be decided.")
    if facts.unseen:
        calls = [f"{row.operation} ({row.collector}, {row.reason}, {row.count:,})" for row in facts.unseen]
        shown = ", ".join(calls[:MOST_NAMED]) + (
            f" and {len(calls) - MOST_NAMED} more" if calls[MOST_NAMED:] else ""
        )
        said.append(f"AWS gave no answer to: {shown}.")
    return f"What could not be seen: {' '.join(said)}" if said else ""


def _fresh(facts: Facts) -> str:
    if not facts.newest:
        return "No evidence from AWS has been collected for this safeguard."
    when = (
        facts.newest[:10]
        if facts.newest[:10] == facts.oldest[:10]
        else f"{facts.oldest[:10]} to {facts.newest[:10]}"
    )
    return f"The evidence was collected on {when} (UTC) in {', '.join(facts.regions)}."


def _missing(facts: Facts) -> str:
    if facts.status == Status.SATISFIED or not facts.needs:
        return ""
    return f"What would show it: {'; '.join(facts.needs)}."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def changed_since(sections: Iterable[Any], states: Iterable[SafeguardState]) -> list[str]:
    """What stands otherwise now than a packet says: sentences, one a safeguard."""
    now = {state.safeguard.citation: state.status for state in states}
    return [
        f"{row.citation} was “{Status(row.status).label}” and is “{now[row.citation].label}” now"
        for row in sections
        if now[row.citation] != row.status
    ]
