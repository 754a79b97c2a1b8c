"""Writes what the open tenant tells up the chain: only rows that change, and so does each level above.

A change marks its tenant's ChainState and rings; computing it writes the difference, and rings for those whom it
concerns. Who takes something back doesn't wait for a worker: the levels above are computed before the request ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.gathering import no_request
from accounts.audit.log import SYSTEM, acting, record
from accounts.tenancy.scope import after_commit, current_tenant_id, open_tenant
from assessments.chain.alerts import watch_breaks
from assessments.chain.facts import Link, links_of
from assessments.chain.models import ChainConsent, ChainNode, ChainState
from assessments.chain.planning import Consented, Line, Told, plan
from assessments.chain.pseudonyms import seal_subject, subject_of_entry, subject_of_tenant
from assessments.chain.received import living_partnerships, received_nodes, told_below
from assessments.chain.words import Telling
from assessments.partnerships.models import Partnership
from assessments.timers.services import clear_timer, set_timer
from evidence.queue import ring, ring_after_commit

REFRESH_CHAIN = "tasks.chain.refresh_chain"
CHAIN_TIMER = "chain"
AT_ONCE = 50
"""How many tenants a request computes by itself after something is taken back; workers do the rest."""
_BATCH = 500


def ask_refresh() -> None:
    """Says that what the open tenant tells may have changed; a worker computes it after the commit."""
    ChainState.objects.update_or_create(defaults={"stale_at": timezone.now()})
    tenant_id = current_tenant_id()
    ring_after_commit(REFRESH_CHAIN, tenant_id, [tenant_id])


def refresh_chain() -> set[UUID]:
    """Computes what the open tenant tells and which links below it are broken; returns whom it tells something else.

    The caller sees to it that they compute theirs: `ring_upwards`, or `refresh_upwards` after the commit.
    """
    started = timezone.now()
    state = _lock_state()
    partnerships = living_partnerships()
    nodes = received_nodes(partnerships)
    links = _links()
    viewers = _write(plan(current_tenant_id(), _consented(partnerships, nodes, links)))
    watch_breaks(nodes, partnerships)
    state.computed_at, state.stale_at = started, None
    state.save()
    _set_clock(state, links.values())
    return viewers


def refresh_when_due(row_id: UUID) -> datetime | None:  # noqa: ARG001 (timers give it)
    """The timer's handler: a day has come on which a link of the open tenant changes."""
    ring_upwards(refresh_chain())
    return None


def ring_upwards(viewers: Iterable[UUID]) -> None:
    """Has workers compute what these tell, after the commit."""
    for viewer in viewers:
        ring_after_commit(REFRESH_CHAIN, viewer, [viewer])


def take_back_upwards(viewers: Collection[UUID]) -> None:
    """Has these and all above them compute what they tell, after the commit and before the request's answer."""
    after_commit(partial(refresh_upwards, list(viewers)))


def refresh_upwards(tenant_ids: Iterable[UUID]) -> int:
    """Computes level by level until nothing changes any more; returns how many tenants were computed.

    Each has a transaction of its own. What is beyond AT_ONCE is left to workers.
    """
    waiting, done = deque(tenant_ids), 0
    while waiting and done < AT_ONCE:
        with no_request(), acting(SYSTEM), open_tenant(waiting.popleft()):
            waiting.extend(refresh_chain() - set(waiting))
        done += 1
    for tenant_id in waiting:
        ring(REFRESH_CHAIN, tenant_id, [tenant_id])
    return done


def consents_in_force() -> list[ChainConsent]:
    """The open tenant's consents to partnerships that stand, of business associates that still work for it."""
    living = Partnership.received.values_list("pk", flat=True)
    found = ChainConsent.objects.filter(partnership_id__in=list(living), associate__ended_at=None)
    return list(found.select_related("associate"))


