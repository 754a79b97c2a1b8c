"""A document's outcomes as rows for PostgreSQL: keys, texts within their limits, one row for each finding."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from assessments.rule.model import SECURITY_RULE
from evidence.formats.kit.outcomes import Outcome, Result, Severity

BATCH = 5000
LONGEST_CHECK, LONGEST_TITLE, LONGEST_SOURCE = 300, 300, 64
_RANK = {Result.FAIL: 3, Result.UNKNOWN: 2, Result.PASS: 1, Result.NOT_APPLICABLE: 0}
_NOT_IN_SOURCE = re.compile(r"[^a-z0-9._-]+")


class Row(NamedTuple):
    """What a document says of one check and one resource."""

    check_id: str
    resource_key: str
    arn: str
    name: str
    kind: str
    account: str
    region: str
    severity: str
    outcome: str
    observed: str
    muted: bool
    at: datetime


COLUMNS = {
    **dict.fromkeys(Row._fields, "text"), "muted": "bool", "at": "timestamptz",
}  # fmt: skip
"""A row's columns and PostgreSQL's types of them."""
SEPARATOR = "\x1f"
Columns = dict[str, str]
"""Many rows, each column one text."""


@dataclass(slots=True)
class CheckSaid:
    """What a document says of one check, over all of its outcomes."""

    title: str
    severity: str
    citations: set[str]


@dataclass(frozen=True, slots=True)
class Terms:
    """How a document's outcomes are read. `seen_at` is the time of an outcome that tells none, or of all (`fixed`).

    `citations` are those that the sender names; `within` narrows all to what the sender may speak of (None: to all).
    """

    source: str
    seen_at: datetime
    fixed: bool
    citations: tuple[str, ...]
    within: frozenset[str] | None


def source_of(producer: str, format_name: str) -> str:
    """The short name of who made a document: "prowler", "security-hub"; its format where it doesn't say."""
    return _NOT_IN_SOURCE.sub("-", producer.lower()).strip("-")[:LONGEST_SOURCE] or format_name


def batches(outcomes: Iterable[Outcome], terms: Terms, checks: dict[str, CheckSaid]) -> Iterator[list[Row]]:
    """Rows, some thousands at a time, a finding once in each; `checks` gathers what is said of each check."""
    batch: dict[tuple[str, str], Row] = {}
    for outcome in outcomes:
        row = _row(outcome, terms)
        _gather(checks, row, outcome, terms)
        key = row[:2]
        before = batch.get(key)
        if before is None or _weight(row) > _weight(before):
            batch[key] = row
        if len(batch) >= BATCH:
            yield list(batch.values())
            batch = {}
    if batch:
        yield list(batch.values())


def columns_of(batch: Sequence[Row]) -> Columns:
    """Rows as texts for string_to_array, which costs a tenth of what arrays do."""
    columns: dict[str, Sequence[Any]] = dict(zip(Row._fields, zip(*batch, strict=True), strict=True))
    columns["muted"] = ["t" if muted else "f" for muted in columns["muted"]]
    times = {at: at.isoformat() for at in set(columns["at"])}
    columns["at"] = [times[at] for at in columns["at"]]
    return {name: _joined(values) for name, values in columns.items()}


def _joined(values: Sequence[str]) -> str:
    """One text of many. It begins with an empty one, as to PostgreSQL no text at all is no array.

    The separator is a control character, which no finding needs.
    """
    text = SEPARATOR.join(("", *values))
    if text.count(SEPARATOR) != len(values):
        text = SEPARATOR.join(("", *(each.replace(SEPARATOR, " ") for each in values)))
    return text


def _weight(row: Row) -> tuple[datetime, int, bool, str, str]:
    """The newest word counts; of two at one time the worse. The same order as in merge's SQL."""
    return row.at, _RANK[Result(row.outcome)], row.muted, row.severity, row.observed


def _row(outcome: Outcome, terms: Terms) -> Row:
    about = outcome.resource
    account, region, arn = (about.account_id, about.region, about.id) if about else ("", "", "")
    key = hashlib.sha256(f"{account}\n{region}\n{arn}".encode()).hexdigest()[:32]
    return Row(
        _check_id(terms.source, outcome.check.id), key, arn, (about.name or arn)[:512] if about else "",
        about.kind[:128] if about else "", account[:12], region[:32],
        str(outcome.severity or Severity.MEDIUM), str(outcome.result), outcome.message or outcome.check.title,
        outcome.suppressed, terms.seen_at if terms.fixed or outcome.at is None else outcome.at,
    )  # fmt: skip


def _check_id(source: str, name: str) -> str:
    said = f"{source}:{name}"
    if len(said) <= LONGEST_CHECK:
        return said
    digest = hashlib.sha256(said.encode()).hexdigest()[:16]
    return f"{said[: LONGEST_CHECK - 17]}~{digest}"


def _gather(checks: dict[str, CheckSaid], row: Row, outcome: Outcome, terms: Terms) -> None:
    said = checks.get(row.check_id)
    if said is None:
        said = checks[row.check_id] = CheckSaid(outcome.check.title[:LONGEST_TITLE], row.severity, set())
    cited = outcome.citations or terms.citations
    said.citations.update(
        each for each in cited if each in SECURITY_RULE and (terms.within is None or each in terms.within)
    )
