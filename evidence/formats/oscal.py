"""OSCAL assessment results (NIST, 1.0 to 1.1, JSON), as compliance-trestle writes them.

A finding's target is the check, satisfied or not; the subjects of its observations are the resources. Citations are
read from the target's id (hipaa-164.312.b: a token holds no brackets) and from properties of finding and target.
Read twice: observations and inventories may stand after the findings that refer to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from evidence.formats.base import Format, Reading, Source
from evidence.formats.kit.citations import find_citations
from evidence.formats.kit.errors import BadDocument, quoted
from evidence.formats.kit.jsonstream import ANY, values_at
from evidence.formats.kit.outcomes import Check, Header, Outcome, Resource, Result
from evidence.formats.kit.values import Node

_TOP = "assessment-results"
_METADATA, _RESULTS = (_TOP, "metadata"), (_TOP, "results", ANY)
_START, _END, _OBSERVATION = (*_RESULTS, "start"), (*_RESULTS, "end"), (*_RESULTS, "observations", ANY)
_ITEM = (*_RESULTS, "local-definitions", "inventory-items", ANY)
_COMPONENT = (*_RESULTS, "local-definitions", "components", ANY)
_FINDING = (*_RESULTS, "findings", ANY)
_STATES: Mapping[str, Result] = MappingProxyType({"satisfied": Result.PASS, "not-satisfied": Result.FAIL})
MAX_OBSERVATIONS = 100_000
_NAMES = ("asset-id", "arn", "resource-id", "fqdn", "hostname")


@dataclass(frozen=True, slots=True)
class _Observation:
    subjects: tuple[Resource, ...]
    collected: datetime | None
    methods: tuple[str, ...]


@dataclass(slots=True)
class _Context:
    metadata: Node | None = None
    start: datetime | None = None
    end: datetime | None = None
    observations: dict[str, _Observation] = field(default_factory=dict)
    things: dict[str, str] = field(default_factory=dict)


def read(source: Source) -> Reading:
    """The header's period spans all results."""
    context = _read_context(source)
    if context.metadata is None:
        raise BadDocument("the document has no assessment-results", place="/")
    metadata = context.metadata
    header = Header(
        title=metadata.needed("title"),
        producer=metadata.first("parties").text("name"),
        version=metadata.text("oscal-version"),
        produced_at=metadata.time("last-modified"),
        period_from=context.start,
        period_to=context.end,
    )
    findings = (found.node for found in values_at(source.stream, _FINDING))
    return Reading(header, (each for finding in findings for each in _outcomes(finding, context)))


def _read_context(source: Source) -> _Context:
    context = _Context()
    for path, node in values_at(source.stream, _METADATA, _START, _END, _OBSERVATION, _ITEM, _COMPONENT):
        if path == _METADATA:
            context.metadata = node
        elif path == _START:
            time = node.time()
            context.start = min(filter(None, (context.start, time)), default=None)
        elif path == _END:
            time = node.time()
            context.end = max(filter(None, (context.end, time)), default=None)
        elif path == _OBSERVATION:
            context.observations[node.needed("uuid")] = _observation(node)
        else:
            context.things[node.needed("uuid")] = _name(node)
        if len(context.observations) + len(context.things) > MAX_OBSERVATIONS:
            raise BadDocument(f"more than {MAX_OBSERVATIONS} observations and things", place=node.place)
    return context


def _observation(node: Node) -> _Observation:
    subjects = tuple(
        Resource(
            each.text("title") or each.needed("subject-uuid"), each.text("type"), each.text("subject-uuid")
        )
        for each in node.each("subjects")
    )
    methods = tuple(each.text() for each in node.each("methods"))
    return _Observation(subjects, node.time("collected"), methods)


def _name(thing: Node) -> str:
    """What the world calls an inventory item or component: a property that names it, else its title."""
    named = {each.text("name"): each.text("value") for each in thing.each("props")}
    found = next((named[name] for name in _NAMES if named.get(name)), "")
    return found or thing.text("title") or thing.text("description")


def _outcomes(finding: Node, context: _Context) -> Iterator[Outcome]:
    target = finding.get("target")
    state = target.text("status", "state")
    if state not in _STATES:
        raise BadDocument(
            f"{quoted(state)} is neither satisfied nor not-satisfied", place=f"{target.place}/status/state"
        )
    told = [each.text("observation-uuid") for each in finding.each("related-observations")]
    observed = [context.observations[uuid] for uuid in told if uuid in context.observations]
    properties = [each.text("value") for node in (finding, target) for each in node.each("props")]
    target_id = target.needed("target-id")
    subjects = list(dict.fromkeys(subject for each in observed for subject in each.subjects))
    about: list[Resource | None] = [*subjects] or [None]
    for subject in about:
        yield Outcome(
            check=Check(target_id, target.text("title") or finding.text("title")),
            resource=_resource(subject, context),
            result=_STATES[state],
            at=max(filter(None, (each.collected for each in observed)), default=context.end or context.start),
            citations=find_citations(target_id, *properties),
            message=target.text("status", "remarks") or finding.text("description"),
            place=finding.place,
        )


def _resource(subject: Resource | None, context: _Context) -> Resource | None:
    if subject is None:
        return None
    return Resource(context.things.get(subject.name) or subject.id, subject.kind, subject.name)


FORMAT = Format(
    title="OSCAL assessment results (JSON)",
    media_types=("application/oscal+json",),
    recognises=lambda start: _TOP in start.json,
    read=read,
    order=20,
)
