"""The AWS Security Finding Format: a list of findings, {"Findings": [...]}, or an EventBridge event of Security Hub.

Source: AWS Security Hub user guide, "AWS Security Finding Format (ASFF)".
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

_STATUSES: Mapping[str, Result] = MappingProxyType(
    {
        "PASSED": Result.PASS,
        "FAILED": Result.FAIL,
        "WARNING": Result.UNKNOWN,
        "NOT_AVAILABLE": Result.UNKNOWN,
    }
)
_PATHS = ((ANY,), ("Findings", ANY), ("findings", ANY), ("detail", "findings", ANY))
_SCORES = ((90, Severity.CRITICAL), (70, Severity.HIGH), (40, Severity.MEDIUM), (1, Severity.LOW))
"""Severity.Normalized, by the table of the user guide."""

CUT_AT = 64


def read(source: Source) -> Reading:
    """The header is what the first finding says of its product."""
    findings = (found.node for found in values_at(source.stream, *_PATHS))
    first = next(findings, None)
    if first is None:
        findings = (found.node for found in values_at(source.stream, ()))
        first = next((each for each in findings if isinstance(each.value, Mapping)), None)
    if first is None:
        return Reading(Header(notes=("no findings",)), iter(()))
    fields = first.get("ProductFields")
    header = Header(
        producer=first.text("ProductName") or _product(first),
        producer_version=fields.text("aws/securityhub/ProductVersion") or fields.text("ProviderVersion"),
        version=first.text("SchemaVersion"),
        produced_at=_time(first),
    )
    return Reading(header, chain.from_iterable(map(_outcomes, chain((first,), findings))))


def _product(finding: Node) -> str:
    """The product's name out of its ARN: .../product/<company>/<product>."""
    return finding.text("ProductArn").rpartition("/")[2]


def _outcomes(finding: Node) -> Iterator[Outcome]:
    check, result = _check(finding), _result(finding)
    requirements = [_whole(each.text()) for each in finding.each("Compliance", "RelatedRequirements")]
    standards = [each.text("StandardsId") for each in finding.each("Compliance", "AssociatedStandards")]
    resources = list(finding.each("Resources"))
    if not resources:
        raise BadDocument("the finding names no resource", place=f"{finding.place}/Resources")
    for each in resources:
        yield Outcome(
            check=check,
            resource=Resource(
                each.needed("Id"),
                kind=each.text("Type"),
                account_id=finding.text("AwsAccountId"),
                region=each.text("Region") or finding.text("Region"),
            ),
            result=result,
            severity=_severity(finding),
            at=_time(finding),
            citations=find_citations(*requirements, *standards),
            message=finding.text("Description"),
            suppressed=finding.text("Workflow", "Status") == "SUPPRESSED",
            place=finding.place or "/",
        )


def _whole(requirement: str) -> str:
    """Prowler cuts a requirement at the 64 characters that ASFF allows; half a citation would be another one."""
    return requirement.rpartition(" ")[0] if len(requirement) >= CUT_AT else requirement


def _check(finding: Node) -> Check:
    generator = finding.needed("GeneratorId")
    control = finding.text("Compliance", "SecurityControlId")
    related = finding.get("ProductFields").text("RelatedAWSResources:0/name")
    names = tuple(name for name in (control, generator, generator.rpartition("/")[2], related) if name)
    return Check(names[0], finding.text("Title"), aliases=(*names[1:], names[0].removeprefix("prowler-")))


def _result(finding: Node) -> Result:
    if finding.text("RecordState") == "ARCHIVED":
        return Result.UNKNOWN  # the resource is gone, or the finding is no longer kept up
    status = finding.text("Compliance", "Status")
    if status:
        if status not in _STATUSES:
            raise BadDocument(
                f"{quoted(status)} is none of {', '.join(_STATUSES)}",
                place=f"{finding.place}/Compliance/Status",
            )
        return _STATUSES[status]
    return Result.PASS if finding.text("Workflow", "Status") == "RESOLVED" else Result.FAIL


def _severity(finding: Node) -> Severity | None:
    label = finding.text("Severity", "Label")
    if label:
        return severity_of(label)
    score = finding.integer("Severity", "Normalized")
    if score is None:
        return None
    return next((severity for least, severity in _SCORES if score >= least), Severity.LOW)


def _time(finding: Node) -> datetime | None:
    times = ("LastObservedAt", "UpdatedAt", "CreatedAt")
    return next((time for name in times if (time := finding.time(name))), None)


FORMAT = Format(
    title="AWS Security Finding Format (JSON)",
    media_types=("application/asff+json",),
    recognises=lambda start: (
        any(name.rpartition(".")[2] == "GeneratorId" for name in start.json)
        and any(name.rpartition(".")[2] in {"AwsAccountId", "ProductArn"} for name in start.json)
    ),
    read=read,
    order=11,
)
