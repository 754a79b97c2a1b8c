"""Finds entries of the open tenant's log, newest first, by any combination of filters, among tens of millions.

Each combination of actor and object has an index that goes on with act, outcome and id. A search first learns which
acts and outcomes occur there, by diving from one to the next, then which of them have the newest entries, and merges
those: some hundreds of dives at most, however many entries there are and however rare what is looked for. Ids are
UUIDv7, so their order is the order of time and a range of time is a range of ids. Every operator is leakproof, or
row-level security would keep it from the index.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connections

from accounts.audit.events import POLLING, Act, ActOutcome
from accounts.tenancy.scope import current_database, current_tenant_id

_LAST = UUID(int=2**128 - 1)
MOST_ACTORS = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; None and "" ask for everything. `until` is not within the range.

    Without `polling`, entries of pages that asked by themselves how a work is getting on are left out, unless that
    act is asked for.
    """

    actor_id: str | None = None
    object_id: str = ""
    act: Act | None = None
    outcome: ActOutcome | None = None
    since: datetime | None = None
    until: datetime | None = None
    polling: bool = False

    @property
    def narrows(self) -> bool:
        """Whether anything but the time is asked for."""
        return self.actor_id is not None or bool(self.object_id or self.act or self.outcome)


class LoggedActor(NamedTuple):
    """Somebody who appears in the log, by the name of one of their entries."""

    id: str
    name: str
    kind: str


def find_ids(wanted: Wanted, *, before: UUID | None = None, limit: int = 50) -> list[UUID]:
    """The ids of the newest entries that fit, from before an entry if given."""
    return [row[0] for row in _rows(*_statement(wanted, before=before, limit=limit))]


def _statement(wanted: Wanted, *, before: UUID | None, limit: int) -> tuple[str, dict[str, Any]]:
    prefix, values = _prefix(wanted)
    values |= {
        "before": min(before or _LAST, first_id(wanted.until) if wanted.until else _LAST),
        "since": first_id(wanted.since) if wanted.since else UUID(int=0),
        "act": wanted.act,
        "outcome": wanted.outcome,
        "left_out": [] if wanted.polling or wanted.act else [str(act) for act in POLLING],
        "limit": limit,
    }
    act = "AND act = %(act)s" if wanted.act else ""
    outcome = "AND p.outcome = %(outcome)s" if wanted.outcome else ""
    # Of one act the next outcome is asked for by itself: (act, outcome) > ... beside act = x would read all of x.
    onward = "outcome > p.outcome" if wanted.act else "(act, outcome) > (p.act, p.outcome)"
    return _FIND.format(prefix=prefix, act=act, outcome=outcome, onward=onward), values


_FIND = """
WITH RECURSIVE pairs (act, outcome) AS (
    (SELECT act, outcome FROM accounts_auditentry WHERE {prefix} {act} ORDER BY act, outcome LIMIT 1)
    UNION ALL
    SELECT following.act, following.outcome FROM pairs p CROSS JOIN LATERAL (
        SELECT act, outcome FROM accounts_auditentry
        WHERE {prefix} {act} AND {onward} ORDER BY act, outcome LIMIT 1
    ) following
),
heads AS MATERIALIZED (
    SELECT p.act, p.outcome, newest.id FROM pairs p CROSS JOIN LATERAL (
        SELECT id FROM accounts_auditentry
        WHERE {prefix} AND act = p.act AND outcome = p.outcome AND id < %(before)s AND id >= %(since)s
        ORDER BY id DESC LIMIT 1
    ) newest
    WHERE p.act <> ALL(%(left_out)s::text[]) {outcome} ORDER BY newest.id DESC LIMIT %(limit)s
)
SELECT newest.id FROM heads h CROSS JOIN LATERAL (
    SELECT id FROM accounts_auditentry
    WHERE {prefix} AND act = h.act AND outcome = h.outcome AND id <= h.id
    AND id >= greatest(%(since)s, (SELECT id FROM heads ORDER BY id DESC OFFSET %(limit)s - 1 LIMIT 1))
    ORDER BY id DESC LIMIT %(limit)s
) newest
ORDER BY newest.id DESC LIMIT %(limit)s
"""


def list_actors() -> list[LoggedActor]:
    """Who appears in the open tenant's log, at most MOST_ACTORS, in the order of their ids."""
    values = {"tenant": current_tenant_id(), "most": MOST_ACTORS}
    return [LoggedActor(*row) for row in _rows(_ACTORS, values)]


_ACTORS = """
WITH RECURSIVE seen (actor_id, id, number) AS (
    (SELECT actor_id, id, 1 FROM accounts_auditentry WHERE tenant_id = %(tenant)s ORDER BY actor_id LIMIT 1)
    UNION ALL
    SELECT following.actor_id, following.id, s.number + 1 FROM seen s CROSS JOIN LATERAL (
        SELECT actor_id, id FROM accounts_auditentry
        WHERE tenant_id = %(tenant)s AND actor_id > s.actor_id ORDER BY actor_id LIMIT 1
    ) following WHERE s.number < %(most)s
)
SELECT s.actor_id, e.actor_name, e.actor_kind FROM seen s
JOIN accounts_auditentry e ON e.tenant_id = %(tenant)s AND e.id = s.id ORDER BY s.actor_id
"""


def _prefix(wanted: Wanted) -> tuple[str, dict[str, Any]]:
    conditions, values = ["tenant_id = %(tenant)s"], {"tenant": current_tenant_id()}
    chosen: dict[str, Any] = {"actor_id": wanted.actor_id, "object_id": wanted.object_id or None}
    for column, value in chosen.items():
        if value is not None:
            conditions.append(f"{column} = %({column})s")
            values[column] = value
    return " AND ".join(conditions), values


def first_id(at: datetime) -> UUID:
    """The least UUIDv7 of a time, which has whole milliseconds there."""
    milliseconds = max(0, (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1))
    return UUID(int=milliseconds << 80)


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connections[current_database()].cursor() as cursor:
        cursor.execute(sql, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
