"""Derives each safeguard's status from the outcomes of the checks that support it. Pure: no database, no clock.

The rule, in order:
1. A failing outcome of severity medium or above contradicts the safeguard: NOT_SATISFIED. So does a gap in one of
   a standard's implementation specifications.
2. An outcome that is UNKNOWN leaves it UNDETERMINED: silence never counts as a pass.
3. Passing outcomes satisfy a technical safeguard (164.312) that AWS can show by itself. They support, and never
   prove, one that takes a document, a decision or a person's word: that stays UNDETERMINED, with what would show it.
4. A standard with specifications is SATISFIED when all of them are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from assessments.rule.model import SECURITY_RULE, Family, Safeguard, children


class Status(StrEnum):
    """A safeguard's status (OSCAL's objective status, with UNDETERMINED as the default)."""

    SATISFIED = "satisfied"
    NOT_SATISFIED = "not_satisfied"
    UNDETERMINED = "undetermined"
    NOT_APPLICABLE = "not_applicable"

    @property
    def label(self) -> str:
        """The words shown to people; never "compliant", which no product can say."""
        return _LABELS[self]


_LABELS = {
    Status.SATISFIED: "evidenced",
    Status.NOT_SATISFIED: "gap",
    Status.UNDETERMINED: "no evidence yet",
    Status.NOT_APPLICABLE: "not applicable",
}

EVIDENCE_LABELS = {
    "document": "a policy, procedure or record",
    "attestation": "a signed statement by the responsible person",
    "questionnaire": "answers to a questionnaire",
    "aws": "evidence from a connected AWS account",
    "portal_log": "records of work done in this portal",
}


@dataclass(frozen=True, slots=True)
class Tally:
    """How a check came out over all resources. `weighs`: whether a failure makes a gap (severity medium or above).

    `title` and `severity` are what another tool's documents say of its check; "" for our own, which know theirs.
    """

    check_id: str
    weighs: bool = True
    passed: int = 0
    failed: int = 0
    unknown: int = 0
    not_applicable: int = 0
    title: str = ""
    severity: str = ""

    @property
    def total(self) -> int:
        """All outcomes."""
        return self.passed + self.failed + self.unknown + self.not_applicable


@dataclass(frozen=True, slots=True)
class Derived:
    """A status and why: one sentence, the tallies it rests on, its specifications' statuses, what would show it.

    `decided` of `total` outcomes were decided: the coverage.
    """

    citation: str
    status: Status
    why: str
    tallies: tuple[Tally, ...] = ()
    specifications: Mapping[str, Status] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    decided: int = 0
    total: int = 0

    def reasons(self) -> dict[str, Any]:
        """The reasons as JSON."""
        return {
            "why": self.why,
            "checks": [_told(tally) for tally in self.tallies],
            "specifications": {citation: str(status) for citation, status in self.specifications.items()},
            "needs": list(self.needs),
        }

    def coverage(self) -> dict[str, int]:
        """The coverage as JSON."""
        return {"decided": self.decided, "total": self.total}


def _told(tally: Tally) -> dict[str, Any]:
    """Not by asdict, which looks into each number for more dataclasses: an eighth of what a small document cost."""
    said = {name: getattr(tally, name) for name in _TOLD}
    return {name: value for name, value in said.items() if name not in {"title", "severity"} or value}


_TOLD = tuple(each.name for each in fields(Tally))


def shown_by_aws(safeguard: Safeguard) -> bool:
    """Whether evidence from AWS alone can satisfy the safeguard."""
    return safeguard.family is Family.TECHNICAL and safeguard.evidence_kinds[0] == "aws"


def derive_statuses(tallies: Iterable[Tally], supports: Mapping[str, Iterable[str]]) -> dict[str, Derived]:
    """The status of every safeguard by citation, in the order of the Rule.

    `supports`: the citations that each check supports, by check id.
    """
    by_citation: dict[str, list[Tally]] = {}
    for tally in sorted(tallies, key=lambda tally: tally.check_id):
        for citation in supports.get(tally.check_id, ()):
            by_citation.setdefault(citation, []).append(tally)
    derived: dict[str, Derived] = {}
    for citation in SECURITY_RULE:
        _derive(citation, by_citation, derived)
    return {citation: derived[citation] for citation in SECURITY_RULE}


def _derive(citation: str, by_citation: Mapping[str, list[Tally]], derived: dict[str, Derived]) -> Derived:
    if citation not in derived:
        below = {
            child.citation: _derive(child.citation, by_citation, derived) for child in children(citation)
        }
        derived[citation] = _judge(SECURITY_RULE[citation], tuple(by_citation.get(citation, ())), below)
    return derived[citation]


def explain(safeguard: Safeguard, tallies: tuple[Tally, ...], specifications: Mapping[str, Status]) -> str:
    """Why a safeguard has the status that these tallies and its specifications' statuses give it."""
    return _status(safeguard, tallies, specifications)[1]


