"""What the command prints: a few lines for people, or JSON, one line for each answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from surety.answers import Counts, Receipt, Submission, SubmissionState

FINDINGS = (
    ("opened", "opened"),
    ("changed", "changed"),
    ("gone", "gone"),
    ("appeared", "failing anew"),
    ("fixed", "fixed"),
)
MOST_FOUND = 5
OUTCOMES = (
    ("passed", "passed"),
    ("failed", "failed"),
    ("unknown", "unknown"),
    ("not_applicable", "not applicable"),
)


class Report:
    """Where what happened goes to. `portal` is the origin that links begin with."""

    def __init__(self, portal: str, *, as_json: bool) -> None:
        self._portal, self._as_json = portal, as_json

    def received(self, receipt: Receipt) -> None:
        """The portal has the document."""
        if self._as_json:
            self.raw({**asdict(receipt), "received_at": receipt.received_at.isoformat()})
            return
        before = ", which the portal had before (--again makes another)" if receipt.replayed else ""
        _say(f"Received as {receipt.id}{before}.")
        _say(f"  {receipt.size:,} bytes, SHA-256 {receipt.digest}, receipt number {receipt.sequence}")

    def judged(self, found: Submission) -> None:
        """How far a submission is."""
        if self._as_json:
            self.raw(found.said)
            return
        for line in in_words(found, self._portal):
            _say(line)

    def raw(self, said: Mapping[str, Any]) -> None:
        """An object as one line."""
        sys.stdout.write(json.dumps(said, ensure_ascii=True) + "\n")


def in_words(found: Submission, portal: str) -> Iterator[str]:
    """A submission in a few lines, with the addresses of the safeguards that it tells of."""
    match found.state:
        case SubmissionState.RECEIVED:
            yield "Received, and not judged yet."
        case SubmissionState.REFUSED:
            yield f"Refused: {found.problem or 'the portal says no more'}"
        case SubmissionState.QUARANTINED:
            yield from _held(found)
        case SubmissionState.DELETED:
            yield "Deleted after it was held back."
        case SubmissionState.ACCEPTED:
            yield from _accepted(found, portal)
    yield f"  {portal}/submissions/{found.id}/"


def _held(found: Submission) -> Iterator[str]:
    yield f"Held back: {found.problem or 'it may hold what identifies patients'}"
    for each in found.found[:MOST_FOUND]:
        yield f"  {each.kind}{' at ' if each.place else ''}{each.place}"
    if len(found.found) > MOST_FOUND:
        yield f"  and {len(found.found) - MOST_FOUND} more"
    yield "  People of your organisation release it or delete it:"


def _accepted(found: Submission, portal: str) -> Iterator[str]:
    maker = f" from {found.producer}" if found.producer else ""
    yield f"Accepted: {found.format or 'document'}{maker}."
    if found.counts.outcomes:
        yield f"  {found.counts.outcomes:,} outcomes: {_listed(found.counts, OUTCOMES)}"
        yield f"  findings: {_listed(found.counts, FINDINGS) or 'no change'}"
        yield f"  statuses changed: {found.counts.statuses_changed:,}"
    elif found.format == "document":
        yield "  no outcomes: kept for people to read, as no tool's format was recognised (--format, --mapping)"
    else:
        yield "  no outcomes"
    for citation in found.citations:
        yield f"  {portal}/safeguards/{citation}/"


def _listed(counts: Counts, names: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{getattr(counts, name):,} {word}" for name, word in names if getattr(counts, name))


def _say(line: str) -> None:
    sys.stdout.write(plain(line) + "\n")


def plain(text: str) -> str:
    """Text without what would steer a terminal: a document's words stand in the portal's answers."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
