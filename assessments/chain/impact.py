"""Who would be touched if a business associate, or one far below it, were down: computed from what the tenant knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from assessments.agreements.models import AgreementTerms
from assessments.agreements.terms import Terms, read_terms
from assessments.chain.models import ChainConsent, ChainNode
from assessments.chain.received import living_partnerships, received_nodes
from assessments.partnerships.services import working_partnerships


@dataclass(frozen=True, slots=True)
class Clock:
    """Hours that an agreement gives from an event to a notice."""

    what: str
    hours: int


@dataclass(frozen=True, slots=True)
class Touched:
    """One upstream party whose PHI is handled there, and the clocks that would begin to run towards it."""

    partnership_id: UUID
    name: str
    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class Impact:
    """What hangs on one thing. `through` are the tenant's own business associates that rely on it."""

    what: str
    through: tuple[str, ...]
    touched: tuple[Touched, ...]


def impacts(associate_id: UUID, name: str) -> list[Impact]:
    """For a business associate and everything told below it, the most shared first."""
    partnerships = living_partnerships()
    nodes = received_nodes(partnerships)
    relying: dict[str, set[UUID]] = defaultdict(set)
    for node in nodes:
        relying[_shown(node)].add(partnerships[node.partnership_id].associate_id)
    upstream = _upstream_of()
    names = {each.associate_id: each.downstream_name for each in partnerships.values()}
    mine = {_shown(node) for node in nodes if partnerships[node.partnership_id].associate_id == associate_id}
    found = [Impact(name, (), _touched([associate_id], upstream))]
    for shown in sorted(mine, key=lambda each: (-len(relying[each]), each)):
        through = sorted(relying[shown], key=lambda each: names[each])
        found.append(Impact(shown, tuple(names[each] for each in through), _touched(through, upstream)))
    return found


def _shown(node: ChainNode) -> str:
    """As the page shows it: who one business associate names isn't thereby named for another, which tells of it too."""
    return node.name or node.pseudonym


def _upstream_of() -> dict[UUID, list[Touched]]:
    """For whom each business associate handles PHI, by the tenant's own word; who is named here is the tenant's own."""
    parties = {each.pk: each for each in working_partnerships()}
    clocks = _clocks()
    found: dict[UUID, list[Touched]] = defaultdict(list)
    for consent in ChainConsent.objects.filter(partnership_id__in=list(parties)):
        party = parties[consent.partnership_id]
        found[consent.associate_id].append(Touched(party.pk, party.upstream_name, clocks.get(party.pk, ())))
    return found


def _clocks() -> dict[UUID, tuple[Clock, ...]]:
    """What the open tenant owes each upstream party, by partnership, as the agreement shown to it says."""
    shown = AgreementTerms.received.with_state()
    return {each.partnership_id: _clocks_of(read_terms(each, each.agreement_id)) for each in shown}


def _clocks_of(terms: Terms) -> tuple[Clock, ...]:
    hours = {
        "incident notice": ("incident_hours", terms.incident_hours),
        "contingency notice": ("contingency_hours", terms.contingency_hours),
    }
    return tuple(Clock(what, given) for what, (name, given) in hours.items() if name in terms.agreed)


def _touched(associates: Iterable[UUID], upstream: Mapping[UUID, Sequence[Touched]]) -> tuple[Touched, ...]:
    found = {each.partnership_id: each for associate in associates for each in upstream.get(associate, ())}
    return tuple(sorted(found.values(), key=lambda each: each.name))
