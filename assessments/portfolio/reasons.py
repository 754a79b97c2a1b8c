"""Why a business associate stands where it stands in the portfolio: what needs doing, the most urgent first."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

EXPIRING_WITHIN = timedelta(days=90)
STALE_AFTER = timedelta(days=30)


class Reason(StrEnum):
    """What needs doing. The order of the members is the order of the portfolio."""

    NO_AGREEMENT = "no_agreement"
    EXIT_OVERDUE = "exit_overdue"
    EXPIRING = "expiring"
    VERIFICATION_OVERDUE = "verification_overdue"
    REQUIRED_GAP = "required_gap"
    STALE = "stale"
    CHAIN_BROKEN = "chain_broken"
    NOTICE_OPEN = "notice_open"

    @property
    def label(self) -> str:
        """The words on a row."""
        return _LABELS[self][0]

    @property
    def tile(self) -> str:
        """The words over the number of those whom it concerns."""
        return _LABELS[self][1]

    @property
    def tab(self) -> str:
        """The tab of a business associate's page where it is done, by its slug."""
        return _TABS[self]

    @property
    def because(self) -> str:
        """The rule or the measure behind it."""
        return _LABELS[self][2]


_LABELS = {
    Reason.NO_AGREEMENT: (
        "No agreement in force",
        "No agreement in force",
        "164.308(b), 164.502(e): no PHI without one",
    ),
    Reason.EXIT_OVERDUE: (
        "PHI not returned in time",
        "Exit overdue",
        "164.504(e)(2)(ii)(J): its day has passed, and the exit isn't closed",
    ),
    Reason.EXPIRING: (
        "Agreement ends within 90 days",
        "Agreement ends within 90 days",
        "Renew or replace it before it lapses",
    ),
    Reason.VERIFICATION_OVERDUE: (
        "Verification overdue",
        "Verification overdue",
        "The day by which the next one was due has passed",
    ),
    Reason.REQUIRED_GAP: (
        "Gap in a required safeguard",
        "Gap in a required safeguard",
        "In what it shows you; 164.306(d)(2)",
    ),
    Reason.STALE: (
        "Evidence older than 30 days",
        "Stale evidence",
        "The oldest evidence that it shows you is older than 30 days",
    ),
    Reason.CHAIN_BROKEN: (
        "A subcontractor's link is broken",
        "Subcontractors, link broken",
        "164.308(b)(2), 164.314(a)(2)(iii)",
    ),
    Reason.NOTICE_OPEN: (
        "Notice not acknowledged",
        "Open notices",
        "It told you something that nobody here has acknowledged",
    ),
}
_TABS = {
    Reason.NO_AGREEMENT: "agreement",
    Reason.EXIT_OVERDUE: "exit",
    Reason.EXPIRING: "agreement",
    Reason.VERIFICATION_OVERDUE: "verification",
    Reason.REQUIRED_GAP: "posture",
    Reason.STALE: "posture",
    Reason.CHAIN_BROKEN: "subcontractors",
    Reason.NOTICE_OPEN: "notices",
}
