"""What notices are about, and what the law says of when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What happened. The value stands in addresses and rows."""

    CONTINGENCY = "contingency"
    WORKFORCE = "workforce"
    INCIDENT = "incident"
    BREACH = "breach"

    @property
    def label(self) -> str:
        """In plain words."""
        return WORDS[self].label


class Side(StrEnum):
    """As what the tenant acts."""

    ASSOCIATE = "associate"
    COVERED_ENTITY = "covered_entity"


@dataclass(frozen=True, slots=True)
class Words:
    """How pages speak of a kind. `act` is the words of its button, `start` what the clock runs from."""

    label: str
    act: str
    start: str
    law: str
    hint: str


WORDS: Mapping[Kind, Words] = MappingProxyType(
    {
        Kind.CONTINGENCY: Words(
            "Contingency plan activated", "Activate contingency notice", "Plan activated at",
            "45 CFR 164.314(a)(2)(i)(D) as proposed in 2025, not in force",
            "Say what is down and since when, and what the covered entity should do.",
        ),
        Kind.WORKFORCE: Words(
            "Workforce access ended", "Activate notice of ended access", "Access changed or ended at",
            "45 CFR 164.308(a)(9)(ii)(D) as proposed in 2025, not in force",
            "Say which accounts or systems of the covered entity are to be closed, by account name.",
        ),
        Kind.INCIDENT: Words(
            "Security incident", "Activate incident notice", "Became aware at", "45 CFR 164.314(a)(2)(i)(C)",
            "Say what happened to which systems, and what is done about it.",
        ),
        Kind.BREACH: Words(
            "Breach of unsecured PHI", "Activate breach notice", "Discovered at", "45 CFR 164.410",
            "Say what happened and when, and the kinds of data concerned. Hand over the list of individuals by"
            " another way (164.410(c)(1)).",
        ),
    }
)  # fmt: skip

NO_PHI = "Never write PHI here: no names, numbers or other facts of individuals."
