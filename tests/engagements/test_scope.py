"""An auditor sees exactly what an oracle of a few lines allows: random engagements over random evidence, by HTTP.

The oracle knows the rows in Python and the terms of each engagement; it shares no query with the portal.
"""

from __future__ import annotations

import json
import os
import random
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import Person, Tenant
from accounts.tenancy.scope import AUDITOR, open_tenant
from assessments.checks.base import checks
from assessments.engagements import scope
from assessments.models import Engagement, EngagementAuditor, Finding, FindingPeriod
from assessments.rule.model import SECURITY_RULE
from evidence import vault
from evidence.models import AwsConnection, CollectionUnit, Snapshot
from tests.accounts.factories import sign_in
from tests.engagements.factories import make_auditor, make_engagement, midnight
from tests.factories import make_connection, make_run, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)

ENGAGEMENTS = int(os.environ.get("SURETY_TEST_ENGAGEMENTS", "6"))
"""How many are drawn. A thousand take a quarter of an hour."""
CHECKS = (
    "s3_bucket_versioning",
    "iam_root_mfa",
    "kms_key_rotation",
    "vpc_flow_logs",
    "rds_instance_not_public",
)
COLLECTORS = ("s3", "iam", "kms", "vpc", "rds")
DAYS = 40


@dataclass(frozen=True)
class World:
    """What there is, as Python sees it."""

    tenant: Tenant
    auditor: Person
    connections: list[AwsConnection]
    snapshots: dict[UUID, tuple[UUID, str, list[datetime]]]
    """By id: connection, collector, when it was seen."""
    findings: dict[UUID, tuple[UUID, str, list[tuple[datetime, datetime | None, str]]]]
    """By id: connection, check, its periods with their outcomes."""
    vault: Any


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory) -> World:
    from django.test import override_settings

    directory = tmp_path_factory.mktemp("vault")
    with django_db_blocker.unblock(), override_settings(VAULT_DIRECTORY=directory):
        tenant = make_tenant()
        connections = [make_connection(tenant, name=f"account {number}") for number in range(3)]
        chance = random.Random(7)
        with open_tenant(tenant.pk):
            snapshots = dict(_snapshot(tenant, chance, each) for each in connections for _ in range(12))
            findings = dict(_finding(chance, each) for each in connections for _ in range(15))
        return World(tenant, make_auditor(tenant), connections, snapshots, findings, directory)


@pytest.fixture(autouse=True)
def _vault_of_the_world(world, vault_directory, settings):
    settings.VAULT_DIRECTORY = world.vault


def _moment(chance: random.Random) -> datetime:
    """Often a day's very edge, where a period that ends a moment too late would show."""
    edge = chance.choice([timedelta(0), timedelta(microseconds=-1), timedelta(hours=chance.randrange(24))])
    return midnight(chance.randrange(1, DAYS)) + edge


def _snapshot(tenant: Tenant, chance: random.Random, aws: AwsConnection) -> tuple[UUID, Any]:
    seen = sorted(_moment(chance) for _ in range(chance.randrange(1, 4)))
    collector = chance.choice(COLLECTORS)
    sealed = vault.seal(
        json.dumps({"calls": {}, "gaps": [], "n": secrets.token_hex(8)}).encode(),
        tenant_id=tenant.pk,
        media_type="application/json",
    )
    run = make_run(tenant, aws, state="finished", started_at=seen[0], finished_at=seen[0], units_total=1)
    snapshot = Snapshot.objects.create(
        connection=aws, run=run, blob=sealed.keep(), collector=collector, collector_version=1, region="global",
        aws_account_id=aws.aws_account_id, gap_count=0, provenance={}, collected_at=seen[0], sealed_at=seen[0],
    )  # fmt: skip
    for at in seen:
        again = make_run(tenant, aws, state="finished", started_at=at, finished_at=at, units_total=1)
        CollectionUnit.objects.create(
            run=again, collector=collector, region="global", state="done", snapshot=snapshot, collected_at=at
        )
    return snapshot.pk, (aws.pk, collector, seen)


