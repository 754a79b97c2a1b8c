"""The posture as it stands: every safeguard with its status and why, the overview's numbers, what changed.

Reads the statuses in force, 75 rows that hold their checks' tallies, and never the findings one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any

from django.db.models import F, Min, Q, QuerySet
from django.urls import reverse

from accounts.errors import NotFound
from accounts.tenancy.scope import current_tenant_id
from assessments.checks.base import Check, Severity, checks
from assessments.models import Evaluation, Finding, SafeguardStatus
from assessments.rule.model import SECURITY_RULE, Designation, Family, Safeguard, children
from assessments.status import EVIDENCE_LABELS, Derived, Status, Tally, derive_statuses
from assessments.submitted.reading import ToolCheck, tool_checks
from evidence import ledger
from evidence.models import CollectionUnit

CHANGES_SHOWN = 8
# By hand, since machines ask for a status often: putting the statement together costs more than to run it.
_STANDING = (
    "SELECT * FROM assessments_safeguardstatus WHERE tenant_id = %s AND citation = %s AND valid_to IS NULL"
)
_NO_TOOLS: Mapping[str, ToolCheck] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CheckTally:
    """How one check came out over all resources.

    `tool_check` is another tool's; both are None for a check that this version no longer has.
    """

    tally: Tally
    check: Check | None
    tool_check: ToolCheck | None = None

    @property
    def title(self) -> str:
        """The check's title, or what its tool calls it, or its id."""
        told = self.check.title if self.check else self.tally.title
        return told or self.tally.check_id.partition(":")[2] or self.tally.check_id

    @property
    def severity(self) -> Severity:
        """The check's severity; the lowest for one that is no longer there."""
        known = self.check or self.tool_check
        return Severity(self.tally.severity or (known.severity if known else Severity.LOW))

    @property
    def url(self) -> str:
        """The check's page; "" where there is none."""
        if self.check:
            return reverse("check-detail", args=[self.check.id])
        return reverse("submitted-check-detail", args=[self.tool_check.page_id]) if self.tool_check else ""

    @property
    def look(self) -> str:
        """The outcome that says most: a failure, then something unseen, then a pass."""
        tally = self.tally
        ranked = (("FAIL", tally.failed), ("UNKNOWN", tally.unknown), ("PASS", tally.passed))
        return next((outcome for outcome, number in ranked if number), "NOT_APPLICABLE")


@dataclass(frozen=True, slots=True)
class SafeguardState:
    """A safeguard with its status in force. `since` is None where nothing was derived yet."""

    safeguard: Safeguard
    status: Status
    why: str
    checks: tuple[CheckTally, ...]
    needs: tuple[str, ...]
    decided: int
    total: int
    since: datetime | None

    @property
    def level(self) -> str:
        """Required or Addressable; for a standard with specifications, Standard."""
        designation = self.safeguard.designation
        return designation.value.capitalize() if designation else "Standard"

    @property
    def needs_labels(self) -> list[str]:
        """What would show it, in words."""
        return [EVIDENCE_LABELS[need] for need in self.needs]

    @property
    def failing(self) -> int:
        """Checks with a failing outcome."""
        return sum(1 for check in self.checks if check.tally.failed)

    @property
    def passing(self) -> int:
        """Checks that passed without a failure or something unseen."""
        return sum(1 for check in self.checks if check.look == "PASS")


@dataclass(frozen=True, slots=True)
class SectionCounts:
    """A section of the Rule and how many of its safeguards have each status."""

    family: Family
    counts: Mapping[Status, int]

    @property
    def total(self) -> int:
        """All safeguards of the section."""
        return sum(self.counts.values())

    @property
    def words(self) -> str:
        """The counts as a sentence, for who can't see the bar."""
        said = ", ".join(f"{number} {status.label}" for status, number in self.counts.items() if number)
        return f"{self.family.section}: {said}"


