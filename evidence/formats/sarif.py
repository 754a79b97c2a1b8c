"""SARIF 2.1.0 (OASIS): results of static analysers.

A result's `kind` decides: pass, fail (the default), open and review (unknown), notApplicable and informational (not
applicable). Read twice: first the tools with their rules, which may stand after the results, then the results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from evidence.formats.base import Format, Reading, Source
from evidence.formats.kit.citations import find_citations
from evidence.formats.kit.errors import BadDocument, quoted
from evidence.formats.kit.jsonstream import ANY, values_at
from evidence.formats.kit.outcomes import Check, Header, Outcome, Resource, Result, Severity
from evidence.formats.kit.room import Room
from evidence.formats.kit.values import Node, severity_of, severity_of_score

_KINDS: Mapping[str, Result] = MappingProxyType(
    {
        "": Result.FAIL,
        "fail": Result.FAIL,
        "pass": Result.PASS,
        "open": Result.UNKNOWN,
        "review": Result.UNKNOWN,
        "informational": Result.NOT_APPLICABLE,
        "notApplicable": Result.NOT_APPLICABLE,
    }
)
_VERSION, _DRIVER = ("version",), ("runs", ANY, "tool", "driver")
_INVOCATIONS, _RESULT = ("runs", ANY, "invocations"), ("runs", ANY, "results", ANY)
MAX_RUNS = 200


@dataclass(frozen=True, slots=True)
class _Rule:
    id: str
    title: str
    severity: Severity | None
    citations: tuple[str, ...]
    aliases: tuple[str, ...]


_NO_RULE = _Rule("", "", None, (), ())


@dataclass(slots=True)
class _Run:
    tool: str = ""
    version: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    rules: list[_Rule] = field(default_factory=list)
    by_id: dict[str, _Rule] = field(default_factory=dict)


def read(source: Source) -> Reading:
    """The header names the first run's tool; its period spans all runs that tell their times."""
    runs, version = _read_runs(source)
    if not version.startswith("2.1"):
        raise BadDocument(f"SARIF 2.1.0 is read, not {quoted(version)}", place="/version")
    told = [run for run in runs.values() if run.tool]
    first = told[0] if told else _Run()
    header = Header(
        title=", ".join(dict.fromkeys(run.tool for run in told)),
        producer=first.tool,
        producer_version=first.version,
        version=version,
        produced_at=max((run.ended for run in told if run.ended), default=None),
        period_from=min((run.started for run in told if run.started), default=None),
        period_to=max((run.ended for run in told if run.ended), default=None),
    )
    return Reading(header, _outcomes(source, runs))


def _read_runs(source: Source) -> tuple[Mapping[str, _Run], str]:
    runs: dict[str, _Run] = {}
    version, room = "", Room()
    for path, node in values_at(source.stream, _VERSION, _DRIVER, _INVOCATIONS):
        if path == _VERSION:
            version = Node(node.value, "/version").text()
            continue
        run = runs.setdefault(_run_of(node), _Run())
        if len(runs) > MAX_RUNS:
            raise BadDocument(f"more than {MAX_RUNS} runs", place=node.place)
        if path == _DRIVER:
            _read_driver(run, node, room)
        else:
            _read_invocations(run, node)
    return runs, version


def _run_of(node: Node) -> str:
    """Which run a value is in: /runs/<number>/..."""
    return node.place.split("/")[2]


def _read_driver(run: _Run, driver: Node, room: Room) -> None:
    run.tool = driver.needed("name")
    run.version = driver.text("semanticVersion") or driver.text("version")
    run.rules = [_rule(each) for each in driver.each("rules")]
    for rule in run.rules:
        room.take(rule.id, rule.title, *rule.citations, *rule.aliases, place=driver.place)
    run.by_id = {rule.id: rule for rule in run.rules}


def _read_invocations(run: _Run, invocations: Node) -> None:
    for each in invocations.each():
        run.started = run.started or each.time("startTimeUtc")
        run.ended = each.time("endTimeUtc") or run.ended


