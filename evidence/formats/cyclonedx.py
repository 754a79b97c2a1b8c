"""CycloneDX 1.4 to 1.7 (ECMA-424, JSON): what software is made of (SBOM), and what is known of its flaws (VEX).

Components alone give no outcomes; the header counts them. A vulnerability gives an outcome for each component that it
affects: its analysis decides, and without one it stands as a flaw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from evidence.formats.base import Format, Reading, Source
from evidence.formats.kit.errors import BadDocument, quoted
from evidence.formats.kit.jsonstream import ANY, values_at
from evidence.formats.kit.outcomes import Check, Header, Outcome, Resource, Result, Severity
from evidence.formats.kit.room import Room
from evidence.formats.kit.values import Node, severity_of, severity_of_score

_METADATA, _VERSION, _FORMAT = ("metadata",), ("specVersion",), ("bomFormat",)
_COMPONENT, _VULNERABILITY = ("components", ANY), ("vulnerabilities", ANY)
_VERSIONS = ("1.4", "1.5", "1.6", "1.7")
_STATES: Mapping[str, Result] = MappingProxyType(
    {
        "": Result.FAIL,
        "exploitable": Result.FAIL,
        "in_triage": Result.UNKNOWN,
        "resolved": Result.PASS,
        "resolved_with_pedigree": Result.PASS,
        "not_affected": Result.NOT_APPLICABLE,
        "false_positive": Result.NOT_APPLICABLE,
    }
)
MAX_NAME = 500


@dataclass(slots=True)
class _Bom:
    metadata: Node = field(default_factory=lambda: Node(None, "/metadata"))
    version: str = ""
    kind: str = ""
    count: int = 0
    flaws: int = 0
    names: dict[str, str] = field(default_factory=dict)
    room: Room = field(default_factory=Room)


def read(source: Source) -> Reading:
    """The header's notes say how many components and vulnerabilities there are."""
    bom = _read_bom(source)
    if bom.kind != "CycloneDX" or bom.version not in _VERSIONS:
        raise BadDocument(
            f"CycloneDX {', '.join(_VERSIONS)} are read, not {quoted(bom.version)}", place="/specVersion"
        )
    component, time = bom.metadata.get("component"), bom.metadata.time("timestamp")
    producer, version = _tool(bom.metadata)
    header = Header(
        title=" ".join(filter(None, (component.text("name"), component.text("version")))),
        producer=producer,
        producer_version=version,
        version=bom.version,
        produced_at=time,
        notes=(f"{bom.count} components, {bom.flaws} vulnerabilities",),
    )
    flaws = values_at(source.stream, _VULNERABILITY)
    return Reading(header, (each for found in flaws for each in _outcomes(found.node, bom, time)))


def _read_bom(source: Source) -> _Bom:
    bom = _Bom()
    for path, node in values_at(source.stream, _METADATA, _VERSION, _FORMAT, _COMPONENT, _VULNERABILITY):
        if path == _METADATA:
            bom.metadata = node
            _add(bom, node.get("component"))
        elif path == _VERSION:
            bom.version = node.text()
        elif path == _FORMAT:
            bom.kind = node.text()
        elif path == _VULNERABILITY:
            bom.flaws += 1
        else:
            _add_all(bom, node)
    return bom


def _add_all(bom: _Bom, component: Node) -> None:
    """A component with those inside of it, which JSON's depth limit bounds."""
    bom.count += 1
    _add(bom, component)
    for inner in component.each("components"):
        _add_all(bom, inner)


def _add(bom: _Bom, component: Node) -> None:
    reference = component.text("bom-ref")
    if reference:
        versioned = f"{component.text('name')}@{component.text('version')}".rstrip("@")
        name = (component.text("purl") or versioned)[:MAX_NAME]
        bom.room.take(reference[:MAX_NAME], name, place=component.place)
        bom.names[reference[:MAX_NAME]] = name


def _tool(metadata: Node) -> tuple[str, str]:
    """Tools are a list up to 1.4, and may be an object of components from 1.5 on."""
    tools = metadata.get("tools")
    first = tools.first("components") if isinstance(tools.value, Mapping) else metadata.first("tools")
    return first.text("name"), first.text("version")


def _outcomes(flaw: Node, bom: _Bom, time: datetime | None) -> Iterator[Outcome]:
    state = flaw.text("analysis", "state")
    if state not in _STATES:
        raise BadDocument(f"{quoted(state)} is no state of an analysis", place=f"{flaw.place}/analysis/state")
    weaknesses = tuple(f"CWE-{each.text()}" for each in flaw.each("cwes"))
    for affected in list(flaw.each("affects")) or [Node(None, f"{flaw.place}/affects")]:
        reference = affected.text("ref")
        yield Outcome(
            check=Check(flaw.needed("id"), flaw.text("source", "name"), aliases=weaknesses),
            resource=Resource(bom.names.get(reference, reference), kind="component") if reference else None,
            result=_STATES[state],
            severity=_severity(flaw),
            at=flaw.time("analysis", "lastUpdated") or flaw.time("updated") or time,
            message=flaw.text("analysis", "detail") or flaw.text("description") or flaw.text("detail"),
            place=flaw.place,
        )


def _severity(flaw: Node) -> Severity | None:
    found: list[Severity] = []
    for rating in flaw.each("ratings"):
        score = rating.get("score").value
        word = severity_of(rating.text("severity"))
        if word:
            found.append(word)
        elif isinstance(score, (int, float)) and not isinstance(score, bool):
            found.append(severity_of_score(score))
    return min(found, key=list(Severity).index, default=None)


FORMAT = Format(
    title="CycloneDX SBOM and VEX (JSON)",
    media_types=("application/vnd.cyclonedx+json",),
    recognises=lambda start: start.json.get("bomFormat") == "CycloneDX",
    read=read,
    order=20,
)
