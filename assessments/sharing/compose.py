"""What a scope and a level show of a posture. Pure; text comes from the product's own catalogue and checks alone.

But for another tool's check: its producer is named (`source`), and at level 4, which names things, the check is called
what its documents call it. Below, where such a text could name a resource or a person, it has the title of our check
that judges the same, or none of its own.

`statuses`, in the order of the Rule: {"citation", "status"}; from level 2 on also "why", "failing" and "passing"
(checks), "decided" of "outcomes", and "since" (RFC 3339).
`findings`, from level 3 on, the worst first: {"check", "title", "severity", "count", "since", "citations"}, with
"source" where it is another tool's; at level 4 with "resources": at most MOST_RESOURCES of {"name", "arn", "account",
"region", "since"}.
`evidence`, at level 4: {"collector", "account", "region", "collected_at", "sha256"}.
`collected`, from level 2 on: when the oldest of a safeguard's evidence was collected, by citation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any, NamedTuple

from assessments.checks.base import Check, checks
from assessments.posture import SafeguardState
from assessments.rule.model import SECURITY_RULE, Designation, children
from assessments.sharing.levels import Level
from assessments.sharing.material import Material
from assessments.status import Status, explain
from assessments.submitted.agreement import equivalent_to, is_known
from assessments.submitted.reading import ToolCheck

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
    return Composer(material, now).compose(citations, level)


class Composer:
    """Composes many scopes of one posture. What is said of a safeguard, a check, a snapshot is made once for all."""

    def __init__(self, material: Material, now: datetime) -> None:
        self.material, self.now = material, now
        self._said: dict[Any, _Said] = {}
        known: list[Check | ToolCheck] = [*checks().values(), *material.tools.values()]
        ranked = [check for check in known if check.id in material.failing]
        ranked.sort(key=lambda check: (check.severity.rank, -material.failing[check.id].count, check.id))
        self._failing = ranked

    def compose(self, citations: tuple[str, ...], level: Level) -> Content:
        """What the scope shows at the level."""
        material = self.material
        states = [material.states[citation] for citation in citations]
        times = _collected(material, citations) if level >= Level.COUNTS else {}
        statuses = [
            self._once((state.safeguard.citation, level), partial(_status, state, material, level))
            for state in states
        ]
        findings = self._findings(set(citations), level) if level >= Level.FINDINGS else []
        evidence = self._evidence(citations) if level >= Level.EVIDENCE else []
        return Content(
            **_counts(states), oldest_evidence_at=min(times.values(), default=None),
            as_of=(material.evaluated_at if level >= Level.COUNTS else None) or self.now,
            statuses=[each.json for each in statuses], findings=[each.json for each in findings],
            evidence=[each.json for each in evidence],
            collected={citation: at.isoformat() for citation, at in times.items()},
            digest=_digest(statuses, findings, evidence),
        )  # fmt: skip

    def _once(self, key: Hashable, say: Callable[[], Json]) -> _Said:
        if key not in self._said:
            json_value = say()
            self._said[key] = _Said(json_value, json.dumps(json_value, sort_keys=True))
        return self._said[key]

    def _findings(self, citations: set[str], level: Level) -> list[_Said]:
        found = []
        for check in self._failing:
            inside = tuple(each for each in check.supports if each in citations)
            if inside:
                say = partial(_finding, check, self.material, inside, level)
                found.append(self._once((check.id, level, inside), say))
        return found

    def _evidence(self, citations: Iterable[str]) -> list[_Said]:
        names = {name for citation in citations for name in _collectors_of(citation)}
        return [
            self._once((name, number), lambda said=said: said)  # type: ignore[misc] # its default is its type
            for name in sorted(names)
            for number, said in enumerate(self.material.snapshots.get(name, []))
        ]


class _Said(NamedTuple):
    """A part of a content, and the same as text."""

    json: Json
    text: str


def _digest(*content: Iterable[_Said]) -> str:
    """The SHA-256 of the JSON of all of it, keys sorted."""
    lists = ("[" + ", ".join(each.text for each in part) + "]" for part in content)
    return hashlib.sha256(f"[{', '.join(lists)}]".encode()).hexdigest()


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
    weighs = any(entry.tally.failed and entry.tally.weighs for entry in state.checks)
    return designation is Designation.REQUIRED or (designation is None and weighs)


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


@cache
def _collectors_of(citation: str) -> frozenset[str]:
    return frozenset(name for check in _checks_of(citation) for name in check.collectors)


def _collected(material: Material, citations: Iterable[str]) -> dict[str, datetime]:
    found = {}
    for citation in citations:
        times = [material.collected[name] for name in _collectors_of(citation) if name in material.collected]
        times += [material.told[citation]] if citation in material.told else []
        if times:
            found[citation] = min(times)
    return found


def _finding(check: Check | ToolCheck, material: Material, citations: tuple[str, ...], level: Level) -> Json:
    failing = material.failing[check.id]
    named = (
        _named(check, level) if isinstance(check, ToolCheck) else {"check": check.id, "title": check.title}
    )
    said: Json = {
        **named, "severity": str(check.severity), "count": failing.count, "since": failing.since.isoformat(),
        "citations": list(citations),
    }  # fmt: skip
    if level >= Level.EVIDENCE:
        said["resources"] = material.resources.get(check.id, [])
    return said


def _named(check: ToolCheck, level: Level) -> Json:
    """What another tool's check is called at a level."""
    if level >= Level.EVIDENCE:
        return {"check": check.id, "title": check.title, "source": check.tool}
    same = next((checks()[ours].title for ours in equivalent_to(check.id) if ours in checks()), "")
    return {
        "check": check.id if is_known(check.id) else f"{check.tool}:{check.page_id}",
        "title": same or f"A check of {check.tool}", "source": check.tool,
    }  # fmt: skip
