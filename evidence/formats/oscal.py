"""OSCAL assessment results (NIST, 1.0 to 1.2, JSON), as compliance-trestle writes them.

A finding's target is the check, satisfied or not; the subjects of its observations are the resources. An observation
that no finding refers to tells for itself, where its properties name a check and a result: so `trestle task` writes
the results of AWS Config, XCCDF and Tanium, alone in a file of `results` without a document around them. Citations are
read from the target's id (hipaa-164.312.b: a token holds no brackets) and from properties.
Read twice: observations and inventories may stand after the findings that refer to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from evidence.formats.base import Format, Reading, Source
from evidence.formats.kit.citations import find_citations
from evidence.formats.kit.errors import BadDocument, quoted
from evidence.formats.kit.jsonstream import ANY, Path, values_at
from evidence.formats.kit.outcomes import Check, Header, Outcome, Resource, Result
from evidence.formats.kit.room import Room
from evidence.formats.kit.values import Node, severity_of

_TOP = "assessment-results"
_METADATA = (_TOP, "metadata")
_TITLE = ("results", ANY, "title")
"""Of results without a document, which has a title in its metadata."""
_TRESTLES = frozenset({"results.item.uuid", "results.item.start"})
"""How the results that `trestle task` writes begin."""
_STATES: Mapping[str, Result] = MappingProxyType({"satisfied": Result.PASS, "not-satisfied": Result.FAIL})
_WORDS: Mapping[str, Result] = MappingProxyType(
    dict.fromkeys(("pass", "fixed", "compliant"), Result.PASS)
    | dict.fromkeys(("fail", "non_compliant"), Result.FAIL)
    | dict.fromkeys(("notapplicable", "not_applicable", "notselected"), Result.NOT_APPLICABLE)
)
"""Results of XCCDF and AWS Config in an observation's properties, in lower case; others decide nothing."""
_CHECKS = ("scc_check_name_id", "config-rule-name", "idref")
_RESULTS = ("scc_result", "compliance-type", "result")
_SEVERITIES = ("scc_check_severity", "severity")
_KINDS = ("resource-type", "asset-type")
_NAMES = (
    "asset-id", "arn", "resource-id", "fqdn", "hostname", "host_name", "Computer_Name", "target",
)  # fmt: skip
"""Classes and names of properties, those first that say it best."""


def _in_each_result(*keys: str) -> tuple[Path, ...]:
    return (_TOP, "results", ANY, *keys), ("results", ANY, *keys)


_STARTS, _ENDS = _in_each_result("start"), _in_each_result("end")
_OBSERVATIONS, _FINDINGS = _in_each_result("observations", ANY), _in_each_result("findings", ANY)
_THINGS = (
    *_in_each_result("local-definitions", "inventory-items", ANY),
    *_in_each_result("local-definitions", "components", ANY),
)


@dataclass(frozen=True, slots=True)
class _Observation:
    subjects: tuple[Resource, ...]
    collected: datetime | None


@dataclass(slots=True)
class _Context:
    metadata: Node | None = None
    title: str = ""
    start: datetime | None = None
    end: datetime | None = None
    observations: dict[str, _Observation] = field(default_factory=dict)
    things: dict[str, Resource] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    """Observations that a finding tells about."""


def read(source: Source) -> Reading:
    """The header's period spans all results."""
    context = _read_context(source)
    metadata = context.metadata
    if metadata is None and not context.title:
        raise BadDocument("the document has no assessment-results", place="/")
    if metadata is None:
        metadata = Node({"title": context.title}, "/")
    header = Header(
        title=metadata.needed("title"),
        producer=metadata.first("parties").text("name"),
        version=metadata.text("oscal-version"),
        produced_at=metadata.time("last-modified"),
        period_from=context.start,
        period_to=context.end,
    )
    return Reading(header, _all(source, context))


def _read_context(source: Source) -> _Context:
    context, room = _Context(), Room()
    paths = (_METADATA, _TITLE, *_STARTS, *_ENDS, *_OBSERVATIONS, *_THINGS, *_FINDINGS)
    for path, node in values_at(source.stream, *paths):
        if path == _METADATA:
            context.metadata = node
        elif path == _TITLE:
            context.title = context.title or node.text()
        elif path in _STARTS:
            time = node.time()
            context.start = min(filter(None, (context.start, time)), default=None)
        elif path in _ENDS:
            time = node.time()
            context.end = max(filter(None, (context.end, time)), default=None)
        elif path in _OBSERVATIONS:
            observation = _observation(node)
            room.take(uuid := node.needed("uuid"), *_texts(*observation.subjects), place=node.place)
            context.observations[uuid] = observation
        elif path in _FINDINGS:
            told = set(_told_by(node)) - context.told
            room.take(*told, place=node.place)
            context.told |= told
        else:
            thing = _thing(node)
            room.take(uuid := node.needed("uuid"), *_texts(thing), place=node.place)
            context.things[uuid] = thing
    return context


