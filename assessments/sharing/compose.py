"""What a scope and a level show of a posture. Pure; text comes from the product's own catalogue and checks alone.

`statuses`, in the order of the Rule: {"citation", "status"}; from level 2 on also "why", "failing" and "passing"
(checks), "decided" of "outcomes", and "since" (RFC 3339).
`findings`, from level 3 on, the worst first: {"check", "title", "severity", "count", "since", "citations"}; at
level 4 with "resources": at most MOST_RESOURCES of {"name", "arn", "account", "region", "since"}.
`evidence`, at level 4: {"collector", "account", "region", "collected_at", "sha256"}.
`collected`, from level 2 on: when the oldest of a safeguard's evidence was collected, by citation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from assessments.checks.base import Check, checks
from assessments.posture import SafeguardState
from assessments.rule.model import SECURITY_RULE, Designation, children
from assessments.sharing.levels import Level
from assessments.sharing.material import Material
from assessments.status import Status, explain

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Content:
    """What a SharedPosture row says, by its columns' names."""

    evidenced: int
    gaps: int
    not_evidenced: int
    undetermined: int
    required_gaps: int
    oldest_evidence_at: datetime | None
    as_of: datetime
    statuses: list[Json]
    findings: list[Json]
    evidence: list[Json]
    collected: dict[str, str]
    digest: str

    def counts(self) -> dict[str, int]:
        """The columns of a point of the history."""
        return {
            "evidenced": self.evidenced, "gaps": self.gaps, "not_evidenced": self.not_evidenced,
            "undetermined": self.undetermined, "required_gaps": self.required_gaps,
        }  # fmt: skip

    def times(self) -> dict[str, Any]:
        """The columns that change with each collection, though nothing else did."""
        return {
            "oldest_evidence_at": self.oldest_evidence_at,
            "as_of": self.as_of,
            "collected": self.collected,
        }

    def body(self) -> dict[str, Any]:
        """The columns that the digest is of, and itself."""
        return {
            **self.counts(), "statuses": self.statuses, "findings": self.findings, "evidence": self.evidence,
            "digest": self.digest,
        }  # fmt: skip


def close_scope(citations: Iterable[str]) -> tuple[str, ...]:
    """The safeguards in the order of the Rule, each standard with its specifications, whose statuses make its own."""
    given = set(citations)
    given |= {
        child.citation for citation in given if citation in SECURITY_RULE for child in children(citation)
    }
    return tuple(citation for citation in SECURITY_RULE if citation in given)


def compose(material: Material, citations: tuple[str, ...], level: Level, now: datetime) -> Content:
    """What the scope shows at the level."""
    states = [material.states[citation] for citation in citations]
    times = _collected(material, citations) if level >= Level.COUNTS else {}
    statuses = [_status(state, material, level) for state in states]
    findings = _findings(material, citations, level) if level >= Level.FINDINGS else []
    evidence = _evidence(material, citations) if level >= Level.EVIDENCE else []
    return Content(
        **_counts(states), oldest_evidence_at=min(times.values(), default=None),
        as_of=(material.evaluated_at if level >= Level.COUNTS else None) or now,
        statuses=statuses, findings=findings, evidence=evidence,
        collected={citation: at.isoformat() for citation, at in times.items()},
        digest=_digest(statuses, findings, evidence),
    )  # fmt: skip


def _digest(*content: list[Json]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _counts(states: list[SafeguardState]) -> dict[str, int]:
    unsure = [state for state in states if state.status is Status.UNDETERMINED]
    gaps = [state for state in states if state.status is Status.NOT_SATISFIED]
    return {
        "evidenced": sum(state.status is Status.SATISFIED for state in states),
        "gaps": len(gaps),
        "not_evidenced": sum(not state.total for state in unsure),
        "undetermined": sum(bool(state.total) for state in unsure),
        "required_gaps": sum(_is_required(state) for state in gaps),
    }


def _is_required(state: SafeguardState) -> bool:
    """Whether the Rule asks for what is missing as it stands; a standard's gap may be its specification's alone."""
    designation = state.safeguard.designation
    return designation is Designation.REQUIRED or (designation is None and state.failing > 0)


def _status(state: SafeguardState, material: Material, level: Level) -> Json:
    said: Json = {"citation": state.safeguard.citation, "status": str(state.status)}
    if level < Level.COUNTS:
        return said
    below = {
        each.citation: material.states[each.citation].status for each in children(state.safeguard.citation)
    }
    tallies = tuple(entry.tally for entry in state.checks)
    return said | {
        "why": explain(state.safeguard, tallies, below), "failing": state.failing, "passing": state.passing,
        "decided": state.decided, "outcomes": state.total,
        "since": state.since.isoformat() if state.since else None,
    }  # fmt: skip


@cache
def _checks_of(citation: str) -> tuple[Check, ...]:
    return tuple(check for check in checks().values() if citation in check.supports)


def _collected(material: Material, citations: Iterable[str]) -> dict[str, datetime]:
    found = {}
    for citation in citations:
        names = {name for check in _checks_of(citation) for name in check.collectors}
        times = [material.collected[name] for name in names if name in material.collected]
        if times:
            found[citation] = min(times)
    return found


def _findings(material: Material, citations: tuple[str, ...], level: Level) -> list[Json]:
    inside = {check.id: check for citation in citations for check in _checks_of(citation)}
    failing = [check for check in inside.values() if check.id in material.failing]
    failing.sort(key=lambda check: (check.severity.rank, -material.failing[check.id].count, check.id))
    return [_finding(check, material, set(citations), level) for check in failing]


def _finding(check: Check, material: Material, citations: set[str], level: Level) -> Json:
    failing = material.failing[check.id]
    said: Json = {
        "check": check.id, "title": check.title, "severity": str(check.severity), "count": failing.count,
        "since": failing.since.isoformat(), "citations": [each for each in check.supports if each in citations],
    }  # fmt: skip
    if level >= Level.EVIDENCE:
        said["resources"] = material.resources.get(check.id, [])
    return said


def _evidence(material: Material, citations: Iterable[str]) -> list[Json]:
    names = {name for citation in citations for check in _checks_of(citation) for name in check.collectors}
    return [each for name in sorted(names) for each in material.snapshots.get(name, [])]
