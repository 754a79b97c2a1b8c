"""Writes what the open tenant tells up the chain: only rows that change, and so does each level above.

A change marks its tenant's ChainState and rings; computing it writes the difference, and rings for those whom it
concerns. Who takes something back doesn't wait for a worker: the levels above are computed before the request ends.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
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
from assessments.partners.models import BusinessAssociate
from assessments.partnerships.models import Partnership
from assessments.partnerships.services import working_partnerships
from assessments.timers.services import clear_timer, set_timer
from evidence.queue import ring, ring_after_commit

REFRESH_CHAIN = "tasks.chain.refresh_chain"
CHAIN_TIMER = "chain"
AT_ONCE, LONGEST_SECONDS = 50, 3
"""How many tenants a request computes after something is taken back, and for how long; workers do the rest."""
AT_LEAST_EVERY = timedelta(days=1)
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
    told = [each for each in consents_in_force() if each.telling != Telling.NOTHING]
    links = links_of({each.associate_id for each in told})
    viewers = _write(plan(current_tenant_id(), _consented(partnerships, nodes, links, told)))
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

    Each has a transaction of its own. What is beyond AT_ONCE or LONGEST_SECONDS is left to workers.
    """
    waiting, done, until = deque(tenant_ids), 0, time.monotonic() + LONGEST_SECONDS
    while waiting and done < AT_ONCE and time.monotonic() < until:
        with no_request(), acting(SYSTEM), open_tenant(waiting.popleft()):
            waiting.extend(refresh_chain() - set(waiting))
        done += 1
    for tenant_id in waiting:
        ring(REFRESH_CHAIN, tenant_id, [tenant_id])
    return done


def consents_in_force() -> list[ChainConsent]:
    """The open tenant's consents to partnerships that stand, of business associates that still work for it."""
    found = list(ChainConsent.objects.filter(partnership_id__in=working_partnerships().values("pk")))
    working = BusinessAssociate.objects.filter(ended_at=None).in_bulk({each.associate_id for each in found})
    for consent in found:
        if consent.associate_id in working:
            consent.associate = working[consent.associate_id]
    return [consent for consent in found if consent.associate_id in working]


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


def _lock_state() -> ChainState:
    ChainState.objects.get_or_create()
    return ChainState.objects.select_for_update().get()


def _consented(
    partnerships: dict[UUID, Partnership],
    nodes: list[ChainNode],
    links: dict[UUID, Link],
    consents: Iterable[ChainConsent],
) -> Iterable[Consented]:
    by_associate = {each.associate_id: each for each in partnerships.values()}
    below = told_below(nodes)
    for consent in consents:
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
    changed = {key: row for key, row in there.items() if key in planned and _differs(row, planned[key])}
    ChainNode.objects.bulk_create(fresh, batch_size=_BATCH)
    # What is taken back isn't kept either: a name may be another's to tell.
    _update(gone, withdrawn_at=now, changed_at=now, name="")
    _write_changed(changed, planned, now)
    viewers = {row.viewer_id for row in (*fresh, *changed.values(), *gone)}
    if viewers:
        record(
            Act.CHAIN_TELL, object_type="chain", object_id=current_tenant_id(), told=len(fresh),
            changed=len(changed), withdrawn=len(gone), viewers=len(viewers),
        )  # fmt: skip
    return viewers


def _write_changed(
    changed: Mapping[tuple[UUID, tuple[str, ...]], ChainNode],
    planned: Mapping[tuple[UUID, tuple[str, ...]], Line],
    now: datetime,
) -> None:
    """One statement for all rows that come to say the same: mostly those of one subcontractor, for many viewers."""
    alike: dict[str, list[ChainNode]] = defaultdict(list)
    values: dict[str, dict[str, object]] = {}
    for key, row in changed.items():
        said = repr(planned[key].values)
        values[said] = planned[key].values
        alike[said].append(row)
    for said, rows in alike.items():
        _update(rows, changed_at=now, **values[said])


def _update(rows: Sequence[ChainNode], **values: object) -> None:
    if rows:
        ChainNode.objects.filter(pk__in=[row.pk for row in rows]).update(**values)


def _row(line: Line, now: datetime) -> ChainNode:
    return ChainNode(
        viewer_id=line.viewer_id, partnership_id=line.partnership_id, pseudonym=line.path[-1], path=list(line.path),
        depth=len(line.path), subject=seal_subject(line.viewer_id, line.subject), shown_from=now, changed_at=now,
        **line.values,
    )  # fmt: skip


def _differs(row: ChainNode, line: Line) -> bool:
    return any(getattr(row, name) != value for name, value in line.values.items())


def _set_clock(state: ChainState, links: Iterable[Link]) -> None:
    """Looks again when a link changes by the calendar, and once a day for what nobody rang for."""
    tomorrow = timezone.now() + AT_LEAST_EVERY
    due = [min(link.changes_at or tomorrow, tomorrow) for link in links]
    if due:
        set_timer(CHAIN_TIMER, state.pk, min(due))
    else:
        clear_timer(CHAIN_TIMER, state.pk)
