"""Findings of many tenants as they would stand, written in minutes: what a benchmark of reading needs.

Written as the superuser, with the indexes dropped meanwhile and built again from their own definitions; policies,
triggers, keys and references stay as the migrations made them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import kit
import psycopg

CHECKS, CITED, DAYS = 300, 30, 60
"""Checks a tenant; safeguards that they are evidence for, two each; days on which each such status changed."""
OTHERS = 100
TABLES = ("assessments_finding", "assessments_findingperiod")
_HURRIED = {
    "fsync": "off", "full_page_writes": "off", "autovacuum": "off", "max_wal_size": "'4GB'", "checkpoint_timeout": "'1h'",
    "maintenance_work_mem": "'512MB'",
}  # fmt: skip
_FINDINGS = f"""
    insert into assessments_finding (id, tenant_id, source, stream_id, seen_at, muted, check_id, resource_key,
      resource_arn, resource_name, resource_kind, region, scope, severity, outcome, observed, missing_action,
      first_seen_at, since, gone_at)
    select uuidv7(), tenant_id, 'prowler', stream_id, at, n %% 97 = 0, 'prowler:check_' || turn %% {CHECKS},
      md5(n::text), 'arn:aws:s3:::bucket-' || turn / {CHECKS} || '-' || turn %% 4096, 'bucket-' || turn / {CHECKS},
      (array['AwsS3Bucket', 'AwsEc2Instance', 'AwsIamRole'])[1 + n %% 3], region, region,
      (array['critical', 'high', 'medium', 'low'])[1 + turn %% {CHECKS} %% 4],
      case when n %% 10 < 3 then 'FAIL' when n %% 10 < 9 then 'PASS' else 'UNKNOWN' end,
      'check_' || turn %% {CHECKS} || ' was looked at: bucket-' || turn / {CHECKS} || ' has no such setting.', '',
      at - interval '90 days', case n %% 10 when 0 then at - interval '7 days' else at - interval '90 days' end,
      case n %% 50 when 0 then at end
    from (
      select n, n / slots as turn, tenant_id, stream_id, now() - make_interval(secs => n %% 86400) as at,
        (array['us-east-1', 'us-west-2', 'eu-west-1'])[1 + n %% 3] as region
      from generate_series(%s::bigint, %s::bigint) n
      join (select *, count(*) over () as slots from bench_slot) mine on slot = n %% slots
    ) said
"""
_PERIODS = """
    insert into assessments_findingperiod
      (id, tenant_id, finding_id, outcome, observed, valid_from, valid_to, recorded_at)
    select uuidv7(), tenant_id, id, case when which = 1 then outcome else 'UNKNOWN' end, observed,
      case which when 1 then since else first_seen_at end, case which when 1 then gone_at else since end, now()
    from assessments_finding, generate_series(1, case when since > first_seen_at then 2 else 1 end) which
    where assessments_finding.ctid >= %s::tid and assessments_finding.ctid < %s::tid
"""
_CHECKS = f"""
    insert into assessments_submittedcheck (id, tenant_id, stream_id, check_id, title, severity, citations, passed,
      failed, unknown, not_applicable, weighing, muted)
    select uuidv7(), tenant_id, stream_id, check_id, 'What ' || check_id || ' is about', min(severity),
      array[(%s::text[])[1 + substring(check_id from '[0-9]+$')::int %% {CITED}],
        (%s::text[])[1 + (substring(check_id from '[0-9]+$')::int + 7) %% {CITED}]],
      count(*) filter (where outcome = 'PASS'), count(*) filter (where outcome = 'FAIL'),
      count(*) filter (where outcome = 'UNKNOWN'), 0, count(*) filter (where outcome = 'FAIL' and severity <> 'low'),
      count(*) filter (where muted)
    from assessments_finding where gone_at is null group by tenant_id, stream_id, check_id
"""
_HISTORY = f"""
    insert into assessments_safeguardstatus
      (id, tenant_id, citation, status, reasons, coverage, valid_from, valid_to, recorded_at)
    select uuidv7(), tenant_id, citation, status, reasons, coverage, valid_from - make_interval(days => day + 1),
      valid_from - make_interval(days => day), now()
    from assessments_safeguardstatus, generate_series(0, {DAYS - 1}) day
    where valid_to is null and coverage->>'total' <> '0'
