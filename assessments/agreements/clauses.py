"""What a business associate agreement must say, by citation, in our words (164.504(e)(2), 164.314(a)(2))."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Weight(StrEnum):
    """Whether an agreement needs a clause."""

    REQUIRED = "required"
    BY_CASE = "by_case"
    """Needed where the case is one; that it isn't takes a reason."""
    PERMITTED = "permitted"
    """The agreement may say it; nothing is missing where it doesn't."""
    PROPOSED = "proposed"
    """The 2025 rulemaking would ask for it: proposed, not in force."""

    @property
    def label(self) -> str:
        """The words shown to people."""
        return _LABELS[self]


_LABELS = {
    Weight.REQUIRED: "required",
    Weight.BY_CASE: "required where it applies",
    Weight.PERMITTED: "permitted",
    Weight.PROPOSED: "proposed, not in force",
}


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause to look for. `says` completes "The agreement …"; `case`: when it is needed, or may be left out."""

    id: str
    citation: str
    title: str
    says: str
    weight: Weight = Weight.REQUIRED
    case: str = ""


CLAUSES: tuple[Clause, ...] = (
    Clause(
        "uses", "164.504(e)(2)(i)", "Permitted and required uses",
        "names the uses and disclosures of PHI that the business associate may or must make, and lets it do"
        " nothing that would break the Privacy Rule if the covered entity did it.",
    ),
    Clause(
        "own-management", "164.504(e)(2)(i)(A) and (e)(4)", "Its own management",
        "lets the business associate use PHI for its own management and legal duties, and disclose it for them"
        " only if the law requires it or the receiver promises confidentiality and tells of breaches.",
        Weight.PERMITTED, "Only where it is to use PHI so; without the clause it may not.",
    ),
    Clause(
        "aggregation", "164.504(e)(2)(i)(B)", "Data aggregation",
        "lets the business associate combine PHI of several covered entities for analyses of their health care"
        " operations.",
        Weight.PERMITTED, "Only where it aggregates data; without the clause it may not.",
    ),
    Clause(
        "no-other-use", "164.504(e)(2)(ii)(A)", "No other use or disclosure",
        "binds the business associate not to use or disclose PHI otherwise than the agreement or the law allows.",
    ),
    Clause(
        "safeguards", "164.504(e)(2)(ii)(B)", "Safeguards",
        "binds the business associate to fitting safeguards, and for electronic PHI to the Security Rule, so"
        " that PHI is used and disclosed only as agreed.",
    ),
    Clause(
        "report", "164.504(e)(2)(ii)(C)", "Report of other uses and breaches",
        "binds the business associate to report every use or disclosure that the agreement doesn't allow,"
        " breaches of unsecured PHI under 164.410 among them.",
    ),
    Clause(
        "subcontractors", "164.504(e)(2)(ii)(D)", "Subcontractors, privacy",
        "binds the business associate to have its subcontractors that handle the PHI accept the same"
        " restrictions and conditions.",
    ),
    Clause(
        "access", "164.504(e)(2)(ii)(E)", "Access of individuals",
        "binds the business associate to make PHI available for individuals' right of access (164.524).",
        Weight.BY_CASE, "Where it holds PHI of a designated record set.",
    ),
    Clause(
        "amendment", "164.504(e)(2)(ii)(F)", "Amendment of PHI",
        "binds the business associate to make PHI available for amendment and to take amendments in (164.526).",
        Weight.BY_CASE, "Where it holds PHI of a designated record set.",
    ),
    Clause(
        "accounting", "164.504(e)(2)(ii)(G)", "Accounting of disclosures",
        "binds the business associate to provide what an accounting of disclosures needs (164.528).",
    ),
    Clause(
        "delegated", "164.504(e)(2)(ii)(H)", "Duties carried out for you",
        "binds the business associate, where it carries out a duty of the covered entity under the Privacy"
        " Rule, to what the Rule asks of the covered entity there.",
        Weight.BY_CASE, "Where it carries out such a duty, such as sending notices of privacy practices.",
    ),
    Clause(
        "secretary", "164.504(e)(2)(ii)(I)", "Books open to the Secretary",
        "binds the business associate to open its practices, books and records about PHI to the Secretary of HHS.",
    ),
    Clause(
        "return", "164.504(e)(2)(ii)(J)", "Return or destruction",
        "binds the business associate to return or destroy all PHI at the end, without keeping copies; where"
        " that isn't feasible, to go on protecting it and use it for nothing else.",
    ),
    Clause(
        "termination", "164.504(e)(2)(iii)", "Right to terminate",
        "lets the covered entity end the agreement when it finds that the business associate broke a material"
        " term.",
        Weight.BY_CASE, "May be left out between government entities that a statute binds (164.504(e)(3)(iii)).",
    ),
    Clause(
        "security-rule", "164.314(a)(2)(i)(A)", "Security Rule",
        "binds the business associate to the parts of the Security Rule that apply to it.",
    ),
    Clause(
        "security-subcontractors", "164.314(a)(2)(i)(B)", "Subcontractors, security",
        "binds the business associate to have its subcontractors that handle electronic PHI agree, by contract"
        " or another arrangement of 164.314, to keep the Security Rule (164.308(b)(2)).",
    ),
    Clause(
        "security-report", "164.314(a)(2)(i)(C)", "Report of security incidents",
        "binds the business associate to report security incidents of which it learns, breaches of unsecured"
        " PHI under 164.410 among them.",
    ),
    Clause(
        "security-chain", "164.314(a)(2)(iii)", "The same down the chain",
        "has the same asked of the agreement between the business associate and each subcontractor.",
        Weight.BY_CASE, "Where it has subcontractors that handle the PHI, or may take one on.",
    ),
    Clause(
        "contingency", "164.314(a)(2)(i)(D)", "Contingency plan activated",
        "binds the business associate to tell when it activates its contingency plan, within 24 hours.",
        Weight.PROPOSED, "The 2025 rulemaking would ask for it. Nothing is missing without it today.",
    ),
)  # fmt: skip
"""In the order of the regulations."""
BY_ID: Mapping[str, Clause] = MappingProxyType({clause.id: clause for clause in CLAUSES})
CHAIN = ("subcontractors", "security-subcontractors")
"""By which the business associate promises agreements down the chain."""
NEEDED = frozenset(clause.id for clause in CLAUSES if clause.weight in {Weight.REQUIRED, Weight.BY_CASE})
"""Without which an agreement has a gap, unless they don't apply."""
