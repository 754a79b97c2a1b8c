"""Joins rows to the findings of a stream, whatever the order in which documents come.

A finding says what was seen last: an older word never replaces a newer one, and of two words of one time the worse
counts. A document that is complete ends the findings that it doesn't have. Whoever merges holds the tenant's turn
(assessments.services), so that nobody else writes these findings meanwhile.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from accounts.tenancy.scope import current_tenant_id
from assessments.models import FindingPeriod, SubmittedCheck
from assessments.submitted.rows import COLUMNS, SEPARATOR, CheckSaid, Columns
from evidence.formats.kit.outcomes import Severity
from evidence.models import AwsConnection, Submission, SubmissionStream

SEVERITIES = tuple(str(each) for each in Severity)
"""The worst first."""
COUNTED = ("passed", "failed", "unknown", "not_applicable", "weighing", "muted")
_BY_OUTCOME = {"PASS": "passed", "FAIL": "failed", "UNKNOWN": "unknown", "NOT_APPLICABLE": "not_applicable"}

_ARRAYS = ", ".join(
    f"string_to_array(%({name})s, chr({ord(SEPARATOR)}))"
    if kind == "text"
    else f"string_to_array(%({name})s, chr({ord(SEPARATOR)}), '')::{kind}[]"
    for name, kind in COLUMNS.items()
)
_GIVEN = f"""
    given as materialized (
        select g.*, (%(connections)s::jsonb ->> g.account)::uuid as connection_id
        from unnest({_ARRAYS}) with ordinality as g({", ".join(COLUMNS)}, place) where place > 1
    )
"""  # noqa: S608 (constants)
_WORD = (
    "{0}.seen_at, array_position(array['NOT_APPLICABLE', 'PASS', 'UNKNOWN', 'FAIL'], {0}.outcome::text),"
    ' {0}.muted, {0}.severity collate "C", {0}.observed collate "C"'
)
"""Which of two words counts: the newest, and of one time as assessments.submitted.rows says it."""
_JOIN = f"""
    with {_GIVEN}, joined as (
        insert into assessments_finding as f (
            id, tenant_id, connection_id, source, stream_id, submission_id, seen_at, muted, check_id, resource_key,
            resource_arn, resource_name, resource_kind, region, scope, severity, outcome, observed, missing_action,
            first_seen_at, since, gone_at)
        select uuidv7(), %(tenant)s, g.connection_id, %(source)s, %(stream)s, %(submission)s, g.at, g.muted, g.check_id,
            g.resource_key, g.arn, g.name, g.kind, g.region, g.region, g.severity, g.outcome, g.observed, '',
            g.at, g.at, case when g.at < %(complete_at)s::timestamptz then %(complete_at)s::timestamptz end
        from given g
        on conflict (tenant_id, stream_id, check_id, resource_key) where stream_id is not null do update set
            outcome = excluded.outcome, observed = excluded.observed, severity = excluded.severity,
            muted = excluded.muted, seen_at = excluded.seen_at, resource_name = excluded.resource_name,
            resource_kind = excluded.resource_kind, connection_id = excluded.connection_id,
            submission_id = excluded.submission_id,
            since = case when f.outcome <> excluded.outcome or f.gone_at <= excluded.seen_at
                then excluded.seen_at else f.since end,
            gone_at = case when excluded.seen_at < %(complete_at)s::timestamptz then coalesce(
                case when f.gone_at > excluded.seen_at then f.gone_at end, %(complete_at)s::timestamptz) end
        where ({_WORD.format("excluded")}) > ({_WORD.format("f")})
        returning old.id is null as born, new.id, new.check_id, new.outcome, new.observed, new.severity, new.muted,
            new.gone_at, old.outcome as was, old.severity as was_severity, old.muted as was_muted,
            old.gone_at is not null as was_gone, new.seen_at, old.observed <> new.observed as reworded
    ), told as (
        insert into assessments_findingperiod (
            id, tenant_id, finding_id, submission_id, outcome, observed, valid_from, valid_to, recorded_at)
        select uuidv7(), %(tenant)s, id, %(submission)s, outcome, observed, seen_at, gone_at, now()
        from joined where born
    )
    select 1, id, check_id, outcome, observed, severity, muted, gone_at is not null, was, was_severity, was_muted,
        was_gone, seen_at, reworded
    from joined where not born and (reworded or (outcome, severity, muted, gone_at is not null)
        is distinct from (was, was_severity, was_muted, was_gone))
    union all
    select count(*), null, check_id, outcome, '', severity, muted, gone_at is not null, '', '', false, false,
        null, false
    from joined where born group by check_id, outcome, severity, muted, gone_at is not null
