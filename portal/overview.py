"""What to do next: at most seven acts, the one that matters most first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.urls import reverse

from accounts.permissions import Permission
from assessments.checks.base import Severity
from assessments.posture import Overview
from evidence.ledger import ConnectionHealth
from evidence.models import ConnectionState
from evidence.submissions.quarantine import count_held

STEPS_SHOWN = 7
CHECKS_SHOWN = 4
URGENT = (Severity.CRITICAL, Severity.HIGH)


@dataclass(frozen=True, slots=True)
class Step:
    """An act, why it is next, and where it is done."""

    act: str
    why: str
    url: str
    icon: str


def next_steps(
    posture: Overview, health: Iterable[ConnectionHealth], may: Callable[[Permission], bool]
) -> list[Step]:
    """The acts that this member may do or look into, by weight."""
    rows = list(health)
    steps = (*_deciding(may), *_connecting(rows, may), *_mending(posture), *_widening(rows))
    return list(islice(steps, STEPS_SHOWN))


def _deciding(may: Callable[[Permission], bool]) -> Iterator[Step]:
    held = count_held() if may(Permission.SUBMISSION_RELEASE) else 0
    if held:
        documents = "document" if held == 1 else "documents"
        yield Step(
            f"Decide about {held:,} {documents} held back",
            "What may be PHI was found. Two people release a document, or one deletes it.",
            reverse("submission-list") + "?state=quarantined",
            "lock",
        )


def _connecting(rows: list[ConnectionHealth], may: Callable[[Permission], bool]) -> Iterator[Step]:
    if not rows and may(Permission.CONNECTION_CHANGE):
        yield Step(
            "Connect an AWS account",
            "Without one nothing can be evidenced.",
            reverse("connection-new"),
            "cloud",
        )
    for row in rows:
        url = reverse("connection-detail", args=[row.connection.pk])
        name = row.connection.name
        if row.connection.state == ConnectionState.BROKEN:
            yield Step(
                f"Mend the connection {name}",
                "AWS refused a step of its verification.",
                url,
                "plug-connected-x",
            )
        elif row.connection.state == ConnectionState.PENDING:
            yield Step(
                f"Verify the connection {name}", "It isn't collected before that.", url, "plug-connected"
            )
        elif row.last is None and row.running is None:
            yield Step(f"Collect from {name}", "It is verified and was never collected.", url, "player-play")


def _mending(posture: Overview) -> Iterator[Step]:
    urgent = (entry for entry in posture.worst if entry.severity in URGENT)
    for entry in islice(urgent, CHECKS_SHOWN):
        number = entry.tally.failed
        resources = "resource" if number == 1 else "resources"
        why = f"{entry.severity.capitalize()}: fails on {number:,} {resources}."
        yield Step(f"Mend: {entry.title}", why, entry.url or reverse("finding-list"), "alert-triangle")


def _widening(rows: list[ConnectionHealth]) -> Iterator[Step]:
    for row in rows:
        if row.gaps:
            url = reverse("connection-detail", args=[row.connection.pk]) + "?tab=coverage"
            why = f"{row.gaps:,} {'call' if row.gaps == 1 else 'calls'} gave no answer in its newest run."
            yield Step(f"Close the gaps in what {row.connection.name} shows", why, url, "eye-off")