@dataclass(frozen=True, slots=True)
class Change:
    """A finding that is new, has regressed, or is fixed."""

    finding: Finding
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The posture in numbers. `failing`: failing outcomes by severity; `decided` of `outcomes` were seen."""

    statuses: Mapping[Status, int]
    sections: tuple[SectionCounts, ...]
    decided: int
    outcomes: int
    failing: Mapping[Severity, int]
    worst: tuple[CheckTally, ...]
    evaluated_at: datetime | None
    changes: tuple[Change, ...]

    @property
    def total(self) -> int:
        """All safeguards of the Rule."""
        return sum(self.statuses.values())

    @property
    def failing_total(self) -> int:
        """All failing outcomes."""
        return sum(self.failing.values())


def read_overview() -> Overview:
    """The overview's numbers from the statuses in force."""
    states = read_safeguards()
    tallies = unique_tallies(states)
    first, last = _evaluated()
    return Overview(
        statuses={status: sum(state.status is status for state in states) for status in Status},
        sections=tuple(_section(family, states) for family in Family),
        decided=sum(entry.tally.total - entry.tally.unknown for entry in tallies),
        outcomes=sum(entry.tally.total for entry in tallies),
        failing={s: sum(entry.tally.failed for entry in tallies if entry.severity is s) for s in Severity},
        worst=tuple(worst_first(entry for entry in tallies if entry.tally.failed)),
        evaluated_at=last,
        changes=tuple(recent_changes(first)) if first else (),
    )


def _section(family: Family, states: Iterable[SafeguardState]) -> SectionCounts:
    counts = Counter(state.status for state in states if state.safeguard.family is family)
    return SectionCounts(family, {status: counts[status] for status in Status})


def _evaluated() -> tuple[datetime | None, datetime | None]:
    newest = Evaluation.objects.order_by("-at").values_list("at", flat=True).first()
    return Evaluation.objects.aggregate(first=Min("at"))["first"], newest


def unique_tallies(states: Iterable[SafeguardState]) -> list[CheckTally]:
    """Each check's tally once, though it may support several safeguards."""
    return list({entry.tally.check_id: entry for state in states for entry in state.checks}.values())


def worst_first(entries: Iterable[CheckTally]) -> list[CheckTally]:
    """By severity, then by failing resources, most first."""
    return sorted(entries, key=lambda entry: (entry.severity.rank, -entry.tally.failed, entry.tally.check_id))


def recent_changes(first: datetime) -> list[Change]:
    """The newest findings that began to fail or were fixed after the first evaluation."""
    moved = Q(outcome="FAIL") | Q(outcome="PASS", since__gt=F("first_seen_at"))
    found = Finding.objects.filter(moved, gone_at=None, since__gt=first).order_by("-since", "-id")[
        :CHANGES_SHOWN
    ]
    tools = tool_checks(finding.check_id for finding in found)
    return [Change(finding, _kind(finding), title_of(finding.check_id, tools)) for finding in found]


def _kind(finding: Finding) -> str:
    if finding.outcome == "PASS":
        return "fixed"
    return "new" if finding.since == finding.first_seen_at else "regressed"


def title_of(check_id: str, tools: Mapping[str, ToolCheck] = _NO_TOOLS) -> str:
    """A check's title, or its id where this version has no such check."""
    known = checks().get(check_id) or tools.get(check_id)
    return known.title if known else check_id


def read_safeguards(at: datetime | None = None) -> list[SafeguardState]:
    """Every safeguard in the order of the Rule, with its status in force, or with that of another time."""
    return _states(SECURITY_RULE, _in_force(at))


def read_state(citation: str, at: datetime | None = None) -> SafeguardState:
    """One safeguard as `read_safeguards` has it, but for the pages of other tools' checks.

    Raises NotFound for a citation that the Rule doesn't have.
    """
    if citation not in SECURITY_RULE:
        raise NotFound("The Security Rule has no such standard or specification.")
    found = (
        _in_force(at).filter(citation=citation)
        if at
        else SafeguardStatus.objects.raw(_STANDING, [current_tenant_id(), citation])
    )
    row = next(iter(found), None)
    untold = [said["check_id"] for said in row.reasons["checks"] if "severity" not in said] if row else []
    return _state(SECURITY_RULE[citation], row, tool_checks(untold))


def _in_force(at: datetime | None) -> QuerySet[SafeguardStatus]:
    if at is None:
        return SafeguardStatus.objects.filter(valid_to=None)
    return SafeguardStatus.objects.filter(Q(valid_to=None) | Q(valid_to__gt=at), valid_from__lte=at)


