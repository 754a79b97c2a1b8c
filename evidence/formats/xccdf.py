"""XCCDF 1.1 and 1.2 results of OpenSCAP and CIS-CAT, alone or inside of an asset report collection (ARF).

Sources: NIST IR 7275 rev. 4, section 6.6; NIST IR 7694 (ARF). Read twice: the benchmark's rules give titles, severity
and references (SCAP Security Guide's carry citations of 45 CFR), the test results give outcomes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from xml.etree.ElementTree import Element

from evidence.formats.base import Format, Reading, Source
from evidence.formats.kit.citations import find_citations
from evidence.formats.kit.errors import BadDocument, quoted
from evidence.formats.kit.outcomes import Check, Header, Outcome, Resource, Result, Severity
from evidence.formats.kit.room import Room
from evidence.formats.kit.values import parse_time, severity_of
from evidence.formats.kit.xmlstream import Found, child, children, elements, text_of

_RESULTS: Mapping[str, Result] = MappingProxyType(
    {
        "pass": Result.PASS,
        "fixed": Result.PASS,
        "fail": Result.FAIL,
        "error": Result.UNKNOWN,
        "unknown": Result.UNKNOWN,
        "notchecked": Result.UNKNOWN,
        "informational": Result.UNKNOWN,
        "notapplicable": Result.NOT_APPLICABLE,
        "notselected": Result.NOT_APPLICABLE,
    }
)
_HOST_FACTS = ("urn:xccdf:fact:asset:identifier:ec2_instance", "urn:xccdf:fact:identifier")


@dataclass(frozen=True, slots=True)
class _Rule:
    title: str
    severity: Severity | None
    citations: tuple[str, ...]


_NO_RULE = _Rule("", None, ())


def read(source: Source) -> Reading:
    """The header is the first test result's; its outcomes come from all."""
    rules: dict[str, _Rule] = {}
    room = Room()
    for found in elements(source.stream, {"Rule", "TestResult"}):
        if found.name == "Rule":
            rule_id, rule = found.element.get("id", ""), _rule(found.element)
            room.take(rule_id, rule.title, *rule.citations, place=found.place)
            rules[rule_id] = rule
    results = elements(source.stream, {"TestResult"})
    first = next(results, None)
    if first is None:
        raise BadDocument("the document holds no TestResult: a benchmark without results is no evidence")
    return Reading(_header(first), _all(first, results, rules))


def _rule(rule: Element) -> _Rule:
    references = [text_of(each) for each in children(rule, "reference")]
    idents = [text_of(each) for each in children(rule, "ident")]
    severity = severity_of(rule.get("severity", ""))
    return _Rule(text_of(rule, "title"), severity, find_citations(*references, *idents))


def _header(found: Found) -> Header:
    result = found.element
    system = result.get("test-system", "")
    parts = system.removeprefix("cpe:/a:").split(":")
    return Header(
        title=text_of(result, "title"),
        producer=parts[1] if len(parts) > 1 else system,
        producer_version=parts[2] if len(parts) > 2 else "",  # noqa: PLR2004  vendor, product, version
        version=result.get("version", ""),
        produced_at=_time(result, "end-time", found.place),
        period_from=_time(result, "start-time", found.place),
        period_to=_time(result, "end-time", found.place),
    )


def _time(element: Element, name: str, place: str) -> datetime | None:
    text = element.get(name, "")
    return parse_time(text, f"{place}/@{name}") if text else None


def _all(first: Found, others: Iterator[Found], rules: Mapping[str, _Rule]) -> Iterator[Outcome]:
    yield from _outcomes(first, rules)
    for found in others:
        yield from _outcomes(found, rules)


def _outcomes(found: Found, rules: Mapping[str, _Rule]) -> Iterator[Outcome]:
    resource = _resource(found.element)
    ended = _time(found.element, "end-time", found.place)
    for number, each in enumerate(children(found.element, "rule-result"), 1):
        place = f"{found.place}/rule-result[{number}]"
        rule_id = each.get("idref", "")
        rule = rules.get(rule_id, _NO_RULE)
        word = text_of(each, "result")
        if word not in _RESULTS:
            raise BadDocument(f"{quoted(word)} is no result of XCCDF", place=place)
        idents = tuple(text_of(ident) for ident in children(each, "ident"))
        yield Outcome(
            check=Check(rule_id, rule.title, aliases=idents),
            resource=resource,
            result=_RESULTS[word],
            severity=severity_of(each.get("severity", "")) or rule.severity,
            at=_time(each, "time", place) or ended,
            citations=rule.citations,
            message=_message(each, word),
            suppressed=child(each, "override") is not None,
            place=place,
        )


def _message(result: Element, word: str) -> str:
    said = " ".join(text_of(each) for each in children(result, "message"))
    return said or (f"the source's result is {word}" if word not in {"pass", "fail"} else "")


def _resource(result: Element) -> Resource | None:
    """The machine: its EC2 instance where a fact tells it, else its name."""
    facts = child(result, "target-facts")
    told = {
        each.get("name", ""): text_of(each) for each in (children(facts, "fact") if facts is not None else ())
    }
    target = text_of(result, "target") or text_of(result, "target-address")
    name = next((told[fact] for fact in _HOST_FACTS if told.get(fact)), target)
    return Resource(name, kind="host", name=target) if name else None


FORMAT = Format(
    title="XCCDF results: OpenSCAP, CIS-CAT (XML), also in ARF",
    media_types=("application/xccdf+xml", "application/arf+xml"),
    recognises=lambda start: (
        start.element in {"Benchmark", "TestResult", "asset-report-collection"}
        and any(word in start.namespace for word in ("xccdf", "asset-reporting-format"))
    ),
    read=read,
    order=20,
)