def _rule(rule: Node) -> _Rule:
    properties = rule.get("properties")
    tags = [each.text() for each in properties.each("tags")]
    targets = [each.text("target", "id") for each in rule.each("relationships")]
    named = [
        properties.text(key) for key, value in (properties.value or {}).items() if isinstance(value, str)
    ]
    return _Rule(
        rule.needed("id"),
        rule.text("shortDescription", "text") or rule.text("name") or rule.text("fullDescription", "text"),
        _rule_severity(rule),
        find_citations(*tags, *targets, *named),
        tuple(name for name in (rule.text("name"), *targets) if name),
    )


def _rule_severity(rule: Node) -> Severity | None:
    """`security-severity` (a CVSS score, as GitHub defined it), else the rule's own level."""
    score = rule.get("properties").text("security-severity")
    if score:
        try:
            return severity_of_score(float(score))
        except ValueError:
            return severity_of(score)
    return severity_of(rule.text("defaultConfiguration", "level"))


def _outcomes(source: Source, runs: Mapping[str, _Run]) -> Iterator[Outcome]:
    for _path, result in values_at(source.stream, _RESULT):
        yield from _result_outcomes(result, runs.get(_run_of(result), _Run()))


def _result_outcomes(result: Node, run: _Run) -> Iterator[Outcome]:
    rule = _rule_of(result, run)
    rule_id = result.text("ruleId") or result.text("rule", "id") or rule.id
    kind = result.text("kind")
    if kind not in _KINDS:
        raise BadDocument(f"{quoted(kind)} is no kind of result", place=f"{result.place}/kind")
    gone = result.text("baselineState") == "absent"
    texts = [each.text() for each in result.get("properties").each("tags")]
    texts += [each.text("id") for each in result.each("taxa")]
    for location in list(result.each("locations")) or [Node(None, f"{result.place}/locations")]:
        yield Outcome(
            check=Check(rule_id, rule.title, aliases=rule.aliases),
            resource=_resource(location, run.tool),
            result=Result.PASS if gone else _KINDS[kind],
            severity=_severity(result, rule),
            at=run.ended or run.started,
            citations=tuple(dict.fromkeys((*find_citations(*texts), *rule.citations))),
            message=_message(result),
            suppressed=_is_suppressed(result),
            place=result.place,
        )


def _rule_of(result: Node, run: _Run) -> _Rule:
    index = result.integer("ruleIndex")
    if index is None:
        index = result.integer("rule", "index")
    if index is not None and 0 <= index < len(run.rules):
        return run.rules[index]
    # A rule's id may be made narrower in a result: CA1000/1 is a case of CA1000 (3.27.5).
    rule_id = result.text("ruleId") or result.text("rule", "id")
    return run.by_id.get(rule_id) or run.by_id.get(rule_id.rpartition("/")[0]) or _NO_RULE


def _severity(result: Node, rule: _Rule) -> Severity | None:
    if rule.severity and not result.text("level"):
        return rule.severity
    return severity_of(result.text("level")) or rule.severity or Severity.MEDIUM


def _resource(location: Node, tool: str) -> Resource | None:
    if location.value is None:
        return None
    place = location.get("physicalLocation")
    uri = place.text("artifactLocation", "uri")
    line = place.integer("region", "startLine")
    logical: Any = location.first("logicalLocations")
    name = logical.text("fullyQualifiedName") or logical.text("name")
    if not uri and not name:
        return None
    at = f"{uri}:{line}" if uri and line else uri
    return Resource(at or name, kind="file" if uri else logical.text("kind"), name=name or tool)


def _message(result: Node) -> str:
    text = result.text("message", "text") or result.text("message", "markdown")
    for number, argument in enumerate(result.each("message", "arguments")):
        text = text.replace(f"{{{number}}}", argument.text())
    return text


def _is_suppressed(result: Node) -> bool:
    """A suppression counts unless it is still under review or was rejected (3.35.3)."""
    return any(each.text("status") in {"", "accepted"} for each in result.each("suppressions"))


FORMAT = Format(
    title="SARIF 2.1.0 (JSON)",
    media_types=("application/sarif+json",),
    recognises=lambda start: "runs" in start.json and "version" in start.json,
    read=read,
    order=20,
)
