"""The Security Rule's catalogue: every standard and implementation specification of 45 CFR 164.308-316.

Titles follow the regulation; summaries are the project's own words. The regulation itself is at
https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164/subpart-C.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any


class Family(StrEnum):
    """The part of the Rule, by section."""

    ADMINISTRATIVE = "administrative"
    PHYSICAL = "physical"
    TECHNICAL = "technical"
    ORGANIZATIONAL = "organizational"
    DOCUMENTATION = "documentation"

    @property
    def section(self) -> str:
        """The section of 45 CFR that holds the family."""
        return _SECTIONS[self]

    @property
    def label(self) -> str:
        """The words shown to people."""
        return _FAMILY_LABELS[self]


_SECTIONS = {
    Family.ADMINISTRATIVE: "164.308",
    Family.PHYSICAL: "164.310",
    Family.TECHNICAL: "164.312",
    Family.ORGANIZATIONAL: "164.314",
    Family.DOCUMENTATION: "164.316",
}

_FAMILY_LABELS = {
    Family.ADMINISTRATIVE: "Administrative safeguards",
    Family.PHYSICAL: "Physical safeguards",
    Family.TECHNICAL: "Technical safeguards",
    Family.ORGANIZATIONAL: "Organizational requirements",
    Family.DOCUMENTATION: "Policies, procedures and documentation",
}


class Kind(StrEnum):
    """164.306(c) and (d): a standard, or an implementation specification of one."""

    STANDARD = "standard"
    SPECIFICATION = "implementation_specification"


class Designation(StrEnum):
    """164.306(d). Addressable is never optional: the decision and its reasons are documented."""

    REQUIRED = "required"
    ADDRESSABLE = "addressable"


@dataclass(frozen=True, slots=True)
class Safeguard:
    """One catalogue entry. `designation` is None for a standard that has specifications (all are mandatory).

    `evidence_kinds`: what can show it, of document, attestation, questionnaire, aws, portal_log.
    """

    citation: str
    kind: Kind
    parent: str | None
    family: Family
    title: str
    designation: Designation | None
    summary: str
    evidence_kinds: tuple[str, ...]

    @property
    def ecfr_url(self) -> str:
        """Where the text of the regulation stands."""
        section = self.citation.partition("(")[0]
        return f"https://www.ecfr.gov/current/title-45/section-{section}#p-{self.citation}"


def _read(row: Mapping[str, Any]) -> Safeguard:
    return Safeguard(
        citation=row["citation"],
        kind=Kind(row["kind"]),
        parent=row["parent"],
        family=Family(row["family"]),
        title=row["title"],
        designation=Designation(row["designation"]) if row["designation"] else None,
        summary=row["summary"],
        evidence_kinds=tuple(row["evidence_kinds"]),
    )


def _load() -> Mapping[str, Safeguard]:
    rows = json.loads((Path(__file__).parent / "security_rule.json").read_text(encoding="utf-8"))[
        "safeguards"
    ]
    return MappingProxyType({row["citation"]: _read(row) for row in rows})


SECURITY_RULE: Mapping[str, Safeguard] = _load()
"""Every safeguard by citation, in the order of the regulation."""


def children(citation: str) -> tuple[Safeguard, ...]:
    """The safeguards directly below one, in order."""
    return tuple(entry for entry in SECURITY_RULE.values() if entry.parent == citation)
