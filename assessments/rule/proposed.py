"""What the 2025 rulemaking proposes, beside the rule in force. It is not law: no status is derived from it.

90 FR 898 (6 January 2025, RIN 0945-AA22). Summaries are the project's own words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

NOT_IN_FORCE = "proposed, not in force"
"""How whatever the proposal asks is labelled wherever it is shown."""


class RuleSet(StrEnum):
    """Beside which text something is shown. Statuses always follow the rule in force."""

    CURRENT = "current"
    PROPOSED = "proposed"

    @property
    def label(self) -> str:
        """The words shown to people."""
        return _LABELS[self]


_LABELS = {
    RuleSet.CURRENT: "Security Rule in force",
    RuleSet.PROPOSED: f"2025 rulemaking ({NOT_IN_FORCE})",
}


def rule_set_of(given: str) -> RuleSet:
    """The rule set that an address names (`?rules=proposed`); the one in force for anything else."""
    return RuleSet.PROPOSED if given == RuleSet.PROPOSED else RuleSet.CURRENT


@dataclass(frozen=True, slots=True)
class Proposal:
    """A requirement that is proposed. `counterpart`: citations of the rule in force, "" where it has none.

    `cadence` is its period or deadline in words, "" where none is proposed.
    """

    citation: str
    title: str
    summary: str
    counterpart: str
    cadence: str


def _read(row: Mapping[str, Any]) -> Proposal:
    return Proposal(
        row["citation"], row["title"], row["summary"], row["current_counterpart"] or "", row["cadence"] or ""
    )


PROPOSALS: tuple[Proposal, ...] = tuple(
    _read(row)
    for row in json.loads((Path(__file__).parent / "proposed_2025.json").read_text(encoding="utf-8"))[
        "requirements"
    ]
)
"""Everything that is proposed, in the order of its paragraphs."""

VERIFICATION: Proposal = next(each for each in PROPOSALS if each.title == "Business associate verification")
"""The yearly written verification of business associates."""


def proposals_for(section: str) -> tuple[Proposal, ...]:
    """What is proposed for a section, such as "164.312"."""
    return tuple(each for each in PROPOSALS if each.citation.partition("(")[0] == section)
