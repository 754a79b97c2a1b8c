"""What the open tenant is told of subcontractors below its own business associates, while the partnerships stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db.models import Count, Q
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


def count_told(*, most: int) -> list[tuple[Partnership, int, int]]:
    """Partnerships under which something is told: of how many subcontractors, how many links of them are broken.

    Those with broken links come first, then by name; at most as many as are asked for.
    """
    living = living_partnerships()
    counted = {"known": Count("pk"), "broken_links": Count("pk", filter=~Q(broken=[]))}
    rows = ChainNode.received.order_by().values_list("partnership_id", "tenant_id").annotate(**counted)
    found = [
        (living[key], known, broken)
        for key, tenant_id, known, broken in rows
        if key in living and living[key].viewer_id == tenant_id
    ]
    return sorted(found, key=lambda row: (-row[2], row[0].downstream_name.casefold(), row[0].pk))[:most]


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