def _states(citations: Iterable[str], found: Iterable[SafeguardStatus]) -> list[SafeguardState]:
    rows = {row.citation: row for row in found}
    tools = tool_checks(said["check_id"] for row in rows.values() for said in row.reasons["checks"])
    return [_state(SECURITY_RULE[citation], rows.get(citation), tools) for citation in citations]


@cache
def _without_evidence() -> Mapping[str, Derived]:
    return derive_statuses((), {})


def _state(
    safeguard: Safeguard,
    row: SafeguardStatus | None,
    tools: Mapping[str, ToolCheck],
) -> SafeguardState:
    if row is None:
        derived = _without_evidence()[safeguard.citation]
        return SafeguardState(safeguard, derived.status, derived.why, (), derived.needs, 0, 0, None)
    tallies = tuple(_check_tally(said, tools) for said in row.reasons["checks"])
    return SafeguardState(
        safeguard, Status(row.status), row.reasons["why"], tallies, tuple(row.reasons["needs"]),
        row.coverage["decided"], row.coverage["total"], row.valid_from,
    )  # fmt: skip


def _check_tally(said: Mapping[str, Any], tools: Mapping[str, ToolCheck]) -> CheckTally:
    tally = Tally(**said)
    return CheckTally(tally, checks().get(tally.check_id), tools.get(tally.check_id))


@dataclass(frozen=True, slots=True)
class SafeguardFilter:
    """What the list of safeguards is narrowed to; "" leaves a field open."""

    section: str = ""
    status: str = ""
    designation: str = ""
    text: str = ""

    def admits(self, state: SafeguardState) -> bool:
        """Whether the safeguard is shown."""
        safeguard, text = state.safeguard, self.text.strip().lower()
        said = f"{safeguard.citation} {safeguard.title} {safeguard.summary}".lower()
        return (
            (not self.section or safeguard.family.section == self.section)
            and (not self.status or state.status == self.status)
            and (not self.designation or safeguard.designation == self.designation)
            and (not text or text in said)
        )


def list_safeguards(wanted: SafeguardFilter) -> list[tuple[Family, list[SafeguardState]]]:
    """The safeguards that the filter admits, by section; sections without any are left out."""
    states = [state for state in read_safeguards() if wanted.admits(state)]
    groups = ((family, [state for state in states if state.safeguard.family is family]) for family in Family)
    return [(family, found) for family, found in groups if found]


@dataclass(frozen=True, slots=True)
class SafeguardDetail:
    """A safeguard's status with what it rests on: its checks' collectors' newest units, with their gaps."""

    state: SafeguardState
    parent: Safeguard | None
    specifications: tuple[SafeguardState, ...]
    units: tuple[CollectionUnit, ...]
    gaps: tuple[ledger.GapGroup, ...]
    history: tuple[SafeguardStatus, ...]

    @property
    def gap_count(self) -> int:
        """Calls without an answer."""
        return sum(group.count for group in self.gaps)

    @property
    def addressable(self) -> bool:
        """Whether 164.306(d)(3) applies."""
        return self.state.safeguard.designation is Designation.ADDRESSABLE


def read_safeguard(citation: str) -> SafeguardDetail:
    """One safeguard in full. Raises NotFound for a citation that the Rule doesn't have."""
    if citation not in SECURITY_RULE:
        raise NotFound("The Security Rule has no such standard or specification.")
    states = {state.safeguard.citation: state for state in read_safeguards()}
    state = states[citation]
    units = ledger.latest_units(_collectors_of(citation))
    return SafeguardDetail(
        state=replace(state, checks=tuple(worst_first(state.checks))),
        parent=SECURITY_RULE.get(state.safeguard.parent or ""),
        specifications=tuple(states[child.citation] for child in children(citation)),
        units=tuple(units),
        gaps=tuple(ledger.group_gaps(gap for unit in units for gap in ledger.gaps_of(unit))),
        history=tuple(SafeguardStatus.objects.filter(citation=citation).order_by("-valid_from")[:50]),
    )


def _collectors_of(citation: str) -> set[str]:
    return {name for check in checks().values() if citation in check.supports for name in check.collectors}