def _finding(chance: random.Random, aws: AwsConnection) -> tuple[UUID, Any]:
    check_id = chance.choice(CHECKS)
    edges = sorted({_moment(chance) for _ in range(chance.randrange(2, 5))})
    last = None if chance.random() < 0.6 else edges.pop()
    ends = [*edges[1:], last]
    finding = Finding.objects.create(
        connection=aws, check_id=check_id, resource_key=secrets.token_hex(16), resource_arn="arn:aws:x:::y",
        resource_name=secrets.token_hex(8), region="us-east-1", scope="global", severity="high", outcome="PASS",
        observed="now", first_seen_at=edges[0], since=edges[-1], gone_at=last,
    )  # fmt: skip
    periods = []
    for begin, end in zip(edges, ends, strict=True):
        outcome = chance.choice(["PASS", "FAIL", "UNKNOWN"])
        if end is None or begin < end:
            FindingPeriod.objects.create(
                finding=finding, outcome=outcome, observed=f"observed {secrets.token_hex(6)}", valid_from=begin, valid_to=end
            )  # fmt: skip
            periods.append((begin, end, outcome))
    return finding.pk, (aws.pk, check_id, periods)


def draw_engagement(world: World, chance: random.Random) -> Engagement:
    """Terms of every kind: wide and narrow, open, over, not yet open, ended, of another auditor."""
    first, last = sorted(chance.sample(range(1, DAYS), 2))
    now = timezone.now()
    access = chance.choice([(-1, 30)] * 5 + [(-9, -1), (1, 9)])
    citations = chance.choice([None, chance.sample(sorted(SECURITY_RULE), chance.randrange(1, 6))])
    mine = [each.pk for each in world.connections]
    return make_engagement(
        world.tenant,
        *([world.auditor] if chance.random() < 0.85 else []),
        citations=citations,
        connection_ids=chance.choice([None, chance.sample(mine, chance.randrange(1, 3))]),
        period_from=midnight(last).date(),
        period_to=midnight(first).date(),
        opens_at=now + timedelta(days=access[0]),
        closes_at=now + timedelta(days=access[1]),
        ended_at=now if chance.random() < 0.1 else None,
    )


class Oracle:
    """What one engagement shows."""

    def __init__(self, world: World, engagement: Engagement, *, named: bool) -> None:
        self._world, self._its = world, engagement
        now = timezone.now()
        self.open = (
            named and engagement.ended_at is None and engagement.opens_at <= now < engagement.closes_at
        )
        self._from = datetime.combine(engagement.period_from, datetime.min.time(), UTC)
        self._to = datetime.combine(engagement.period_to, datetime.min.time(), UTC) + timedelta(days=1)
        chosen = set(engagement.citations if engagement.citations is not None else SECURITY_RULE)
        self.citations = {c for c in SECURITY_RULE if c in chosen or SECURITY_RULE[c].parent in chosen}
        self.checks = {check.id for check in checks().values() if self.citations & set(check.supports)}
        self._collectors = {name for check_id in self.checks for name in checks()[check_id].collectors}

    def _connected(self, connection_id: UUID) -> bool:
        return self._its.connection_ids is None or connection_id in self._its.connection_ids

    def snapshots(self) -> set[UUID]:
        return {
            key
            for key, (aws, collector, seen) in self._world.snapshots.items()
            if self._connected(aws)
            and collector in self._collectors
            and any(self._from <= at < self._to for at in seen)
        }

    def findings(self) -> set[UUID]:
        return {
            key
            for key, (aws, check_id, periods) in self._world.findings.items()
            if self._connected(aws)
            and check_id in self.checks
            and any(begin < self._to and (end is None or end > self._from) for begin, end, _ in periods)
        }

    def standing(self) -> dict[UUID, str]:
        """The outcome of each finding as of the end of the period."""
        at = min(self._to, timezone.now())
        return {
            key: outcome
            for key in self.findings()
            for begin, end, outcome in self._world.findings[key][2]
            if begin <= at and begin < self._to and (end is None or end > at)
        }


def test_an_auditor_sees_exactly_what_the_oracle_allows(world):
    chance = random.Random(secrets.randbelow(10**9))
    client = sign_in(world.auditor)
    seen_something, drawn = False, 0
    while drawn < ENGAGEMENTS or not seen_something:
        drawn += 1
        engagement = draw_engagement(world, chance)
        with open_tenant(world.tenant.pk):
            named = EngagementAuditor.objects.filter(engagement=engagement).exists()
        oracle = Oracle(world, engagement, named=named)
        _compare_queries(world, engagement, oracle)
        seen_something |= _compare_pages(world, client, engagement, oracle, chance)


