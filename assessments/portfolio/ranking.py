"""The portfolio in one statement: every business associate with what needs doing, counted, ranked, and a page of them.

Nothing of it is kept: a grant that is revoked, or an agreement that ends, is gone from the next request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import Q, QuerySet, Value
from django.db.models.expressions import ExpressionWrapper
from django.db.models.fields import BooleanField

from accounts.tenancy.scope import current_database
from assessments.partners.models import BusinessAssociate
from assessments.partnerships.models import Partnership
from assessments.portfolio.reasons import Reason
from assessments.portfolio.sources import SOURCES

PAGE = 50
_ORDER = "place, tier, name, associate_id"
REASON_SQL: Mapping[Reason, str] = {
    reason: condition for source in SOURCES for reason, condition in source.reasons.items()
}
"""What can be said with the sources that there are."""
REASONS = tuple(reason for reason in Reason if reason in REASON_SQL)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the portfolio is narrowed to. `fits` is about the register's own fields; `reason` None is any.

    `only` leaves one business associate, active or ended.
    """

    fits: Q = field(default_factory=Q)
    reason: Reason | None = None
    ended: bool = False
    only: UUID | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A business associate in the portfolio: what needs doing, most urgent first, and what the sources know.

    `facts` holds the columns of the sources by name, None where a source has nothing.
    """

    associate_id: UUID
    place: int
    reasons: tuple[Reason, ...]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A page of the portfolio. `of_reason` counts all of the active (or ended) ones, `found` those that fit."""

    rows: tuple[Standing, ...]
    more: bool
    found: int
    all: int
    of_reason: Mapping[Reason, int]


def rank(wanted: Wanted, now: datetime, *, after: UUID | None = None, size: int = PAGE) -> Ranked:
    """The page that follows a business associate, or the first."""
    sql = _PAGE.format(
        counts="".join(f", count(*) FILTER (WHERE {each.value}) AS n_{each.value}" for each in REASONS),
        chosen=f"fits AND {wanted.reason.value}" if wanted.reason else "fits",
        following=_FOLLOWING if after else "",
        order=_ORDER,
    )
    rows = ask(sql, wanted, now, [*([after] if after else []), size + 1])
    found = [_standing(row) for row in rows if row["associate_id"] is not None]
    of_reason = {reason: rows[0][f"n_{reason.value}"] for reason in REASONS}
    return Ranked(tuple(found[:size]), len(found) > size, rows[0]["n_found"], rows[0]["n_all"], of_reason)


_PAGE = """
, counts AS (SELECT count(*) AS n_all, count(*) FILTER (WHERE {chosen}) AS n_found {counts} FROM placed),
page AS (SELECT * FROM placed WHERE {chosen} {following} ORDER BY {order} LIMIT %s)
SELECT * FROM counts LEFT JOIN page ON true ORDER BY {order}
"""
_FOLLOWING = f"AND ({_ORDER}) > (SELECT {_ORDER} FROM placed WHERE associate_id = %s)"  # noqa: S608 (its own words)


def ask(sql: str, wanted: Wanted, now: datetime, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """The rows, by column, of a statement that goes on after WITH placed, which has a row for each business associate.

    Its columns: associate_id, tier, name, fits, those of the sources, one boolean for each of REASONS, and place.
    """
    parts: list[str] = []
    given: list[Any] = []
    for name, columns, rows in _queries(wanted, now):
        part, of_part = rows.query.sql_with_params()
        parts.append(f"{name} ({', '.join(columns)}) AS MATERIALIZED ({part})")
        given += of_part
    placed = _PLACED.format(parts=",\n".join(parts), **_CLAUSES)
    with connections[current_database()].cursor() as cursor:
        # The planner doesn't know how large the parts are, and takes small ones for so small that it joins them by
        # loops within loops: at a thousand business associates that is eight times the work.
        cursor.execute("SELECT set_config('enable_nestloop', %s, true)", ["on" if wanted.only else "off"])
        cursor.execute(f"{placed} {sql}", [*given, *values])
        names = [column.name for column in cursor.description or ()]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        cursor.execute("SELECT set_config('enable_nestloop', 'on', true)")
    return found


_PLACED = """
WITH {parts},
standing AS (SELECT associate_id, tier, name, fits {known} {flags} FROM associate {joins}),
placed AS MATERIALIZED (SELECT *, CASE {whens} ELSE {last} END AS place FROM standing)
"""
_CLAUSES = {
    "known": "".join(f", {column}" for source in SOURCES for column in source.columns),
    "flags": "".join(f", coalesce({sql}, false) AS {reason.value}" for reason, sql in REASON_SQL.items()),
    "joins": " ".join(f"LEFT JOIN {source.name} USING ({', '.join(source.key)})" for source in SOURCES),
    "whens": " ".join(f"WHEN {each.value} THEN {list(Reason).index(each)}" for each in REASONS)
    or "WHEN false THEN 0",
    "last": len(Reason),
}


_NARROWED: Mapping[str, Callable[[UUID], Any]] = {
    "associate_id": lambda associate_id: [associate_id],
    "partnership_id": lambda associate_id: Partnership.objects.filter(associate_id=associate_id).values("pk"),
}
"""How a key of sources is narrowed to one business associate."""


def _queries(wanted: Wanted, now: datetime) -> Iterator[tuple[str, Sequence[str], QuerySet[Any, Any]]]:
    """What the statement rests on: name, columns, query."""
    fits = ExpressionWrapper(wanted.fits, BooleanField()) if wanted.fits else Value(True)
    associates = BusinessAssociate.objects.annotate(fits=fits)
    chosen = {"pk": wanted.only} if wanted.only else {"ended_at__isnull": not wanted.ended}
    yield (
        "associate",
        ("associate_id", "tier", "name", "fits"),
        associates.filter(**chosen).values_list("pk", "tier", "name", "fits"),
    )
    for source in SOURCES:
        rows = source.rows(now)
        if wanted.only and source.key[0] in _NARROWED:
            rows = rows.filter(**{f"{source.key[0]}__in": _NARROWED[source.key[0]](wanted.only)})
        yield source.name, (*source.key, *source.columns), rows


def _standing(row: Mapping[str, Any]) -> Standing:
    facts = {column: row[column] for source in SOURCES for column in source.columns}
    reasons = tuple(reason for reason in REASONS if row[reason.value])
    return Standing(row["associate_id"], row["place"], reasons, facts)
