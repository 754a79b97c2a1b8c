"""How much a grant shows."""

from __future__ import annotations

from django.db import models


class Level(models.IntegerChoices):
    """Each level shows what the one before it shows, and more."""

    STATUS = 1, "Status"
    COUNTS = 2, "Status with counts and freshness"
    FINDINGS = 3, "With findings, without names of resources"
    EVIDENCE = 4, "With named evidence"

    @property
    def shows(self) -> str:
        """What the other side sees, in a sentence."""
        return _SHOWS[self]


_SHOWS = {
    Level.STATUS: "Each safeguard's status: evidenced, gap, or no evidence yet.",
    Level.COUNTS: "Also why, how many checks passed and failed, and how old the evidence is.",
    Level.FINDINGS: "Also what fails: the check, its severity, on how many resources and since when. No resource,"
    " account or region is named.",
    Level.EVIDENCE: "Also the names of failing resources with account and region, and which evidence there is:"
    " collector, time and SHA-256. Not its content.",
}
