"""Where other tools judge the same thing of the same resource as our checks do: whether they agree.

Which checks judge the same is said by equivalents.json; a resource is the same where its ARN is, letter for letter,
with its partition. What our check judges of an account as a whole, or of a region of it, has no name that all tools
use: a tool's statement by a check that judges the same is of the same where its account is, and the region. Nothing is
stored: the findings that stand are joined when somebody looks. What either side could not decide is no disagreement,
and is counted apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Q

from accounts.tenancy.scope import current_tenant_id
from assessments.checks.base import Check, checks
from assessments.models import Finding, SubmittedCheck
from assessments.submitted.reading import ToolCheck, tool_checks
from evidence.types import GLOBAL

SHOWN = 10
_DECIDED = ("PASS", "FAIL")
_WHOLE = ("account", "region", "settings")
"""Kinds of resources of ours that are an account or a region of it."""
_CONFIG_RULE = re.compile(r"(?:securityhub-)?([a-z0-9-]+?)(?:-conformance-pack-[a-z0-9]+|-[0-9a-f]{6,8})?")
_PAIRED = """
    with said as (
        select check_id, place, stream_id is null as ours, bool_or(outcome = 'FAIL') as fails,
            (array_agg(id order by outcome = 'FAIL' desc, id))[1] as id, min(resource_name) as name,
            min(resource_arn) as resource_arn
        from assessments_finding, unnest(case
            when stream_id is null and resource_kind = any(%(whole)s) then array[connection_id::text || ' ' || scope]
            when stream_id is null or connection_id is null then array[resource_arn]
            else array[resource_arn, connection_id::text || ' global', connection_id::text || ' ' || region]
        end) as place
        where tenant_id = %(tenant)s and gone_at is null and outcome in ('PASS', 'FAIL') and place <> ''
            and check_id = any(%(all)s)
        group by 1, 2, 3
    ), paired as (
        select p.ours, p.theirs, o.resource_arn, o.name, o.fails as ours_fails, t.fails as theirs_fails,
            o.id as ours_id, t.id as theirs_id
        from unnest(%(ours)s::text[], %(theirs)s::text[]) as p(ours, theirs)
        join said o on o.ours and o.check_id = p.ours
        join said t on not t.ours and t.check_id = p.theirs and t.place = o.place
    )
"""
_COUNTS = f"""{_PAIRED}
    select ours, theirs, count(*) filter (where ours_fails = theirs_fails),
        count(*) filter (where ours_fails <> theirs_fails)
    from paired group by 1, 2
"""  # noqa: S608 (constants)
_APART = f"""{_PAIRED}
    select ours, theirs, name, resource_arn, case when ours_fails then 'FAIL' else 'PASS' end, ours_id,
        case when theirs_fails then 'FAIL' else 'PASS' end, theirs_id
    from (
        select *, row_number() over (partition by ours, theirs order by resource_arn) as place
        from paired where ours_fails <> theirs_fails
    ) as apart where place <= %(shown)s order by ours, theirs, place
"""  # noqa: S608 (constants)


class Disagreement(NamedTuple):
    """A resource of which one side says Pass and the other Fail, with both findings."""

    ours: str
    theirs: str
    name: str
    arn: str
    our_outcome: str
    our_finding: UUID
    their_outcome: str
    their_finding: UUID


@dataclass(frozen=True, slots=True)
class Agreement:
    """One of our checks and one of another tool's that judges the same. `apart`: at most ten disagreements."""

    check: Check
    tool_check: ToolCheck
    agreed: int = 0
    disagreed: int = 0
    apart: tuple[Disagreement, ...] = ()

    @property
    def compared(self) -> int:
        """Resources of which both have decided."""
        return self.agreed + self.disagreed

    @property
    def look(self) -> str:
        """The word of its mark."""
        return "disagrees" if self.disagreed else "agrees" if self.agreed else "not_compared"

    @property
    def more(self) -> int:
        """Disagreements beyond those in `apart`."""
        return self.disagreed - len(self.apart)


class Counterpart(NamedTuple):
    """Another finding on the same resource, by a check that judges the same. `look`: the word of its mark."""

    finding: Finding
    title: str
    whose: str
    look: str


@cache
def equivalents() -> Mapping[str, frozenset[str]]:
    """Names of other tools' checks without the tool, in lower case, by our check that judges the same."""
    data = json.loads((Path(__file__).parent / "equivalents.json").read_text(encoding="utf-8"))
    return {ours: frozenset(_plain(name) for name in names) for ours, names in data["equivalents"].items()}


@cache
def _ours_by_name() -> Mapping[str, tuple[str, ...]]:
    named: dict[str, list[str]] = {}
    for ours, names in equivalents().items():
        for name in names:
            named.setdefault(name, []).append(ours)
    return {name: tuple(found) for name, found in named.items()}


