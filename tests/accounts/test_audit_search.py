"""The search finds what a plain reading of all entries would, for every combination of filters, in every page."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta

import pytest
from django.db import connection

from accounts.audit import search
from accounts.audit.actors import Actor, acting
from accounts.audit.events import Act, ActorKind, ActOutcome
from accounts.audit.log import record
from accounts.audit.models import AuditEntry
from accounts.audit.search import Wanted, find_ids, list_actors
from accounts.tenancy.scope import open_tenant
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)

ACTORS = ("ada", "ben", "cyn")
ACTS = (Act.SIGN_IN, Act.EVIDENCE_READ, Act.MEMBER_ADD, Act.PROGRESS_READ)
OBJECTS = ("o1", "o2", "o3")


@pytest.fixture(scope="module")
def filled(django_db_setup, django_db_blocker):
    draw = random.Random(3)
    with django_db_blocker.unblock():
        tenant, other = make_tenant(), make_tenant()
        for place, count in ((tenant, 300), (other, 50)):
            with open_tenant(place.pk):
                for _ in range(count):
                    who = draw.choice(ACTORS)
                    with acting(Actor(ActorKind.PERSON, who, f"{who}@example.org")):
                        record(
                            draw.choice(ACTS), object_type="thing", object_id=draw.choice(OBJECTS),
                            outcome=draw.choices(list(ActOutcome), [9, 1, 1])[0],
                        )  # fmt: skip
    return tenant


def _fits(entry: AuditEntry, wanted: Wanted) -> bool:
    return (
        wanted.actor_id in {None, entry.actor_id}
        and wanted.object_id in {"", entry.object_id}
        and wanted.act in {None, entry.act}
        and wanted.outcome in {None, entry.outcome}
        and (wanted.since is None or entry.occurred_at >= wanted.since)
        and (wanted.until is None or entry.occurred_at < wanted.until)
        and (wanted.polling or wanted.act is not None or entry.act != Act.PROGRESS_READ)
    )


def _combinations(entries: list[AuditEntry]):
    middle = entries[150].occurred_at.replace(microsecond=entries[150].occurred_at.microsecond // 1000 * 1000)
    times = ((None, None), (middle, None), (None, middle), (middle, middle + timedelta(milliseconds=20)))
    for actor, act, thing, outcome, (since, until), polling in itertools.product(
        (None, "ada", "nobody"), (None, Act.MEMBER_ADD, Act.PROGRESS_READ), ("", "o2", "none"),
        (None, ActOutcome.FAILED), times, (False, True),
    ):  # fmt: skip
        yield Wanted(actor, thing, act, outcome, since, until, polling)


def test_every_combination_finds_what_a_plain_reading_finds(filled):
    with open_tenant(filled.pk):
        entries = sorted(AuditEntry.objects.all(), key=lambda entry: entry.pk, reverse=True)
        for wanted in _combinations(entries):
            expected = [entry.pk for entry in entries if _fits(entry, wanted)]
            found: list = []
            while page := find_ids(wanted, before=found[-1] if found else None, limit=40):
                found += page
            assert found == expected, wanted


def test_the_actors_of_the_log_are_listed_once_each(filled):
    with open_tenant(filled.pk):
        assert [(actor.id, actor.name) for actor in list_actors()] == [
            (who, f"{who}@example.org") for who in ACTORS
        ]


@pytest.mark.parametrize("wanted", [Wanted(), Wanted("ada"), Wanted(object_id="o1"), Wanted("ada", "o1")])
def test_the_search_reads_indexes_alone_under_row_level_security(filled, wanted):
    """No operator in it may keep an index from being used before the policy."""
    with open_tenant(filled.pk), connection.cursor() as cursor:
        statement, values = search._statement(wanted, before=None, limit=51)
        cursor.execute("set local enable_seqscan = off")
        cursor.execute("set local enable_bitmapscan = off")
        cursor.execute(f"explain {statement}", values)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    scans = [line for line in plan.splitlines() if "Scan" in line and "accounts_auditentry" in line]
    assert scans
    assert all("Index" in line for line in scans), plan
    assert "Filter: (tenant_id" not in plan