def _judge(safeguard: Safeguard, tallies: tuple[Tally, ...], below: Mapping[str, Derived]) -> Derived:
    specifications = {citation: child.status for citation, child in below.items()}
    status, why = _status(safeguard, tallies, specifications)
    total = sum(tally.total for tally in tallies)
    needs = () if status is Status.SATISFIED else tuple(safeguard.evidence_kinds)
    return Derived(
        safeguard.citation, status, why, tallies, specifications, needs,
        decided=total - sum(tally.unknown for tally in tallies), total=total,
    )  # fmt: skip


def _status(
    safeguard: Safeguard, tallies: tuple[Tally, ...], specifications: Mapping[str, Status]
) -> tuple[Status, str]:
    failing = [tally for tally in tallies if tally.failed and tally.weighs]
    gaps_below = [citation for citation, status in specifications.items() if status is Status.NOT_SATISFIED]
    if failing:
        resources = sum(tally.failed for tally in failing)
        return (
            Status.NOT_SATISFIED,
            f"{_count(len(failing), 'check')} failed on {_count(resources, 'resource')}.{_lighter(tallies)}",
        )
    if gaps_below:
        return Status.NOT_SATISFIED, f"There is a gap in {', '.join(gaps_below)}."
    unseen = sum(tally.unknown for tally in tallies)
    if unseen:
        return (
            Status.UNDETERMINED,
            f"{_count(unseen, 'outcome')} could not be decided: something was not seen.",
        )
    return _without_contradiction(safeguard, tallies, specifications)


def _without_contradiction(
    safeguard: Safeguard, tallies: tuple[Tally, ...], specifications: Mapping[str, Status]
) -> tuple[Status, str]:
    passing = [tally for tally in tallies if tally.passed]
    resources = sum(tally.passed for tally in passing)
    supported = f"{_count(len(passing), 'check')} passed on {_count(resources, 'resource')}"
    open_below = [citation for citation, status in specifications.items() if status is Status.UNDETERMINED]
    if open_below:
        return Status.UNDETERMINED, f"Not every specification is evidenced yet: {', '.join(open_below)}."
    if not shown_by_aws(safeguard):
        lead = f"{supported}, which supports it" if passing else "Nothing has been collected that shows it"
        return Status.UNDETERMINED, f"{lead}; AWS alone can't show this safeguard."
    if not passing and not specifications:
        return Status.UNDETERMINED, "No check has found anything to judge."
    return Status.SATISFIED, f"{supported}." if passing else "Every specification is evidenced."


def _lighter(tallies: tuple[Tally, ...]) -> str:
    """Where failing checks are counted, those that make no gap would look forgotten."""
    more = sum(1 for tally in tallies if tally.failed and not tally.weighs)
    return f" {_count(more, 'further failing check')} of low severity would make no gap." if more else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