def _compare_queries(world: World, engagement: Engagement, oracle: Oracle) -> None:
    with open_tenant(world.tenant.pk, using=AUDITOR):
        assert {row.pk for row in scope.open_engagements(world.auditor.pk)} >= (
            {engagement.pk} if oracle.open else set()
        )
        assert set(scope.snapshots(engagement).values_list("pk", flat=True)) == oracle.snapshots()
        assert set(scope.findings(engagement).values_list("pk", flat=True)) == oracle.findings()
        standing = scope.standing_periods(engagement).values_list("finding", "outcome")
        assert dict(standing) == oracle.standing()
        assert scope.citations(engagement) == oracle.citations


def _compare_pages(
    world: World, client: Any, engagement: Engagement, oracle: Oracle, chance: random.Random
) -> bool:
    base = f"/auditor/{engagement.pk}/"
    assert (str(engagement.pk) in client.get("/auditor/").content.decode()) == oracle.open
    asked: list[tuple[str, bool]] = [
        ("", True),
        ("evidence/", True),
        ("safeguards/", True),
        ("requests/", True),
    ]
    asked += [
        (f"evidence/{key}/download/", key in oracle.snapshots()) for key in _some(world.snapshots, chance)
    ]
    asked += [(f"findings/{key}/", key in oracle.findings()) for key in _some(world.findings, chance)]
    asked += [(f"safeguards/{key}/", key in oracle.citations) for key in _some(SECURITY_RULE, chance)]
    asked += [(f"checks/{key}/", key in oracle.checks) for key in _some(checks(), chance)]
    for path, allowed in asked:
        answer = client.get(base + path)
        assert answer.status_code == (200 if allowed and oracle.open else 404), (path, vars(engagement))
    if oracle.open:
        _compare_lists(world, client, base, oracle)
    return oracle.open and bool(oracle.snapshots())


def _compare_lists(world: World, client: Any, base: str, oracle: Oracle) -> None:
    page = client.get(f"{base}evidence/").content.decode()
    shown = {UUID(found) for found in re.findall(r"/evidence/([0-9a-f-]{36})/", page)}
    assert shown == oracle.snapshots()  # fewer than a page of them
    links = set(re.findall(r"/safeguards/([^/\"?]+)/\"", client.get(f"{base}safeguards/").content.decode()))
    assert {link.replace("%28", "(").replace("%29", ")") for link in links} == oracle.citations
    for check_id in oracle.checks & set(CHECKS):
        for outcome in ("PASS", "FAIL", "UNKNOWN"):
            page = client.get(f"{base}checks/{check_id}/?outcome={outcome}").content.decode()
            expected = {
                key
                for key, said in oracle.standing().items()
                if said == outcome and world.findings[key][1] == check_id
            }
            found = {UUID(each) for each in re.findall(r"/findings/([0-9a-f-]{36})/", page)}
            assert found == expected or (not expected and found <= set(oracle.standing()))


def _some(things: Any, chance: random.Random, number: int = 4) -> list[Any]:
    return chance.sample(list(things), number)


def test_an_auditor_reaches_no_other_engagements_requests_and_samples(world):
    from tests.architecture.everything import make_everything

    its = make_everything()
    auditor = make_auditor(its.tenant)
    mine = make_engagement(its.tenant, auditor)
    client = sign_in(auditor)
    for path in (
        f"requests/{its.asked.pk}/", f"samples/{its.sample.pk}/", f"requests/{its.asked.pk}/say/",
        f"samples/{its.sample.pk}/draw/", f"samples/{its.sample.pk}/items/{its.item.pk}/result/",
        f"samples/{its.sample.pk}/items/{its.item.pk}/replace/",
    ):  # fmt: skip
        for engagement in (mine.pk, its.engagement.pk):
            ask = client.get if path.count("/") == 2 else client.post
            assert ask(f"/auditor/{engagement}/{path}").status_code == 404, path