"""


def fill(state: Path, tenant: UUID, *, own: int, others: int) -> dict[str, float]:
    """Fills an empty database with findings of the tenant and of OTHERS more; the seconds that each step took."""
    from portal.embedded import Role, postgres_address

    address = postgres_address(state).dsn(Role.SUPERUSER)
    took: dict[str, float] = {}
    with psycopg.connect(address, autocommit=True) as database, _hurried(database):
        with _timed(took, "tenants"):
            _make_slots(database, tenant, own=own, others=others)
        dropped = [each for table in reversed(TABLES) for each in _drop_indexes(database, table)]
        half = (own + others) // 2
        with _timed(took, "findings"):
            _at_once(address, [(_FINDINGS, [1, half]), (_FINDINGS, [half + 1, own + others])])
        with _timed(took, "periods"):
            _at_once(address, [(_PERIODS, pages) for pages in _halves(database)])
        with _timed(took, "indexes"):
            _at_once(address, [(each, None) for each in dropped])
        with _timed(took, "checks"):
            database.execute(_CHECKS, [cited()] * 2)
        with _timed(took, "vacuum"):
            database.execute("vacuum (analyze)")
        with _timed(took, "statuses"):
            _write_statuses(database)
            database.execute(_HISTORY)
            database.execute("vacuum (analyze) assessments_safeguardstatus")
    return took


@contextmanager
def _timed(took: dict[str, float], step: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    took[step] = round(time.perf_counter() - began, 1)
    print(f"filling: {step}, {took[step]:.0f} s", flush=True)


@contextmanager
def _hurried(database: Any) -> Iterator[None]:
    """Nothing is kept from a loss of power until the end, when everything is on the disk."""
    for name, value in _HURRIED.items():
        database.execute(f"alter system set {name} = {value}")
    database.execute("select pg_reload_conf()")
    yield
    database.execute("drop table bench_slot")
    database.execute("checkpoint")
    os.sync()
    database.execute("alter system reset all")
    database.execute("select pg_reload_conf()")


def _make_slots(database: Any, tenant: UUID, *, own: int, others: int) -> None:
    """Tenants with a stream each. Findings are dealt to slots in turn, so that those of all tenants lie mixed."""
    from accounts.tenancy.scope import open_tenant
    from evidence.models import SubmissionStream

    mine = max(1, round(OTHERS * own / others)) if others else 1
    tenants = [tenant, *(kit.make_tenant(f"other-{number}") for number in range(OTHERS if others else 0))]
    database.execute("create table bench_slot (slot int, tenant_id uuid, stream_id uuid)")
    slot = 0
    for each in tenants:
        with open_tenant(each):
            stream = SubmissionStream.objects.create(producer="prowler", name="filled").pk
        for _ in range(mine if each == tenant else 1):
            database.execute("insert into bench_slot values (%s, %s, %s)", [slot, each, stream])
            slot += 1
    database.execute("analyze bench_slot")


def _drop_indexes(database: Any, table: str) -> list[str]:
    """Drops the table's indexes, except those that references lead to; statements that make them again.

    A constraint against overlaps comes back as the index that it is: to read it makes no difference, and PostgreSQL
    would look for an overlap of each of millions of rows again.
    """
    exclusions = database.execute(
        "select conname, pg_get_indexdef(conindid) from pg_constraint where conrelid = %s::regclass and contype = 'x'",
        [table],
    ).fetchall()
    indexes = database.execute(
        "select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index where indrelid = %s::regclass"
        " and not exists (select from pg_constraint where conindid = indexrelid)",
        [table],
    ).fetchall()
    for name, _definition in exclusions:
        database.execute(f"alter table {table} drop constraint {name}")
    for name, _definition in indexes:
        database.execute(f"drop index {name}")
    return [definition for _name, definition in [*exclusions, *indexes]]


def _at_once(address: str, statements: Sequence[tuple[str, Any]]) -> None:
    """Runs the statements on two connections, on which no trigger fires (references are right by making)."""
    waiting = list(statements)
    errors: list[psycopg.Error] = []

    def work() -> None:
        with psycopg.connect(address, autocommit=True) as database:
            database.execute("set session_replication_role = replica")
            while waiting and not errors:
                statement, given = waiting.pop(0)
                try:
                    database.execute(statement, given)
                except psycopg.Error as error:
                    errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _halves(database: Any) -> list[list[str]]:
    """The pages of the findings' table in two ranges."""
    size = database.execute("select pg_relation_size('assessments_finding') / 8192").fetchone()[0]
    return [["(0,0)", f"({size // 2},0)"], [f"({size // 2},0)", f"({size},0)"]]


def cited() -> list[str]:
    """Safeguards of the Rule that other tools' checks are evidence for, as prowler's mapping has about thirty."""
    from assessments.rule.model import SECURITY_RULE

    technical = [each for each in SECURITY_RULE if each.startswith("164.312")]
    return [*technical, *SECURITY_RULE][:CITED]


def _write_statuses(database: Any) -> None:
    from django.utils import timezone

    from accounts.tenancy.scope import open_tenant
    from assessments.statuses import take_turn, write_statuses

    for (tenant,) in database.execute("select distinct tenant_id from bench_slot").fetchall():
        with open_tenant(tenant):
            take_turn()
            write_statuses(timezone.now())