def preview(consent: ChainConsent, telling: Telling) -> dict[tuple[UUID, tuple[str, ...]], Line]:
    """What the consent's upstream party would be told in all, were this much told of its subcontractor."""
    partnerships = living_partnerships()
    nodes = received_nodes(partnerships)
    consents = [
        each
        for each in consents_in_force()
        if (each.partnership_id, each.associate_id) != (consent.partnership_id, consent.associate_id)
    ]
    consent.telling = telling
    mine = [each for each in (*consents, consent) if each.partnership_id == consent.partnership_id]
    links = links_of({each.associate_id for each in mine})
    return plan(current_tenant_id(), _consented(partnerships, nodes, links, mine))


def _links() -> dict[UUID, Link]:
    told = {each.associate_id for each in consents_in_force() if each.telling != Telling.NOTHING}
    return links_of(told)


def _lock_state() -> ChainState:
    ChainState.objects.get_or_create()
    return ChainState.objects.select_for_update().get()


def _consented(
    partnerships: dict[UUID, Partnership],
    nodes: list[ChainNode],
    links: dict[UUID, Link],
    consents: Iterable[ChainConsent] | None = None,
) -> Iterable[Consented]:
    by_associate = {each.associate_id: each for each in partnerships.values()}
    below = told_below(nodes)
    for consent in consents_in_force() if consents is None else consents:
        if consent.telling == Telling.NOTHING:
            continue
        partner = by_associate.get(consent.associate_id)
        yield Consented(
            viewer_id=consent.upstream_id, partnership_id=consent.partnership_id,
            telling=Telling(consent.telling), own=_own(consent, partner, links[consent.associate_id]),
            below=below.get(partner.pk, []) if partner else [],
        )  # fmt: skip


def _own(consent: ChainConsent, partner: Partnership | None, link: Link) -> Told:
    subject = (
        subject_of_tenant(partner.viewer_id)
        if partner
        else subject_of_entry(current_tenant_id(), consent.associate_id)
    )
    return Told(
        path=(subject,), service=consent.service, agreement=str(link.agreement), verified_at=link.verified_at,
        broken=tuple(map(str, link.broken)), name=consent.associate.name,
    )  # fmt: skip


def _write(planned: dict[tuple[UUID, tuple[str, ...]], Line]) -> set[UUID]:
    """Brings the rows that are told to what is planned; returns the viewers of those that changed."""
    now = timezone.now()
    there = {
        (row.partnership_id, tuple(row.path)): row for row in ChainNode.objects.filter(withdrawn_at=None)
    }
    fresh = [_row(line, now) for key, line in planned.items() if key not in there]
    gone = [row for key, row in there.items() if key not in planned]
    changed = [row for key, row in there.items() if key in planned and _change(row, planned[key], now)]
    for row in gone:
        # What is taken back isn't kept either: a name may be another's to tell.
        row.withdrawn_at, row.changed_at, row.name = now, now, ""
    columns = ["service", "agreement_state", "verified_at", "broken", "name", "withdrawn_at", "changed_at"]
    ChainNode.objects.bulk_create(fresh, batch_size=_BATCH)
    ChainNode.objects.bulk_update([*changed, *gone], columns, batch_size=_BATCH)
    viewers = {row.viewer_id for row in (*fresh, *changed, *gone)}
    if viewers:
        record(
            Act.CHAIN_TELL, object_type="chain", object_id=current_tenant_id(), told=len(fresh),
            changed=len(changed), withdrawn=len(gone), viewers=len(viewers),
        )  # fmt: skip
    return viewers


def _row(line: Line, now: datetime) -> ChainNode:
    return ChainNode(
        viewer_id=line.viewer_id, partnership_id=line.partnership_id, pseudonym=line.path[-1], path=list(line.path),
        depth=len(line.path), subject=seal_subject(line.viewer_id, line.subject), shown_from=now, changed_at=now,
        **line.values,
    )  # fmt: skip


def _change(row: ChainNode, line: Line, now: datetime) -> bool:
    if all(getattr(row, name) == value for name, value in line.values.items()):
        return False
    for name, value in line.values.items():
        setattr(row, name, value)
    row.changed_at = now
    return True


def _set_clock(state: ChainState, links: Iterable[Link]) -> None:
    due = min((link.changes_at for link in links if link.changes_at), default=None)
    if due is None:
        clear_timer(CHAIN_TIMER, state.pk)
    else:
        set_timer(CHAIN_TIMER, state.pk, due)
