"""Drafts a packet from the evidence, lets people write in it, and records the expert's review."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Person
from assessments.checks.base import checks
from assessments.partnerships.models import Partnership
from assessments.rule.proposed import RuleSet
from assessments.verifications.analysis import citations_of, draft_text, read_facts
from assessments.verifications.models import (
    PacketState,
    VerificationPacket,
    VerificationRecipient,
    VerificationSection,
)
from evidence import ledger

CLOSED = "This packet is certified. What it says stays as it is; a change takes a new packet."


@dataclass(frozen=True, slots=True)
class PacketTerms:
    """What a person says of a packet, beside the analysis."""

    title: str
    covers: str = ""
    additions: str = ""
    rule_set: RuleSet = RuleSet.CURRENT
    citations: tuple[str, ...] = ()


def find_packet(*, packet_id: UUID) -> VerificationPacket:
    """One of the tenant's own. Raises NotFound."""
    people = ("drafted_by", "reviewed_by", "certified_by")
    found = VerificationPacket.objects.prefetch_related(*people).filter(pk=packet_id).first()
    if found is None:
        raise NotFound("There is no such packet.")
    return found


def lock_open(packet_id: UUID) -> VerificationPacket:
    """The packet for a change. Raises NotFound, and Conflict for a certified one."""
    found = VerificationPacket.objects.select_for_update().filter(pk=packet_id).first()
    if found is None:
        raise NotFound("There is no such packet.")
    if not found.is_open:
        raise Conflict(CLOSED)
    return found


def draft_packet(*, terms: PacketTerms, person: Person) -> VerificationPacket:
    """A packet drafted from the evidence in force, for every covered entity there is. Raises InvalidInput."""
    citations = citations_of(terms.citations)
    packet = VerificationPacket(
        title=terms.title, covers=terms.covers, additions=terms.additions, rule_set=terms.rule_set,
        citations=list(terms.citations), drafted_by=person, as_of=timezone.now(), snapshots=snapshots_for(citations),
    )  # fmt: skip
    packet.save(force_insert=True)
    VerificationSection.objects.bulk_create(_fresh(packet, citations))
    _keep_recipients(packet, {row.pk: "" for row in Partnership.received.all()})
    record(
        Act.VERIFICATION_DRAFT, object_type="verification", object_id=packet.pk, safeguards=len(citations),
        snapshots=len(packet.snapshots), rule_set=packet.rule_set,
    )  # fmt: skip
    return packet


