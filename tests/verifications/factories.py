"""A business associate with evidence, the covered entities that it works for, and packets at each state."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.models import Person, Tenant
from accounts.tenancy.scope import open_tenant
from assessments.models import Partnership, SafeguardStatus, VerificationDelivery, VerificationPacket
from assessments.verifications.services import certifying, delivering, drafting
from evidence import vault
from evidence.models import CollectionUnit, Snapshot
from tests.factories import make_connection, make_run
from tests.partnerships.factories import make_partnership

ENCRYPTION, TRANSMISSION = "164.312(a)(2)(iv)", "164.312(e)(1)"
CHECK = "s3_bucket_versioning"
DEADLINE_SECONDS = 300


def make_evidence(tenant: Tenant) -> Snapshot:
    """A collected account: one thing evidenced, one gap, one call that AWS refused."""
    aws = make_connection(tenant)
    now = timezone.now()
    run = make_run(tenant, aws, state="finished", verdict="partial", finished_at=now, units_total=1)
    payload = {"collector": "s3", "version": 1, "region": "global", "calls": {}, "gaps": []}
    with open_tenant(tenant.pk):
        blob = vault.seal(
            json.dumps(payload).encode(), tenant_id=tenant.pk, media_type="application/json"
        ).keep()
        snapshot = Snapshot.objects.create(
            connection=aws, run=run, blob=blob, collector="s3", collector_version=1, region="global", gap_count=1,
            aws_account_id=aws.aws_account_id, provenance={}, collected_at=now, sealed_at=now,
        )  # fmt: skip
        record(Act.EVIDENCE_SEAL, object_type="snapshot", object_id=snapshot.pk, commitment="c0" * 32)
        gap = {"operation": "GetBucketPolicy", "reason": "denied", "action": "s3:GetBucketPolicy"}
        CollectionUnit.objects.create(
            run=run,
            collector="s3",
            region="global",
            state="done",
            snapshot=snapshot,
            gaps=[gap],
            collected_at=now,
        )
    set_status(tenant, ENCRYPTION, "satisfied", passed=4)
    set_status(tenant, TRANSMISSION, "not_satisfied", failed=2, unknown=1)
    return snapshot


def set_status(tenant: Tenant, citation: str, status: str, **tally: int) -> None:
    """The safeguard's status from now on."""
    now = timezone.now()
    counts = {"passed": 0, "failed": 0, "unknown": 0, "not_applicable": 0, **tally}
    total = sum(counts.values())
    with open_tenant(tenant.pk):
        SafeguardStatus.objects.filter(citation=citation, valid_to=None).update(valid_to=now)
        SafeguardStatus.objects.create(
            citation=citation, status=status, valid_from=now,
            coverage={"decided": total - counts["unknown"], "total": total},
            reasons={"why": f"{citation} says why.", "needs": [], "checks": [{"check_id": CHECK, "weighs": True, **counts}]},
        )  # fmt: skip


def make_relation(upstream: Tenant, downstream: Tenant, *, age_days: int = 0) -> Partnership:
    """A relation that began some days ago."""
    relation = make_partnership(upstream, downstream)
    if age_days:
        began = timezone.now() - timedelta(days=age_days)
        with _Unfixed(), open_tenant(upstream.pk):
            Partnership.objects.filter(pk=relation.pk).update(began_at=began)
        relation.began_at = began
    return relation


class _Unfixed:
    """Lets a test write when a relation began, which nobody can in the product."""

    def __enter__(self) -> None:
        self._alter("disable")

    def __exit__(self, *_: object) -> None:
        self._alter("enable")

    def _alter(self, how: str) -> None:
        import psycopg
        from django.db import connection

        from tests.conftest import superuser_dsn

        with psycopg.connect(superuser_dsn(connection.settings_dict["NAME"]), autocommit=True) as database:
            database.execute(f"alter table assessments_partnership {how} trigger immutable_columns")


def draft(tenant: Tenant, person: Person, **terms: Any) -> VerificationPacket:
    """A drafted packet."""
    with open_tenant(tenant.pk):
        given = drafting.PacketTerms(**{"title": "Verification 2026", **terms})
        return drafting.draft_packet(terms=given, person=person)


def review(packet: VerificationPacket, person: Person, name: str = "Edda Stone") -> None:
    """The expert's review of today."""
    with open_tenant(packet.tenant_id):
        drafting.review_packet(
            packet_id=packet.pk, name=name, qualification="CISSP", on=timezone.now().date(), person=person
        )


def certify(packet: VerificationPacket, person: Person) -> VerificationPacket:
    """The officer's certification."""
    with open_tenant(packet.tenant_id):
        tenant = Tenant.objects.get(pk=str(packet.tenant_id))
        return certifying.certify_packet(
            packet_id=packet.pk, person=person, tenant=tenant, title="CIO", authority="Board, 3 March 2026"
        )


def deliver(packet: VerificationPacket) -> VerificationPacket:
    """Is the worker until nothing is left to do."""
    deadline = timezone.now() + timedelta(seconds=DEADLINE_SECONDS)
    while timezone.now() < deadline:
        if delivering.deliver_packet(tenant_id=packet.tenant_id, packet_id=packet.pk) is None:
            return fresh(packet)
        threading.Event().wait(0.05)
    raise AssertionError("the sealer did not sign")


def deliver_new(tenant: Tenant, person: Person, **terms: Any) -> VerificationPacket:
    """A packet from its draft to its deliveries."""
    packet = draft(tenant, person, **terms)
    review(packet, person)
    return deliver(certify(packet, person))


def fresh(packet: VerificationPacket) -> VerificationPacket:
    """The row as it is now."""
    with open_tenant(packet.tenant_id):
        return VerificationPacket.objects.get(pk=packet.pk)


def delivery_to(tenant: Tenant, packet_id: UUID) -> VerificationDelivery:
    """What a covered entity got."""
    with open_tenant(tenant.pk):
        return VerificationDelivery.received.get(packet_id=packet_id)
