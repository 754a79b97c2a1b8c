"""OCSF findings: Vulnerability (2002), Compliance (2003) and Detection Finding (2004), schema.ocsf.io 1.1 to 1.5.

A list, one finding, or JSON lines; also as `prowler -M json-ocsf` writes them, whose verdict stands in `status_code`
and whose HIPAA paragraphs stand in `unmapped.compliance`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from types import MappingProxyType

from evidence.formats.base import Format, Reading, Source
from evidence.formats.kit.citations import find_citations
from evidence.formats.kit.errors import BadDocument, quoted
from evidence.formats.kit.jsonstream import ANY, values_at
from evidence.formats.kit.outcomes import Check, Header, Outcome, Resource, Result, Severity
from evidence.formats.kit.values import Node, severity_of

VULNERABILITY, COMPLIANCE, DETECTION = 2002, 2003, 2004
_SEVERITY_IDS: Mapping[int, Severity] = MappingProxyType(
    {
        1: Severity.LOW,
        2: Severity.LOW,
        3: Severity.MEDIUM,
        4: Severity.HIGH,
        5: Severity.CRITICAL,
        6: Severity.CRITICAL,
    }
)
_COMPLIANCE_IDS: Mapping[int, Result] = MappingProxyType(
    {1: Result.PASS, 2: Result.UNKNOWN, 3: Result.FAIL}  # 2: warning, which decides nothing
)
_WORDS: Mapping[str, Result] = MappingProxyType(
    {
        "pass": Result.PASS, "passed": Result.PASS, "compliant": Result.PASS,
        "fail": Result.FAIL, "failed": Result.FAIL, "non_compliant": Result.FAIL, "noncompliant": Result.FAIL,
        "warning": Result.UNKNOWN, "manual": Result.UNKNOWN, "unknown": Result.UNKNOWN,
        "not_applicable": Result.NOT_APPLICABLE, "notapplicable": Result.NOT_APPLICABLE,
        "not applicable": Result.NOT_APPLICABLE,
    }
)  # fmt: skip
SUPPRESSED, RESOLVED, ARCHIVED, DELETED = 3, 4, 5, 6
"""Finding.status_id."""
_CLOSED: Mapping[int, Result] = MappingProxyType(
    {RESOLVED: Result.PASS, ARCHIVED: Result.UNKNOWN, DELETED: Result.UNKNOWN}
)


def read(source: Source) -> Reading:
    """The header is what the first finding says of its product."""
    findings = _findings(source)
    first = next(findings, None)
    if first is None:
        return Reading(Header(notes=("no findings",)), iter(()))
    product = first.get("metadata", "product")
    header = Header(
        producer=product.text("name") or product.text("vendor_name"),
        producer_version=product.text("version"),
        version=first.text("metadata", "version"),
        produced_at=_time(first),
    )
    return Reading(header, chain.from_iterable(map(_outcomes, chain((first,), findings))))


def _findings(source: Source) -> Iterator[Node]:
    """Of a list its items; of JSON lines every line."""
    path = (ANY,) if _is_list(source) else ()
    for found in values_at(source.stream, path, watcher=source.watcher):
        yield found.node


def _is_list(source: Source) -> bool:
    source.stream.seek(0)
    return source.stream.read(4096).lstrip(b" \t\r\n\xef\xbb\xbf")[:1] == b"["


def _outcomes(finding: Node) -> Iterator[Outcome]:
    kind = finding.integer("class_uid")
    if kind == VULNERABILITY:
        return _vulnerabilities(finding)
    if kind in {COMPLIANCE, DETECTION}:
        return _verdicts(finding, kind)
    said = quoted(kind) if kind is not None else "missing"
    raise BadDocument(
        f"the class {said} is none of the findings that are read: 2002, 2003, 2004",
        place=f"{finding.place}/class_uid",
    )


def _verdicts(finding: Node, kind: int) -> Iterator[Outcome]:
    check, result = _check(finding), _result(finding, kind)
    for resource in _resources(finding):
        yield Outcome(
            check=check,
            resource=resource,
            result=result,
            severity=_severity(finding),
            at=_time(finding),
            citations=_citations(finding),
            message=_message(finding),
            suppressed=finding.integer("status_id") == SUPPRESSED,
            place=finding.place or "/",
        )


def _vulnerabilities(finding: Node) -> Iterator[Outcome]:
    closed = _CLOSED.get(finding.integer("status_id") or 0)
    resources = list(_resources(finding))
    for each in finding.each("vulnerabilities"):
        uid = each.text("cve", "uid") or each.text("advisory", "uid") or each.text("cwe", "uid")
        check = Check(uid or each.needed("title"), each.text("title"), aliases=(each.text("cwe", "uid"),))
        for resource in resources:
            yield Outcome(
                check=check,
                resource=resource,
                result=closed or Result.FAIL,
                severity=severity_of(each.text("severity")) or _severity(finding),
                at=_time(finding),
                citations=_citations(finding),
                message=each.text("desc") or _message(finding),
                suppressed=finding.integer("status_id") == SUPPRESSED,
                place=each.place,
            )


def _check(finding: Node) -> Check:
    """The most telling of the names that a finding has for its check; the others are aliases."""
    compliance = finding.get("compliance")
    names = (
        finding.text("metadata", "event_code"),
        compliance.first("checks").text("uid"),
        finding.text("finding_info", "analytic", "uid"),
        compliance.text("control"),
        finding.text("finding_info", "analytic", "name"),
        finding.text("finding_info", "title"),
    )
    named = tuple(name for name in names if name)
    if not named:
        raise BadDocument(
            "nothing names the check (metadata.event_code, compliance.control, finding_info.title)",
            place=finding.place or "/",
        )
    return Check(named[0], finding.text("finding_info", "title"), aliases=named[1:])


def _result(finding: Node, kind: int) -> Result:
    word = finding.text("compliance", "status").lower() or finding.text("status_code").lower()
    if kind == COMPLIANCE:
        status_id = finding.integer("compliance", "status_id") or 0
        return _COMPLIANCE_IDS.get(status_id) or _WORDS.get(word, Result.UNKNOWN)
    if word in _WORDS:
        return _WORDS[word]
    # A detection without a verdict tells of something wrong, until it is resolved.
    return _CLOSED.get(finding.integer("status_id") or 0, Result.FAIL)


def _resources(finding: Node) -> Iterator[Resource | None]:
    listed = list(finding.each("resources"))
    if not listed and finding.get("resource").value is not None:
        listed = [finding.get("resource")]
    if not listed:
        yield None
    for each in listed:
        uid = each.text("uid") or each.text("name")
        if not uid:
            raise BadDocument("the resource has neither uid nor name", place=each.place)
        yield Resource(
            uid,
            kind=each.text("type"),
            name=each.text("name"),
            account_id=finding.text("cloud", "account", "uid") or each.text("owner", "account", "uid"),
            region=each.text("region") or finding.text("cloud", "region"),
        )


def _severity(finding: Node) -> Severity | None:
    return _SEVERITY_IDS.get(finding.integer("severity_id") or 0) or severity_of(finding.text("severity"))


def _time(finding: Node) -> datetime | None:
    """OCSF's `time` is in milliseconds; prowler writes seconds, and the same time as text beside it."""
    return finding.time("time_dt") or finding.time("time") or finding.time("finding_info", "created_time")


def _message(finding: Node) -> str:
    return (
        finding.text("status_detail")
        or finding.text("compliance", "status_detail")
        or finding.text("message")
        or finding.text("finding_info", "desc")
    )


def _citations(finding: Node) -> tuple[str, ...]:
    compliance = finding.get("compliance")
    texts = [compliance.text("control"), *(each.text() for each in compliance.each("requirements"))]
    texts += [each.text() for each in compliance.each("standards")]
    texts += [each.text("uid") for each in compliance.each("compliance_references")]
    unmapped = finding.get("unmapped")
    named = unmapped.get("compliance") if isinstance(unmapped.value, Mapping) else Node(None, "")
    if isinstance(named.value, Mapping):
        for framework in named.value:
            if framework.upper().startswith("HIPAA"):
                texts += [each.text() for each in named.each(framework)]
    return find_citations(*texts)


FORMAT = Format(
    title="OCSF findings (JSON)",
    media_types=("application/ocsf+json",),
    recognises=lambda start: bool({"class_uid", "item.class_uid"} & start.json.keys()),
    read=read,
    order=10,
)