def snapshots_for(citations: Iterable[str]) -> list[dict[str, str]]:
    """The snapshots that the newest runs saw, of the collectors that bear on the safeguards."""
    wanted = set(citations)
    names = {name for check in checks().values() if wanted & set(check.supports) for name in check.collectors}
    found = {
        str(unit.snapshot_id): {
            "id": str(unit.snapshot_id), "collector": unit.collector, "region": unit.region,
            "collected_at": unit.collected_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
        for unit in ledger.latest_units(names)
        if unit.snapshot_id and unit.collected_at
    }  # fmt: skip
    return [found[key] for key in sorted(found)]


def _fresh(packet: VerificationPacket, citations: Iterable[str]) -> list[VerificationSection]:
    facts = [read_facts(citation) for citation in citations]
    return [
        VerificationSection(
            packet=packet, position=position, citation=each.citation, status=each.status, facts=each.to_json(),
            drafted=draft_text(each), analysis=draft_text(each),
        )
        for position, each in enumerate(facts)
    ]  # fmt: skip


def refresh_packet(*, packet_id: UUID) -> VerificationPacket:
    """Reads the evidence anew. Texts that somebody wrote stay; drafted ones are drafted again. Raises Conflict."""
    packet = lock_open(packet_id)
    citations = citations_of(packet.citations)
    before = {row.citation: row for row in packet.sections.all()}
    packet.sections.exclude(citation__in=citations).delete()
    for row in _fresh(packet, citations):
        _take_over(row, before.get(row.citation))
    packet.as_of, packet.snapshots = timezone.now(), snapshots_for(citations)
    _reopen(packet, "evidence")
    return packet


def _take_over(fresh: VerificationSection, old: VerificationSection | None) -> None:
    if old is None:
        fresh.save(force_insert=True)
        return
    if old.analysis == old.drafted:
        old.analysis = fresh.drafted
    old.position, old.status, old.drafted, old.facts = (
        fresh.position,
        fresh.status,
        fresh.drafted,
        fresh.facts,
    )
    old.save()


def change_packet(*, packet_id: UUID, terms: PacketTerms) -> VerificationPacket:
    """Says the terms anew; safeguards that are added are drafted from the evidence. Raises Conflict, InvalidInput."""
    packet = lock_open(packet_id)
    other = citations_of(terms.citations) != citations_of(packet.citations)
    packet.title, packet.covers, packet.additions = terms.title, terms.covers, terms.additions
    packet.rule_set, packet.citations = terms.rule_set, list(terms.citations)
    _reopen(packet, "terms")
    return refresh_packet(packet_id=packet_id) if other else packet


def find_section(*, packet_id: UUID, section_id: UUID) -> VerificationSection:
    """A section of the packet. Raises NotFound."""
    found = VerificationSection.objects.filter(pk=section_id, packet_id=packet_id).first()
    if found is None:
        raise NotFound("There is no such section.")
    return found


def edit_section(*, packet_id: UUID, section_id: UUID, analysis: str, person: Person) -> VerificationSection:
    """The analysis in a person's words; the draft and the status that it began with stay beside it. Raises Conflict."""
    packet = lock_open(packet_id)
    section = find_section(packet_id=packet_id, section_id=section_id)
    section.analysis, section.edited_by, section.edited_at = analysis, person, timezone.now()
    section.save(update_fields=["analysis", "edited_by", "edited_at"])
    _reopen(packet, section.citation)
    return section


def choose_recipients(*, packet_id: UUID, scopes: Mapping[UUID, str]) -> None:
    """For whom the packet is: what of the work for each it covers, by partnership. Raises Conflict, NotFound."""
    packet = lock_open(packet_id)
    _keep_recipients(packet, scopes)
    _reopen(packet, "recipients")


def _keep_recipients(packet: VerificationPacket, scopes: Mapping[UUID, str]) -> None:
    found = Partnership.received.in_bulk(list(scopes))
    if len(found) != len(scopes):
        raise NotFound("There is no such covered entity among yours.")
    packet.recipients.all().delete()
    VerificationRecipient.objects.bulk_create(
        VerificationRecipient(packet=packet, partnership_id=pk, name=row.upstream_name, scope=scopes[pk])
        for pk, row in found.items()
    )


def _reopen(packet: VerificationPacket, what: str) -> None:
    """A reviewed packet that changes is a draft again: the expert hasn't seen what it says now."""
    packet.state, packet.reviewed_on, packet.reviewed_by = PacketState.DRAFT, None, None
    packet.save()
    record(Act.VERIFICATION_CHANGE, object_type="verification", object_id=packet.pk, what=what)


def review_packet(*, packet_id: UUID, name: str, qualification: str, on: date, person: Person) -> Any:
    """Records that an expert has read all of it and stands by it. Raises Conflict, InvalidInput for another day."""
    packet = lock_open(packet_id)
    if on > timezone.now().date():
        raise InvalidInput("The day of the review isn't here yet.", field="reviewed_on")
    if on < packet.as_of.date():
        raise InvalidInput("The review is older than the evidence that it is about.", field="reviewed_on")
    packet.expert_name, packet.expert_qualification = name, qualification
    packet.reviewed_on, packet.reviewed_by, packet.state = on, person, PacketState.REVIEWED
    packet.save()
    record(
        Act.VERIFICATION_REVIEW, object_type="verification", object_id=packet.pk, expert=name,
        qualification=qualification, reviewed_on=on.isoformat(),
    )  # fmt: skip
    return packet
