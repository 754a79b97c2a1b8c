"""Rows for bench/portfolio.py: covered entities with their business associates, and what these show, to others too.

Written by COPY as the superuser, from the models themselves, so that a column that is missing fails here.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import psycopg

NOW = dt.datetime.now(dt.UTC)
CITATIONS = 22
POINTS = 8


def copy(database: psycopg.Connection[Any], rows: Iterable[Any]) -> None:
    """Writes instances of one model."""
    from django.db import connection

    rows = list(rows)
    if not rows:
        return
    meta = type(rows[0])._meta
    fields = meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    with (
        database.cursor() as cursor,
        cursor.copy(f'COPY "{meta.db_table}" ({columns}) FROM STDIN') as sheet,
    ):
        for row in rows:
            sheet.write_row(
                [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
            )


def tenants(name: str, kind: str, count: int) -> list[Any]:
    """Tenants that nobody is a member of."""
    from django.utils.text import slugify

    from accounts.models import Tenant

    return [
        Tenant(name=f"{name} {number}", slug=f"{slugify(name)}-{number}", kind=kind)
        for number in range(count)
    ]


def associates(owner: UUID, count: int, draw: random.Random) -> list[Any]:
    """A register."""
    from assessments.models import BusinessAssociate
    from assessments.partners.tiers import Reach, Volume

    made = []
    for number in range(count):
        row = BusinessAssociate(
            tenant_id=owner, reference=f"V-{number}", name=f"Vendor {draw.randrange(10**6):06}",
            services=draw.choice(["Claims and statements", "Hosting", "Transcription of dictated notes"]),
            receives=True, maintains=draw.random() < 0.4, volume=draw.choice(list(Volume)), reach=draw.choice(list(Reach)),
        )  # fmt: skip
        row.tier = row.explained_tier.number
        made.append(row)
    return made


def partnership(upstream: Any, associate: Any, downstream: Any) -> Any:
    """A relation of the two."""
    from assessments.models import Partnership

    return Partnership(
        tenant_id=upstream.pk, viewer_id=downstream.pk, associate_id=associate.pk, upstream_name=upstream.name,
        downstream_name=downstream.name, shown_from=NOW - dt.timedelta(days=400),
    )  # fmt: skip


def around(
    register: Sequence[Any], relations: Sequence[Any], granter: UUID, draw: random.Random
) -> Iterator[Any]:
    """What else there is of each business associate."""
    for associate in register:
        yield from agreement(associate, draw)
    for relation in relations:
        yield from shown(relation, granter, draw)
        yield from nodes(relation, draw)
        yield from notices(relation, granter, draw)
        yield from verified(relation, draw)
        yield from departure(relation, draw)


def agreement(associate: Any, draw: random.Random) -> Iterator[Any]:
    """A signed agreement of nine in ten; some have ended, some end soon."""
    from assessments.agreements.models import last_day
    from assessments.models import Agreement

    if draw.random() < 0.9:
        ends = (NOW + dt.timedelta(days=draw.choice([-20, 45, 300, 600, 700]))).date()
        made = Agreement(
            tenant_id=associate.tenant_id, associate_id=associate.pk, stage="signed", ends_on=ends,
            effective_from=(NOW - dt.timedelta(days=400)).date(), other_party=associate.name,
        )  # fmt: skip
        made.last_on = last_day(made)
        yield made


def nodes(relation: Any, draw: random.Random) -> Iterator[Any]:
    """Two subcontractors of every other one, few of them broken."""
    from assessments.models import ChainNode

    for number in range(draw.choice([0, 2])):
        pseudonym = f"{draw.randrange(16**8):08x}"
        yield ChainNode(
            tenant_id=relation.viewer_id, viewer_id=relation.tenant_id, partnership_id=relation.pk, pseudonym=pseudonym,
            service="hosting", agreement_state="in_force", broken=["agreement"] if draw.random() < 0.03 else [],
            depth=1, path=[pseudonym], subject=b"", shown_from=NOW - dt.timedelta(days=number + 1),
        )  # fmt: skip


def notices(relation: Any, person: UUID, draw: random.Random) -> Iterator[Any]:
    """One in ten has told of something, two in three of which somebody has acknowledged."""
    from assessments.models import Acknowledgement, Notice, Occurrence

    for number in range(draw.choice([0] * 9 + [3])):
        at = NOW - dt.timedelta(days=20 * number + draw.randrange(20))
        fixed = {
            "kind": "incident",
            "title": "A stolen laptop",
            "zone": "America/New_York",
            "sent_at": at,
            "discovered_at": at,
        }
        happened = Occurrence(tenant_id=relation.viewer_id, side="associate", sent_by_id=person, **fixed)
        notice = Notice(
            tenant_id=relation.viewer_id, viewer_id=relation.tenant_id, partnership_id=relation.pk, occurrence_id=happened.pk,
            sender_name=relation.downstream_name, recipient_name=relation.upstream_name, rule="164.410(b)", shown_from=at,
            due_at=at + dt.timedelta(days=60), **fixed,
        )  # fmt: skip
        yield from (happened, notice)
        if number < 2:
            yield Acknowledgement(
                tenant_id=relation.tenant_id, viewer_id=relation.viewer_id, partnership_id=relation.pk, notice_id=notice.pk,
                by_id=person, by_name="Gil Moss", shown_from=at, at=at,
            )  # fmt: skip


def verified(relation: Any, draw: random.Random) -> Iterator[Any]:
    """Six in ten have delivered a verification, one before it too; most were received."""
    from accounts.tenancy.models import new_id
    from assessments.models import VerificationDelivery, VerificationReceipt

    for back in range(draw.choice([0, 0, 1, 1, 2])):
        at = NOW - dt.timedelta(days=365 * back + draw.choice([20, 200, 350, 370]))
        common = {"partnership_id": relation.pk, "shown_from": at}
        delivery = VerificationDelivery(
            **common, tenant_id=relation.viewer_id, viewer_id=relation.tenant_id, packet_id=new_id(), year=at.year,
            sender_name=relation.downstream_name, recipient_name=relation.upstream_name, title="Verification",
            state="superseded" if back else "current", certified_at=at, delivered_at=at, rule_set="current",
            due_on=(at + dt.timedelta(days=365)).date(), sha256="0" * 64, expert_name="Ida Fern",
            expert_qualification="CISSP", officer_name="Gil Moss", officer_title="Officer", evidenced=20, gaps=1,
            not_evidenced=5,
        )  # fmt: skip
        yield delivery
        if draw.random() < 0.8:
            yield VerificationReceipt(
                **common, tenant_id=relation.tenant_id, viewer_id=relation.viewer_id, delivery_id=delivery.pk,
                answer="received", by_name="Ada Moss", received_at=at,
            )  # fmt: skip


def departure(relation: Any, draw: random.Random) -> Iterator[Any]:
    """One in fifty has left."""
    from assessments.models import PartnershipDeparture

    if draw.random() < 0.02:
        yield PartnershipDeparture(
            tenant_id=relation.viewer_id, viewer_id=relation.tenant_id, partnership_id=relation.pk,
            downstream_name=relation.downstream_name, reason="The service ends", left_at=NOW, shown_from=NOW,
        )  # fmt: skip


def shown(relation: Any, granter: UUID, draw: random.Random) -> Iterator[Any]:
    """What the downstream party of a partnership shows of itself: a posture with its history, one time in five not."""
    from assessments.models import SharedPosture, SharedPosturePoint, SharingGrant

    if draw.random() < 0.2:
        return
    common = {
        "tenant_id": relation.viewer_id, "viewer_id": relation.tenant_id, "partnership_id": relation.pk,
        "shown_from": NOW - dt.timedelta(days=300),
    }  # fmt: skip
    names = {"upstream_name": relation.upstream_name, "downstream_name": relation.downstream_name}
    citations = [f"164.312(a)({number})" for number in range(CITATIONS)]
    grant = SharingGrant(**common, **names, citations=citations, level=2, version=1, granted_by_id=granter)
    yield grant
    statuses = [
        {"citation": citation, "status": "satisfied", "why": "Evidenced by 3 checks."}
        for citation in citations
    ]
    yield SharedPosture(
        **common, **names, **_counts(draw), grant_id=grant.pk, level=2, as_of=NOW, published_at=NOW, digest="0" * 64,
        oldest_evidence_at=NOW - dt.timedelta(days=draw.choice([0, 2, 10, 45])), statuses=statuses,
    )  # fmt: skip
    for number in range(POINTS):
        at = NOW - dt.timedelta(days=10 * number + draw.randrange(9))
        yield SharedPosturePoint(**common, **_counts(draw), grant_id=grant.pk, at=at)


def _counts(draw: random.Random) -> dict[str, int]:
    gaps = draw.choice([0, 0, 0, 1, 3])
    return {
        "evidenced": 15 - gaps, "gaps": gaps, "not_evidenced": 5, "undetermined": 2,
        "required_gaps": 1 if gaps == 3 else 0,
    }  # fmt: skip
