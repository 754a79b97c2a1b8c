"""The tab "Subcontractors" of a business associate's page, and the one of a covered entity's page."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.audit.events import Act
from accounts.audit.shared import tell_sharer
from assessments.chain.graph import Seen, draw, listed
from assessments.chain.impact import impacts
from assessments.chain.models import ChainAlert, ChainNode
from assessments.chain.received import living_partnerships, received_nodes
from assessments.chain.words import Break, LinkAgreement, Service
from assessments.partners.models import BusinessAssociate
from assessments.partnerships.models import Partnership

MOST_SHOWN = 500
_ALERTS = 20


def tab_context(associate: BusinessAssociate) -> dict[str, Any]:
    """The chain below a business associate of the open tenant, in the words in which it is told."""
    partnerships = {
        key: each for key, each in living_partnerships().items() if each.associate_id == associate.pk
    }
    found = received_nodes(partnerships)
    for partnership in partnerships.values():
        tell_sharer(
            partnership.viewer_id, Act.CHAIN_READ, reader=partnership.upstream_name, object_type="partnership",
            object_id=partnership.pk, shown=len(found),
        )  # fmt: skip
    return {
        "associate": associate,
        "takes_part": bool(partnerships),
        "alerts": alerts_of(associate, partnerships, found),
        "impacts": impacts(associate.pk, associate.name),
        **chain_context(associate.name, [see(node) for node in found], role="your business associate"),
    }


def mirror_context(partnership: Partnership) -> dict[str, Any]:
    """What the open tenant tells the party of a received partnership: the same rows that it sees."""
    seen = [see(node) for node in told_to(partnership)]
    return {"partnership": partnership, **chain_context(partnership.downstream_name, seen, role="you")}


def told_to(partnership: Partnership) -> list[ChainNode]:
    """The rows that the party sees now."""
    told = ChainNode.objects.filter(
        partnership_id=partnership.pk, viewer_id=partnership.tenant_id, withdrawn_at=None
    )
    return list(told.order_by("depth", "pseudonym"))


def chain_context(root: str, seen: Sequence[Seen], *, role: str) -> dict[str, Any]:
    """What the chain's template takes: `drawing`, `nodes` in the order of the tree, and how many aren't listed."""
    return {
        "drawing": draw(root, seen, role=role), "nodes": listed(root, seen)[:MOST_SHOWN],
        "not_listed": max(0, len(seen) - MOST_SHOWN),
    }  # fmt: skip


def see(node: ChainNode) -> Seen:
    """A row as it is drawn and listed."""
    return Seen(
        path=tuple(node.path), service=Service(node.service), agreement=LinkAgreement(node.agreement_state),
        verified_at=node.verified_at, broken=tuple(Break(each) for each in node.broken), name=node.name,
    )  # fmt: skip


def alerts_of(
    associate: BusinessAssociate, living: Collection[UUID], nodes: Iterable[ChainNode]
) -> list[dict[str, Any]]:
    """Its newest alerts, those that stand first; with a name only while that is told.

    One of a partnership that isn't `living` stands no more, whenever that is written down.
    """
    names = {(node.partnership_id, tuple(node.path)): node.name for node in nodes}
    found = ChainAlert.objects.filter(
        Q(ended_at__isnull=False) | Q(partnership_id__in=list(living)), associate=associate
    ).order_by("-began_at")[:_ALERTS]
    shown = [
        {
            "alert": alert,
            "who": names.get((alert.partnership_id, tuple(alert.path))) or alert.pseudonym,
            "reasons": " and ".join(Break(reason).sentence for reason in alert.reasons),
        }
        for alert in found
    ]
    return sorted(shown, key=lambda each: each["alert"].ended_at is not None)