def _observation(node: Node) -> _Observation:
    subjects = tuple(
        Resource(each.needed("subject-uuid"), each.text("type"), each.text("title"))
        for each in node.each("subjects")
    )
    return _Observation(subjects, node.time("collected"))


def _texts(*resources: Resource) -> Iterator[str]:
    return (text for each in resources for text in (each.id, each.kind, each.name))


def _thing(node: Node) -> Resource:
    """An inventory item or component by what the world calls it: a property that names it, else its title."""
    properties = _properties(node)
    title = node.text("title")
    return Resource(
        _first_of(_NAMES, properties) or title or node.text("description"),
        _first_of(_KINDS, properties),
        title,
    )


def _properties(*nodes: Node) -> dict[str, str]:
    """Values by class and by name."""
    told: dict[str, str] = {}
    for each in (each for node in nodes for each in node.each("props")):
        for name in (each.text("class"), each.text("name")):
            told.setdefault(name, each.text("value"))
    return told


def _first_of(names: Iterable[str], told: Mapping[str, str]) -> str:
    return next((told[name] for name in names if told.get(name)), "")


def _all(source: Source, context: _Context) -> Iterator[Outcome]:
    for path, node in values_at(source.stream, *_OBSERVATIONS, *_FINDINGS):
        if path in _FINDINGS:
            yield from _outcomes_of_finding(node, context)
        elif node.text("uuid") not in context.told:
            yield from _outcomes_of_observation(node, context)


def _told_by(finding: Node) -> list[str]:
    return [each.text("observation-uuid") for each in finding.each("related-observations")]


def _outcomes_of_finding(finding: Node, context: _Context) -> Iterator[Outcome]:
    target = finding.get("target")
    state = target.text("status", "state")
    if state not in _STATES:
        raise BadDocument(
            f"{quoted(state)} is neither satisfied nor not-satisfied", place=f"{target.place}/status/state"
        )
    observed = [context.observations[uuid] for uuid in _told_by(finding) if uuid in context.observations]
    properties = [each.text("value") for node in (finding, target) for each in node.each("props")]
    target_id = target.needed("target-id")
    collected = max(filter(None, (each.collected for each in observed)), default=None)
    for resource in _resources(observed, context):
        yield Outcome(
            check=Check(target_id, target.text("title") or finding.text("title")),
            resource=resource,
            result=_STATES[state],
            at=collected or context.end or context.start,
            citations=find_citations(target_id, *properties),
            message=target.text("status", "remarks") or finding.text("description"),
            place=finding.place,
        )


def _outcomes_of_observation(node: Node, context: _Context) -> Iterator[Outcome]:
    """None for an observation that names no check or no result: it is for people."""
    told = _properties(node)
    check, word = _first_of(_CHECKS, told), _first_of(_RESULTS, told)
    if not check or not word:
        return
    observed = context.observations[node.needed("uuid")]
    result = _WORDS.get(word.lower(), Result.UNKNOWN)
    description = node.text("description")
    for resource in _resources([observed], context):
        yield Outcome(
            check=Check(check, node.text("title")),
            resource=resource,
            result=result,
            severity=severity_of(_first_of(_SEVERITIES, told)),
            at=observed.collected or context.end or context.start,
            citations=find_citations(check, *told.values()),
            message=f"the source's result is {word}" if result is Result.UNKNOWN else description,
            place=node.place,
        )


def _resources(observed: Iterable[_Observation], context: _Context) -> list[Resource] | list[None]:
    """What observations are about, each once; one None where they name nothing."""
    found = dict.fromkeys(
        _resource(subject, context.things.get(subject.id)) for each in observed for subject in each.subjects
    )
    return [*found] or [None]


def _resource(subject: Resource, thing: Resource | None) -> Resource:
    if thing is None:
        return Resource(subject.name or subject.id, subject.kind)
    return Resource(thing.id or subject.name or subject.id, thing.kind or subject.kind, thing.name)


FORMAT = Format(
    title="OSCAL assessment results (JSON)",
    media_types=("application/oscal+json",),
    recognises=lambda start: _TOP in start.json or start.json.keys() >= _TRESTLES,
    read=read,
    order=20,
)
