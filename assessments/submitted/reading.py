"""Checks of other tools beside our own: what they are called, what they support, and where their page is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.errors import NotFound
from assessments.checks.base import Severity, checks
from assessments.models import Finding, SubmittedCheck
from assessments.rule.model import SECURITY_RULE

OURS = "surety"
"""What stands in filters for the findings of our own checks, whose `source` is empty."""

_PLACES = {citation: place for place, citation in enumerate(SECURITY_RULE)}


@dataclass(frozen=True, slots=True)
class ToolCheck:
    """A check of another tool, over all of its streams. `page_id`: of the first stream's row, which has the page."""

    id: str
    title: str
    severity: Severity
    supports: tuple[str, ...]
    page_id: UUID

    @property
    def tool(self) -> str:
        """Whose check it is: "prowler"."""
        return self.id.partition(":")[0]

    @property
    def name(self) -> str:
        """What the tool calls it: "s3_bucket_object_versioning"."""
        return self.id.partition(":")[2]


def tool_checks(check_ids: Iterable[str]) -> dict[str, ToolCheck]:
    """Those of the checks that other tools made, by id."""
    wanted = {check_id for check_id in check_ids if check_id not in checks()}
    if not wanted:
        return {}
    rows: dict[str, list[_Told]] = {}
    found = SubmittedCheck.objects.filter(check_id__in=wanted).order_by("check_id", "stream", "id")
    for row in map(_Told._make, found.values_list(*_Told._fields)):
        rows.setdefault(row.check_id, []).append(row)
    return {check_id: _tool_check(found) for check_id, found in rows.items()}


def tools_supporting(citations: Iterable[str]) -> dict[str, ToolCheck]:
    """The checks of other tools that support one of the safeguards, as the statuses count them, by id."""
    named = SubmittedCheck.objects.filter(citations__overlap=sorted(set(citations)))
    return tool_checks(named.values_list("check_id", flat=True))


def find_tool_check(row_id: UUID) -> ToolCheck:
    """The check that a row is of. Raises NotFound."""
    row = SubmittedCheck.objects.filter(pk=row_id).first()
    if row is None:
        raise NotFound("There is no such check.")
    return tool_checks([row.check_id])[row.check_id]


class _Told(NamedTuple):
    """What a stream's documents tell of a check."""

    id: UUID
    check_id: str
    title: str
    severity: str
    citations: list[str]


def _tool_check(rows: list[_Told]) -> ToolCheck:
    first, cited = rows[0], {citation for row in rows for citation in row.citations}
    return ToolCheck(
        first.check_id,
        next((row.title for row in rows if row.title), first.check_id.partition(":")[2]),
        min((Severity(row.severity) for row in rows), key=lambda severity: severity.rank),
        tuple(sorted(cited & _PLACES.keys(), key=_PLACES.__getitem__)),
        first.id,
    )


def said_by_tools(**of_the_check: Any) -> Exists:
    """Whether a finding's check, as its stream's documents tell it, is so."""
    rows = SubmittedCheck.objects.filter(
        stream=OuterRef("stream"), check_id=OuterRef("check_id"), **of_the_check
    )
    return Exists(rows)


def supporting(rows: QuerySet[Finding], citations: Iterable[str]) -> QuerySet[Finding]:
    """The findings whose check supports one of the safeguards, ours and other tools'."""
    cited = set(citations)
    mine = [check.id for check in checks().values() if cited & set(check.supports)]
    return rows.filter(
        Q(stream=None, check_id__in=mine)
        | (Q(stream__isnull=False) & Q(said_by_tools(citations__overlap=sorted(cited))))
    )


def of_source(rows: QuerySet[Finding], source: str) -> QuerySet[Finding]:
    """The findings of one tool, or of our own checks."""
    return rows.filter(source="" if source == OURS else source)
