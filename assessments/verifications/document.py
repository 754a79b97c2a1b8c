"""What is certified: one content, written as canonical JSON (RFC 8785) and as PDF/A."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from accounts.audit.seals import seals_of
from assessments import certified
from assessments.certified import canonical, sealed_as, sha256
from assessments.rule.proposed import NOT_IN_FORCE, VERIFICATION, RuleSet, proposals_for
from assessments.status import Status
from assessments.verifications.analysis import TECHNICAL
from assessments.verifications.models import VerificationPacket

TEMPLATE = Path(__file__).with_name("document.typ")

NOT_CLAIMED = (
    "It does not say that the Security Rule is met. That is for the organizations' security officials, and in the end"
    " for the regulator, to judge.",
    "It is not the risk analysis of 45 CFR 164.308(a)(1)(ii)(A).",
    "Statuses rest on what AWS answered when it was asked, by automatic checks. Systems elsewhere are not shown.",
    "“No evidence yet” means that something was not collected or could not be read. It counts neither for nor against.",
)
PRACTICE = (
    "A covered entity obtains satisfactory assurances from its business associates (45 CFR 164.308(b)). A yearly"
    " written verification is a practice by which many do so; the Rule in force does not prescribe it."
)


def content_of(packet: VerificationPacket, *, tenant_name: str) -> dict[str, Any]:
    """Everything that the packet says, as JSON; names no covered entity, since each one gets the same document."""
    sections = [_section(row) for row in packet.sections.order_by("position")]
    evidence = _evidence(packet)
    return {
        "packet": str(packet.pk), "title": packet.title, "business_associate": tenant_name, "covers": packet.covers,
        "rule_set": packet.rule_set, "rule_set_label": RuleSet(packet.rule_set).label, "practice": PRACTICE,
        "evidence_as_of": _moment(packet.as_of),
        "counts": {str(status): sum(row["status"] == status for row in sections) for status in Status},
        "labels": {str(status): status.label for status in Status},
        "sections": sections, "technical": len(TECHNICAL), "additions": packet.additions,
        "expert": _expert(packet), "officer": _officer(packet), "one_person": _one_person(packet),
        "evidence": evidence, "evidence_sha256": sha256(canonical(evidence)),
        "proposed": _proposed(packet), "not_claimed": list(NOT_CLAIMED),
    }  # fmt: skip


def _section(row: Any) -> dict[str, Any]:
    return {
        **{name: row.facts[name] for name in ("citation", "title", "level", "status", "status_label", "why")},
        **{name: row.facts[name] for name in ("decided", "total", "oldest", "newest", "regions", "unseen")},
        "analysis": row.analysis, "drafted": row.drafted, "edited": row.analysis != row.drafted,
    }  # fmt: skip


def _expert(packet: VerificationPacket) -> dict[str, str]:
    recorded = packet.reviewed_by.name if packet.reviewed_by else ""
    reviewed = packet.reviewed_on.isoformat() if packet.reviewed_on else ""
    return {
        "name": packet.expert_name, "qualification": packet.expert_qualification, "reviewed_on": reviewed,
        "recorded_by": recorded,
    }  # fmt: skip


def _officer(packet: VerificationPacket) -> dict[str, str]:
    return {
        "name": packet.officer_name, "title": packet.officer_title, "authority": packet.authority,
        "certified_at": _moment(packet.certified_at),
    }  # fmt: skip


def _one_person(packet: VerificationPacket) -> str:
    """What the reader must know where reviewing and certifying lay in one hand; "" where they did not."""
    if packet.expert_name.casefold().split() == packet.officer_name.casefold().split():
        return "The expert who reviewed this analysis and the officer who certified it are the same person."
    if packet.reviewed_by_id == packet.certified_by_id:
        return "The officer who certified this analysis also recorded the expert's review."
    return ""


def _evidence(packet: VerificationPacket) -> list[dict[str, str]]:
    """The snapshots in force at `as_of`, each with what the log says that it was sealed as."""
    seals = seals_of(UUID(row["id"]) for row in packet.snapshots)
    return [{**row, "sealed": sealed_as(seals.get(UUID(row["id"])))} for row in packet.snapshots]


def _proposed(packet: VerificationPacket) -> dict[str, Any] | None:
    if packet.rule_set != RuleSet.PROPOSED:
        return None
    return {
        "label": NOT_IN_FORCE, "verification": asdict(VERIFICATION),
        "technical": [asdict(each) for each in proposals_for("164.312")],
    }  # fmt: skip


def _moment(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else ""


def pdf_of(content: dict[str, Any]) -> bytes:
    """The content as PDF/A-2b. Raises Unavailable where it can't be made."""
    return certified.pdf_of(TEMPLATE, content)
