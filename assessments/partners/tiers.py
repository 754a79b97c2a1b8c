"""How much depends on a business associate: a tier from what it does with PHI, with the reasons in words.

A tier says how closely to look, not how good the safeguards are. What isn't known counts as the most.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Volume(StrEnum):
    """Of how many individuals PHI is in reach. 500 is where a breach is told to the press (45 CFR 164.406)."""

    UNKNOWN = "unknown"
    UNDER_500 = "under_500"
    UNDER_10_000 = "under_10000"
    UNDER_100_000 = "under_100000"
    MORE = "more"

    @property
    def label(self) -> str:
        """The words shown to people."""
        return _VOLUME_LABELS[self]


class Reach(StrEnum):
    """How PHI is reached."""

    UNKNOWN = "unknown"
    INCIDENTAL = "incidental"
    OCCASIONAL = "occasional"
    REGULAR = "regular"
    HOLDS = "holds"

    @property
    def label(self) -> str:
        """The words shown to people."""
        return _REACH_LABELS[self]


_VOLUME_LABELS = {
    Volume.UNKNOWN: "Not known yet",
    Volume.UNDER_500: "Under 500",
    Volume.UNDER_10_000: "500 to 9,999",
    Volume.UNDER_100_000: "10,000 to 99,999",
    Volume.MORE: "100,000 or more",
}
_REACH_LABELS = {
    Reach.UNKNOWN: "Not known yet",
    Reach.INCIDENTAL: "Incidental: sees it by the way",
    Reach.OCCASIONAL: "Occasional: now and then, on request",
    Reach.REGULAR: "Regular: daily work with it",
    Reach.HOLDS: "Holds it in systems of its own",
}


class Tier(NamedTuple):
    """1 is where most depends; `reasons` are sentences."""

    number: int
    reasons: tuple[str, ...]

    @property
    def label(self) -> str:
        """The words shown to people."""
        return f"Tier {self.number}"


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a business associate does with PHI (45 CFR 160.103: creates, receives, maintains or transmits)."""

    maintains: bool
    volume: Volume
    reach: Reach


def tier_of(exposure: Exposure) -> Tier:
    """The tier with its reasons."""
    first = _reasons_for_first(exposure)
    if first:
        return Tier(1, first)
    if exposure.volume is Volume.UNDER_500 and exposure.reach in {Reach.INCIDENTAL, Reach.OCCASIONAL}:
        return Tier(3, ("PHI of fewer than 500 individuals, reached only by the way or now and then.",))
    return Tier(2, (_between(exposure),))


def _reasons_for_first(exposure: Exposure) -> tuple[str, ...]:
    volume, keeps = exposure.volume, exposure.maintains or exposure.reach is Reach.HOLDS
    told = (
        (volume is Volume.UNKNOWN, "The number of individuals isn't known yet, so it counts as the most."),
        (exposure.reach is Reach.UNKNOWN, "How PHI is reached isn't known yet, so it counts as the most."),
        (volume is Volume.MORE, "PHI of 100,000 individuals or more is in reach."),
        (
            keeps and volume is Volume.UNDER_100_000,
            "It keeps PHI of 10,000 individuals or more.",
        ),
    )
    return tuple(sentence for applies, sentence in told if applies)


def _between(exposure: Exposure) -> str:
    if exposure.maintains or exposure.reach is Reach.HOLDS:
        return f"It keeps PHI, of {exposure.volume.label.lower()} individuals."
    return f"PHI of {exposure.volume.label.lower()} individuals is in reach; it keeps none."
