"""What the open tenant is told of subcontractors below its own business associates, while the partnerships stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.tenancy.scope import current_tenant_id
from assessments.chain.models import ChainNode
from assessments.chain.planning import Told
from assessments.chain.pseudonyms import unseal_subject
from assessments.partnerships.models import Partnership


def living_partnerships() -> dict[UUID, Partnership]:
    """The open tenant's partnerships with those that work for it, by id; without those that have ended."""
    now = timezone.now()
    living = Partnership.objects.filter(
        Q(shown_until=None) | Q(shown_until__gt=now), withdrawn_at=None, shown_from__lte=now
    )
    return {each.pk: each for each in living}


def received_nodes(partnerships: Mapping[UUID, Partnership]) -> list[ChainNode]:
    """What is told under these partnerships by the party that each is with, the nearest first."""
    found = ChainNode.received.filter(partnership_id__in=list(partnerships)).order_by("depth", "pseudonym")
    return [node for node in found if node.tenant_id == partnerships[node.partnership_id].viewer_id]


def told_below(nodes: Iterable[ChainNode]) -> dict[UUID, list[Told]]:
    """The nodes by partnership, as they are passed on. One whose way isn't told isn't passed on either."""
    viewer = current_tenant_id()
    by_partnership: dict[UUID, list[ChainNode]] = defaultdict(list)
    for node in nodes:
        by_partnership[node.partnership_id].append(node)
    return {
        partnership_id: list(_told(viewer, together)) for partnership_id, together in by_partnership.items()
    }


def _told(viewer: UUID, nodes: list[ChainNode]) -> Iterable[Told]:
    subjects = {node.pseudonym: unseal_subject(viewer, bytes(node.subject)) for node in nodes}
    for node in nodes:
        if all(step in subjects for step in node.path):
            yield Told(
                path=tuple(subjects[step] for step in node.path), service=node.service,
                agreement=node.agreement_state, verified_at=node.verified_at, broken=tuple(node.broken),
                name=node.name,
            )  # fmt: skip