"""  # noqa: S608 (constants)
"""Findings that say something else, one by one; and how many new ones there are of a kind, without an id."""
_END = """
    update assessments_finding f set gone_at = %(at)s
    where tenant_id = %(tenant)s and stream_id = %(stream)s and gone_at is null and seen_at < %(at)s
    returning id, check_id, outcome, severity, muted
"""


class _Moved(NamedTuple):
    """A finding that says something else than before."""

    id: UUID
    check_id: str
    outcome: str
    observed: str
    severity: str
    muted: bool
    gone: bool
    was: str
    was_severity: str
    was_muted: bool
    was_gone: bool
    at: datetime
    reworded: bool


@dataclass(slots=True)
class Merged:
    """How many findings are new, say something else, are gone; `appeared` fail and didn't, `fixed` pass and failed.

    `by_check`: how the numbers of each check change.
    """

    opened: int = 0
    changed: int = 0
    gone: int = 0
    appeared: int = 0
    fixed: int = 0
    by_check: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))

    def counts(self) -> dict[str, int]:
        """As JSON."""
        return {
            "opened": self.opened, "changed": self.changed, "gone": self.gone, "appeared": self.appeared,
            "fixed": self.fixed,
        }  # fmt: skip


class Merge:
    """One document's joining. Call `take` for each batch, then `finish`."""

    def __init__(self, submission: Submission, stream: SubmissionStream, source: str) -> None:
        self.merged = Merged()
        self._submission, self._stream = submission, stream
        self._fixed: dict[str, Any] = {
            "tenant": current_tenant_id(), "stream": stream.pk, "submission": submission.pk, "source": source,
            "complete_at": stream.complete_at,
        }  # fmt: skip
        live = AwsConnection.objects.filter(removed_at=None).values_list("aws_account_id", "pk")
        self._fixed["connections"] = json.dumps({account: str(pk) for account, pk in live})

    def take(self, columns: Columns) -> None:
        """Joins some rows, in which each finding stands once."""
        with connection.cursor() as cursor:
            cursor.execute(_JOIN, {**self._fixed, **columns})
            rows = [(number, _Moved(*row)) for number, *row in cursor.fetchall()]
        moved = [each for _number, each in rows if each.id]
        self._keep_periods(moved)
        for each in moved:
            self._count_moved(each)
        for number, each in rows:
            if not each.id:
                self._count_born(each, number)

    def finish(self, checks: dict[str, CheckSaid], *, complete_at: datetime | None) -> None:
        """Ends what a complete document of a time doesn't have, and keeps the checks' numbers."""
        if complete_at is not None:
            self._end(complete_at)
            if self._stream.complete_at is None or self._stream.complete_at < complete_at:
                self._stream.complete_at = complete_at
                self._stream.save(update_fields=["complete_at"])
        self._keep_checks(checks)

    def _keep_periods(self, moved: Iterable[_Moved]) -> None:
        """Of what is there; a word about a finding that is gone by now changes no period."""
        told = [
            each
            for each in moved
            if not each.gone and (each.reworded or each.outcome != each.was or each.was_gone)
        ]
        ids, times = [each.id for each in told], [each.at for each in told]
        with connection.cursor() as cursor:
            # Words of the same time take turns in one period, since a period isn't empty.
            cursor.execute(
                "delete from assessments_findingperiod p using unnest(%s::uuid[], %s::timestamptz[]) as g(id, at)"
                " where p.tenant_id = %s and p.finding_id = g.id and p.valid_to is null and p.valid_from = g.at",
                [ids, times, current_tenant_id()],
            )
            cursor.execute(
                "update assessments_findingperiod p set valid_to = g.at"
                " from unnest(%s::uuid[], %s::timestamptz[]) as g(id, at)"
                " where p.tenant_id = %s and p.finding_id = g.id and p.valid_to is null",
                [ids, times, current_tenant_id()],
            )
        FindingPeriod.objects.bulk_create(
            FindingPeriod(
                finding_id=each.id, submission=self._submission, outcome=each.outcome, observed=each.observed,
                valid_from=each.at,
            )
            for each in told
        )  # fmt: skip

    def _count_born(self, each: _Moved, number: int) -> None:
        self._count(each.check_id, each.outcome, each.severity, each.muted, 0 if each.gone else number)
        self.merged.opened += number
        self.merged.appeared += number if each.outcome == "FAIL" and not each.gone else 0

    def _count_moved(self, each: _Moved) -> None:
        self._count(each.check_id, each.was, each.was_severity, each.was_muted, 0 if each.was_gone else -1)
        self._count(each.check_id, each.outcome, each.severity, each.muted, 0 if each.gone else 1)
        self.merged.changed += 1
        failed, fails = each.was == "FAIL" and not each.was_gone, each.outcome == "FAIL" and not each.gone
        self.merged.appeared += fails and not failed
        self.merged.fixed += failed and each.outcome == "PASS"

    def _count(self, check_id: str, outcome: str, severity: str, muted: bool, number: int) -> None:  # noqa: FBT001
        if not number:
            return
        change = self.merged.by_check[check_id]
        change[_BY_OUTCOME[outcome]] += number
        change["weighing"] += number if outcome == "FAIL" and severity != "low" else 0
        change["muted"] += number if muted else 0

    def _end(self, at: datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_END, {**self._fixed, "at": at})
            ended = cursor.fetchall()
            cursor.execute(
                "update assessments_findingperiod set valid_to = %s"
                " where tenant_id = %s and finding_id = any(%s) and valid_to is null",
                [at, current_tenant_id(), [row[0] for row in ended]],
            )
        for _id, check_id, outcome, severity, muted in ended:
            self._count(check_id, outcome, severity, muted, -1)
        self.merged.gone += len(ended)

    def _keep_checks(self, checks: dict[str, CheckSaid]) -> None:
        stands = {row.check_id: row for row in SubmittedCheck.objects.filter(stream=self._stream)}
        rows = {
            check_id: stands.get(check_id) or SubmittedCheck(stream=self._stream, check_id=check_id)
            for check_id in {*checks, *self.merged.by_check}
        }
        changed = [row for check_id, row in rows.items() if self._update(row, checks.get(check_id))]
        SubmittedCheck.objects.bulk_create(
            (row for row in changed if row.check_id not in stands), batch_size=1000
        )
        _write_checks([row for row in changed if row.check_id in stands])

    def _update(self, row: SubmittedCheck, said: CheckSaid | None) -> bool:
        """Takes up what the document changes; whether anything did."""
        before = (row.title, row.severity, row.citations)
        numbers = self.merged.by_check.get(row.check_id, {})
        for name, number in numbers.items():
            setattr(row, name, getattr(row, name) + number)
        if said is not None:
            row.citations = sorted({*row.citations, *said.citations})
            row.title = said.title or row.title
            row.severity = min(row.severity or "low", said.severity, key=SEVERITIES.index)
        return any(numbers.values()) or before != (row.title, row.severity, row.citations)


def _write_checks(rows: Sequence[SubmittedCheck]) -> None:
    """Hundreds of rows in one statement."""
    columns = {"title": "text", "severity": "text", **dict.fromkeys(COUNTED, "int")}
    given = [[getattr(row, name) for row in rows] for name in columns]
    names = ", ".join(columns)
    arrays = ", ".join(f"%s::{kind}[]" for kind in columns.values())
    with connection.cursor() as cursor:
        cursor.execute(
            f"update assessments_submittedcheck c set ({names}, citations)"  # noqa: S608 (constants)
            f" = ({', '.join(f'g.{name}' for name in columns)}, string_to_array(g.citations, ','))"
            f" from unnest(%s::uuid[], {arrays}, %s::text[]) as g(id, {names}, citations)"
            " where c.tenant_id = %s and c.id = g.id",
            [
                [row.pk for row in rows],
                *given,
                [",".join(row.citations) for row in rows],
                current_tenant_id(),
            ],
        )