def _plain(check_id: str) -> str:
    """What the check is called: prowler puts its name before it in ASFF, AWS Config's callers put words around it."""
    return check_id.partition(":")[2].lower().rpartition("/")[2].removeprefix("prowler-")


def equivalent_to(check_id: str) -> tuple[str, ...]:
    """Our checks that judge the same as another tool's check."""
    name = _plain(check_id)
    rule = _CONFIG_RULE.fullmatch(name)
    return _ours_by_name().get(name) or _ours_by_name().get(rule[1] if rule else "", ())


def is_known(check_id: str) -> bool:
    """Whether another tool's check is called exactly by a name of equivalents.json, which holds nothing of a tenant."""
    return check_id.partition(":")[2].lower() in _ours_by_name()


def read_agreements(ours: Iterable[str] = (), theirs: Iterable[str] = ()) -> tuple[Agreement, ...]:
    """How other tools' checks compare with some of ours, or with ours to some of theirs; disagreement first."""
    pairs = _pairs(frozenset(ours), frozenset(theirs))
    if not pairs:
        return ()
    tools = tool_checks(their for _our, their in pairs)
    rows = {pair: Agreement(checks()[pair[0]], tools[pair[1]]) for pair in pairs}
    given: dict[str, Any] = {
        "tenant": current_tenant_id(), "ours": [our for our, _ in pairs], "theirs": [their for _, their in pairs],
        "all": sorted({check_id for pair in pairs for check_id in pair}), "shown": SHOWN,
        "whole": list(_WHOLE),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, given)
        for our, their, agreed, disagreed in cursor.fetchall():
            rows[our, their] = replace(rows[our, their], agreed=agreed, disagreed=disagreed)
        if any(row.disagreed for row in rows.values()):
            cursor.execute(_APART, given)
            for said in map(Disagreement._make, cursor.fetchall()):
                pair = said.ours, said.theirs
                rows[pair] = replace(rows[pair], apart=(*rows[pair].apart, said))
    return tuple(sorted(rows.values(), key=_weight))


def _pairs(ours: frozenset[str], theirs: frozenset[str]) -> list[tuple[str, str]]:
    said = SubmittedCheck.objects.order_by("check_id").values_list("check_id", flat=True).distinct()
    if theirs:
        said = said.filter(check_id__in=theirs)
    return [
        (our, their)
        for their in said
        for our in equivalent_to(their)
        if our in checks() and (not ours or our in ours)
    ]


def _weight(row: Agreement) -> tuple[int, str, str]:
    return ("disagrees", "agrees", "not_compared").index(row.look), row.check.title, row.tool_check.id


def read_counterparts(finding: Finding) -> tuple[Counterpart, ...]:
    """What others say of the finding's resource that judge the same as its check."""
    if finding.gone_at is not None:
        return ()
    wanted = (
        [
            their
            for our, their in _pairs(frozenset({finding.check_id}), frozenset())
            if our == finding.check_id
        ]
        if finding.stream_id is None
        else list(equivalent_to(finding.check_id))
    )
    if not wanted:
        return ()
    rows = Finding.objects.filter(
        _same(finding), check_id__in=wanted, gone_at=None, stream__isnull=finding.stream_id is not None
    ).order_by("check_id", "id")[:SHOWN]
    found = list(rows)
    tools = tool_checks(row.check_id for row in found)
    return tuple(_counterpart(finding, row, tools) for row in found)


def _same(finding: Finding) -> Q:
    """Findings of the other side that are of the same resource, as _PAIRED has it."""
    named = Q(resource_arn=finding.resource_arn) if finding.resource_arn else Q(pk__in=())
    if finding.stream_id is None:
        if finding.resource_kind not in _WHOLE:
            return named
        of_account = Q(connection=finding.connection_id)
        return of_account if finding.scope == GLOBAL else of_account & Q(region=finding.scope)
    named &= ~Q(resource_kind__in=_WHOLE)
    if finding.connection_id is None:
        return named
    return named | Q(
        connection=finding.connection_id, resource_kind__in=_WHOLE, scope__in=(GLOBAL, finding.region)
    )


def _counterpart(finding: Finding, row: Finding, tools: Mapping[str, ToolCheck]) -> Counterpart:
    known = checks().get(row.check_id) or tools.get(row.check_id)
    undecided = {finding.outcome, row.outcome} - set(_DECIDED)
    look = "not_compared" if undecided else "agrees" if finding.outcome == row.outcome else "disagrees"
    return Counterpart(row, known.title if known else row.check_id, row.source or "our own check", look)
