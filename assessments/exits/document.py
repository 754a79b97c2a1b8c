"""The certificate of return or destruction: one content, written as canonical JSON (RFC 8785) and as PDF/A."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from accounts.audit.seals import seals_of
from assessments.certified import canonical, sealed_as, sha256
from assessments.exits.facts import Fact, Look
from assessments.exits.models import ExitEvidence
from assessments.exits.reading import Line, Picture

TEMPLATE = Path(__file__).with_name("certificate.typ")
KEPT_YEARS = 6

LAW = (
    "At the end of the contract the business associate returns or destroys all PHI that it received from the covered"
    " entity, or created or received on its behalf, in any form, and keeps no copies, if feasible; if not, it extends"
    " the contract's protections to it and limits further uses and disclosures to what makes it infeasible"
    " (45 CFR 164.504(e)(2)(ii)(J))."
)
NOT_CLAIMED = (
    "What AWS shows is about the resources that the business associate named, in the accounts that it connected."
    " Systems elsewhere, and resources that it did not name, rest on its word.",
    "“Gone” means that a complete later listing of the right account and region no longer had the resource. It does not"
    " show that no copy was made before.",
    "“Not known” means that the newest collection could not read the listing. It counts neither for nor against.",
)


@dataclass(frozen=True, slots=True)
class Officer:
    """Who certifies, and by what authority."""

    name: str
    title: str
    authority: str
    certified_at: datetime


@dataclass(frozen=True, slots=True)
class Certified:
    """What is certified: how the exit stands, what AWS shows of all that was named, and by whom."""

    picture: Picture
    facts: Sequence[Fact]
    officer: Officer


def content_of(said: Certified, *, number: int, tenant_name: str) -> dict[str, Any]:
    """Everything that the certificate says, as JSON. `exceptions` is empty where it is complete."""
    picture, officer, exit_ = said.picture, said.officer, said.picture.exit
    items = [_item(line) for line in picture.lines]
    shown = {**_shown(picture.evidence), "snapshots": _snapshots(said.facts)}
    exceptions = [*_unfeasible(items), *_left(picture.evidence)]
    return {
        "exit": str(exit_.pk), "number": number, "business_associate": tenant_name,
        "covered_entity": exit_.upstream_name, "agreement": exit_.agreement, "began_at": moment(exit_.began_at),
        "due_at": moment(exit_.due_at), "days": exit_.return_days, "days_why": exit_.days_why, "law": LAW,
        "complete": not exceptions, "exceptions": exceptions, "items": items, "evidence": shown,
        "evidence_sha256": sha256(canonical(shown)), "not_claimed": list(NOT_CLAIMED),
        "kept_until": six_years_after(officer.certified_at).isoformat(),
        "officer": {
            "name": officer.name, "title": officer.title, "authority": officer.authority,
            "certified_at": moment(officer.certified_at),
        },
    }  # fmt: skip


def _item(line: Line) -> dict[str, Any]:
    item, proof = line.item, line.proof
    said = {
        "said": str(proof.said), "said_label": proof.get_said_display(), "on": proof.on.isoformat() if proof.on else "",
        "how": proof.how, "reason": proof.reason, "protections": proof.protections, "by": proof.by_name,
        "at": moment(proof.said_at), "proof": str(proof.pk), "by_covered_entity": line.by_upstream,
    } if proof else {}  # fmt: skip
    return {
        "key": item.key, "title": item.title, "citation": item.citation, "accepted": line.standing == "accepted", **said
    }  # fmt: skip


def _shown(shown: ExitEvidence | None) -> dict[str, Any]:
    if shown is None or not shown.total:
        return {"total": 0, "facts": []}
    return {
        "total": shown.total, "disclosure": str(shown.disclosure), "as_of": moment(shown.as_of),
        "counts": {str(look): getattr(shown, look) for look in Look},
        "labels": {str(look): look.label for look in Look}, "facts": shown.facts,
        "pending_until": moment(shown.pending_until),
    }  # fmt: skip


def _snapshots(facts: Sequence[Fact]) -> list[dict[str, str]]:
    """AWS's sealed answers, without a word of what is in them, each with what the log says that it was sealed as."""
    read = {fact.snapshot_id: fact for fact in facts if fact.snapshot_id}
    seals = seals_of(read)
    return [
        {"id": str(pk), "read_at": moment(fact.at), "sealed": sealed_as(seals.get(pk))}
        for pk, fact in sorted(read.items())
    ]


def _unfeasible(items: list[dict[str, Any]]) -> list[str]:
    return [f"{each['title']}: not feasible." for each in items if each.get("said") == "not_feasible"]


def _left(shown: ExitEvidence | None) -> list[str]:
    """What AWS doesn't show as gone, counted."""
    if shown is None:
        return []
    until = f", the last on {shown.pending_until:%Y-%m-%d}" if shown.pending_until else ""
    said = [
        (shown.there, "still there, as AWS shows."),
        (shown.pending, f"pending deletion{until}."),
        (shown.unknown, "not known: the newest collection couldn't read the listing."),
    ]
    noun = {True: "resource is", False: "resources are"}
    return [f"{many} {noun[many == 1]} {words}" for many, words in said if many]


def six_years_after(at: datetime) -> date:
    """The day until which it is kept at least (164.316(b)(2)(i))."""
    day = at.astimezone(UTC).date()
    leap = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year + KEPT_YEARS, day=28 if leap else day.day)


def moment(at: datetime | None) -> str:
    """RFC 3339, UTC; "" for None."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else ""
