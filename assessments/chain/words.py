"""The few words in which a link of the chain is told. They are fixed, so that none of them can name anybody."""

from __future__ import annotations

from enum import StrEnum


class _Word(StrEnum):
    @property
    def label(self) -> str:
        """The words shown to people."""
        return self.value.replace("_", " ").capitalize()


class Service(_Word):
    """What a subcontractor does, as its business associate says it."""

    HOSTING = "hosting"
    BACKUP = "backup"
    SOFTWARE = "software"
    BILLING = "billing"
    MESSAGING = "messaging"
    ANALYTICS = "analytics"
    SUPPORT = "support"
    TRANSCRIPTION = "transcription"
    DESTRUCTION = "destruction"
    OTHER = "other"


class LinkAgreement(_Word):
    """How an agreement with a subcontractor stands (164.308(b)(2), 164.314(a)(2)(iii))."""

    IN_FORCE = "in_force"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    ABSENT = "absent"

    @property
    def sentence(self) -> str:
        """As it stands beside a subcontractor."""
        return _AGREEMENT[self]


_AGREEMENT = {
    LinkAgreement.IN_FORCE: "agreement in force",
    LinkAgreement.EXPIRING: "agreement expires soon",
    LinkAgreement.EXPIRED: "agreement expired",
    LinkAgreement.ABSENT: "no agreement in force",
}


class Break(_Word):
    """Why a link is broken."""

    AGREEMENT_EXPIRED = "agreement_expired"
    NO_AGREEMENT = "no_agreement"
    VERIFICATION_OVERDUE = "verification_overdue"

    @property
    def sentence(self) -> str:
        """As it stands in a list of reasons."""
        return _BREAKS[self]


_BREAKS = {
    Break.AGREEMENT_EXPIRED: "its agreement has expired",
    Break.NO_AGREEMENT: "it has no agreement in force",
    Break.VERIFICATION_OVERDUE: "its annual verification is overdue",
}


class Telling(_Word):
    """How much one upstream party is told of one subcontractor, by consent; each more than those before it."""

    NOTHING = "nothing"
    MASKED = "masked"
    NAMED = "named"
    NAMED_BELOW = "named_below"

    @property
    def names_it(self) -> bool:
        """Whether the subcontractor's own name is told."""
        return self in {Telling.NAMED, Telling.NAMED_BELOW}


class Ending(_Word):
    """How an alert ended: the link was mended, or it isn't told any more."""

    MENDED = "mended"
    WITHDRAWN = "withdrawn"
