"""JUnit XML, as test runners and policy checkers write it (there is no standard; Jenkins' and Ant's forms).

A failure is a failing outcome; an error or a skipped test decides nothing. A testcase's or suite's <properties> may
name what was tested ("resource") and citations in any value.
"""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from xml.etree.ElementTree import Element

from evidence.formats.base import Format, Reading, Source
from evidence.formats.kit.citations import find_citations
from evidence.formats.kit.outcomes import Check, Header, Outcome, Resource, Result
from evidence.formats.kit.values import parse_time
from evidence.formats.kit.xmlstream import Found, child, children, elements, text_of

_RESULTS = (("failure", Result.FAIL), ("error", Result.UNKNOWN), ("skipped", Result.UNKNOWN))


def read(source: Source) -> Reading:
    """The header is the outermost suite's name and time."""
    cases = elements(source.stream, {"testcase"})
    first = next(cases, None)
    if first is None:
        return Reading(Header(notes=("no test cases",)), iter(()))
    outer = [each for each in first.above if each.get("name")]
    header = Header(
        title=outer[0].get("name", "") if outer else "",
        producer=outer[0].get("name", "") if outer else "",
        produced_at=_time(first),
    )
    return Reading(header, map(_outcome, chain((first,), cases)))


def _time(case: Found) -> datetime | None:
    told = [case.element.get("timestamp", ""), *(each.get("timestamp", "") for each in reversed(case.above))]
    return next((parse_time(text, case.place) for text in told if text), None)


def _outcome(case: Found) -> Outcome:
    element = case.element
    suite = case.above[-1] if case.above else {}
    group = element.get("classname", "") or suite.get("name", "")
    name = element.get("name", "")
    result, message = _result(element)
    properties = _properties(element)
    return Outcome(
        check=Check(
            f"{group}.{name}" if group and name else group or name, name, aliases=(name,) if name else ()
        ),
        resource=_resource(element, properties, suite.get("hostname", "")),
        result=result,
        at=_time(case),
        citations=find_citations(*properties.values()),
        message=message,
        place=case.place,
    )


def _result(case: Element) -> tuple[Result, str]:
    for name, result in _RESULTS:
        found = child(case, name)
        if found is not None:
            return result, found.get("message", "") or text_of(found) or name
    return Result.PASS, ""


def _properties(case: Element) -> dict[str, str]:
    listed = child(case, "properties")
    if listed is None:
        return {}
    return {
        each.get("name", ""): each.get("value", "") or text_of(each) for each in children(listed, "property")
    }


def _resource(case: Element, properties: dict[str, str], host: str) -> Resource | None:
    if properties.get("resource"):
        return Resource(properties["resource"])
    if case.get("file"):
        return Resource(case.get("file", ""), kind="file")
    return Resource(host, kind="host") if host else None


FORMAT = Format(
    title="JUnit XML",
    media_types=("application/junit+xml",),
    recognises=lambda start: start.element in {"testsuites", "testsuite"},
    read=read,
    order=20,
)
