"""The portfolio in one statement: every business associate with what needs doing, counted, ranked, and a page of them.

Nothing of it is kept: a grant that is revoked, or an agreement that ends, is gone from the next request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import Q, QuerySet, Value
from django.db.models.expressions import ExpressionWrapper
from django.db.models.fields import BooleanField

from accounts.tenancy.scope import current_database
from assessments.partners.models import BusinessAssociate
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
    """What the portfolio is narrowed to. `fits` is about the register's own fields; `reason` None is any."""

    fits: Q
    reason: Reason | None = None
    ended: bool = False


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
    placed, values = placed_sql(wanted, now)
    sql = _PAGE.format(
        placed=placed,
        counts="".join(f", count(*) FILTER (WHERE {each.value}) AS n_{each.value}" for each in REASONS),
        chosen=f"fits AND {wanted.reason.value}" if wanted.reason else "fits",
        following=_FOLLOWING if after else "",
        order=_ORDER,
    )
    rows = fetch(sql, [*values, *([after] if after else []), size + 1])
    found = [_standing(row) for row in rows if row["associate_id"] is not None]
    of_reason = {reason: rows[0][f"n_{reason.value}"] for reason in REASONS}
    return Ranked(tuple(found[:size]), len(found) > size, rows[0]["n_found"], rows[0]["n_all"], of_reason)


_PAGE = """
{placed},
counts AS (SELECT count(*) AS n_all, count(*) FILTER (WHERE {chosen}) AS n_found {counts} FROM placed),
page AS (SELECT * FROM placed WHERE {chosen} {following} ORDER BY {order} LIMIT %s)
SELECT * FROM counts LEFT JOIN page ON true ORDER BY {order}
"""
_FOLLOWING = f"AND ({_ORDER}) > (SELECT {_ORDER} FROM placed WHERE associate_id = %s)"  # noqa: S608 (its own words)


def placed_sql(wanted: Wanted, now: datetime) -> tuple[str, list[Any]]:
    """The beginning of a statement, with its values: `placed` has a row for each business associate.

    Its columns: associate_id, tier, name, fits, those of the sources, one boolean for each of REASONS, and place.
    """
    parts: list[str] = []
    values: list[Any] = []
    for name, columns, rows in _queries(wanted, now):
        sql, given = rows.query.sql_with_params()
        parts.append(f"{name} ({', '.join(columns)}) AS MATERIALIZED ({sql})")
        values += given
    whens = [f"WHEN {each.value} THEN {number}" for number, each in enumerate(Reason) if each in REASONS]
    return _PLACED.format(
        parts=",\n".join(parts),
        known="".join(f", {column}" for source in SOURCES for column in source.columns),
        flags="".join(f", coalesce({REASON_SQL[each]}, false) AS {each.value}" for each in REASONS),
        joins=" ".join(f"LEFT JOIN {source.name} USING ({source.key})" for source in SOURCES),
        place=f"CASE {' '.join(whens)} ELSE {len(Reason)} END" if whens else len(Reason),
    ), values


_PLACED = """
WITH {parts},
standing AS (SELECT associate_id, tier, name, fits {known} {flags} FROM associate {joins}),
placed AS MATERIALIZED (SELECT *, {place} AS place FROM standing)
"""


def fetch(sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    """The rows of a statement, by column."""
    with connections[current_database()].cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _queries(wanted: Wanted, now: datetime) -> Iterator[tuple[str, Sequence[str], QuerySet[Any, Any]]]:
    """What the statement rests on: name, columns, query."""
    fits = ExpressionWrapper(wanted.fits, BooleanField()) if wanted.fits else Value(True)
    associates = BusinessAssociate.objects.filter(ended_at__isnull=not wanted.ended).annotate(fits=fits)
    yield (
        "associate",
        ("associate_id", "tier", "name", "fits"),
        associates.values_list("pk", "tier", "name", "fits"),
    )
    for source in SOURCES:
        yield source.name, (source.key, *source.columns), source.rows(now)


def _standing(row: Mapping[str, Any]) -> Standing:
    facts = {column: row[column] for source in SOURCES for column in source.columns}
    reasons = tuple(reason for reason in REASONS if row[reason.value])
    return Standing(row["associate_id"], row["place"], reasons, facts)
