"""The end of a partnership: by the upstream party, which owns it, or by the downstream one, which leaves."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import acting
from accounts.audit.shared import tell_sharer
from accounts.errors import Conflict, NotFound
from accounts.notices import site_link
from accounts.tenancy.scope import after_commit, open_tenant, savepoint
from assessments.partnerships.joining import WATCH, WATCH_EVERY, actor_for, record_relation
from assessments.partnerships.mail import tell_officials
from assessments.partnerships.models import Partnership, PartnershipDeparture
from assessments.partnerships.signals import Relation, Side, partnership_ended
from assessments.timers.services import clear_timer


def end_partnership(*, associate_id: UUID, reason: str) -> Partnership:
    """Ends the open tenant's partnership with an entry of its register; the downstream party reads it no more.

    The reason is the upstream party's own note. Raises NotFound where none stands.
    """
    found = Partnership.objects.filter(associate=associate_id, withdrawn_at=None)
    partnership = found.select_for_update().first()
    if partnership is None:
        raise NotFound("There is no partnership to end.")
    partnership.withdrawn_at, partnership.ended_reason = timezone.now(), reason.strip()
    partnership.save(update_fields=["withdrawn_at", "ended_reason"])
    relation = Relation(partnership.pk, Side.UPSTREAM, partnership.viewer_id, partnership.downstream_name)
    record_relation(Act.PARTNERSHIP_END, relation)
    partnership_ended.send(sender=Partnership, relation=relation)
    _tell(
        relation,
        f"The partnership with {relation.other_name} was ended by your organisation.",
        site_link("business-associate-detail", partnership.associate_id),
    )
    _settle_after_commit(partnership)
    return partnership


def leave_partnership(*, partnership_id: UUID, reason: str) -> PartnershipDeparture:
    """Says to the upstream party that the open tenant works for it no more; what it was shown, others take back.

    Raises NotFound, or Conflict where it was said already.
    """
    partnership = Partnership.received.filter(pk=partnership_id).first()
    if partnership is None:
        raise NotFound("There is no such covered entity.")
    try:
        with savepoint():
            departure: PartnershipDeparture = PartnershipDeparture.objects.create(
                viewer_id=partnership.upstream_id, partnership_id=partnership.pk, reason=reason.strip(),
                downstream_name=partnership.downstream_name,
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict(f"Your organisation has left {partnership.upstream_name} already.") from error
    relation = Relation(partnership.pk, Side.DOWNSTREAM, partnership.upstream_id, partnership.upstream_name)
    record_relation(Act.PARTNERSHIP_LEAVE, relation)
    partnership_ended.send(sender=PartnershipDeparture, relation=relation)
    text = f"Your organisation left the partnership with {relation.other_name}."
    _tell(relation, text, site_link("covered-entity", partnership.pk))
    _tell_upstream_after_commit(partnership)
    return departure


def watch_partnership(row_id: UUID) -> datetime | None:
    """Looks in the downstream tenant whether the partnership still stands; settles its end where nothing else did."""
    if Partnership.received.filter(pk=row_id).exists():
        return timezone.now() + WATCH_EVERY
    _settle(Relation(row_id, Side.DOWNSTREAM))
    return None


def _settle_after_commit(partnership: Partnership) -> None:
    """One transaction serves one tenant: the downstream side follows, and its timer is there if that fails."""
    # Its log says so even then.
    tell_sharer(
        partnership.viewer_id, Act.PARTNERSHIP_END, reader=partnership.upstream_name, object_type="partnership",
        object_id=partnership.pk,
    )  # fmt: skip
    after_commit(partial(_settle_downstream, partnership))


def _settle_downstream(partnership: Partnership) -> None:
    relation = Relation(partnership.pk, Side.DOWNSTREAM, partnership.upstream_id, partnership.upstream_name)
    with (
        acting(actor_for(partnership.upstream_id, partnership.upstream_name)),
        open_tenant(partnership.viewer_id),
    ):
        _settle(relation)
        clear_timer(WATCH, partnership.pk)
        text = f"{relation.other_name} ended the partnership with your organisation."
        _tell(relation, text, site_link("covered-entity-list"))


def _settle(relation: Relation) -> None:
    record_relation(Act.PARTNERSHIP_END, relation)
    partnership_ended.send(sender=Partnership, relation=relation)


def _tell_upstream_after_commit(partnership: Partnership) -> None:
    tell_sharer(
        partnership.upstream_id, Act.PARTNERSHIP_LEAVE, reader=partnership.downstream_name, object_type="partnership",
        object_id=partnership.pk,
    )  # fmt: skip
    after_commit(partial(_tell_upstream, partnership))


def _tell_upstream(partnership: Partnership) -> None:
    relation = Relation(partnership.pk, Side.UPSTREAM, partnership.viewer_id, partnership.downstream_name)
    text = f"{relation.other_name} left the partnership. What it shared with you is no longer shown."
    with open_tenant(partnership.upstream_id):
        # Only the upstream party reads which entry of its register it is.
        own = Partnership.objects.get(pk=partnership.pk)
        _tell(relation, text, site_link("business-associate-detail", own.associate_id))


def _tell(relation: Relation, text: str, url: str) -> None:
    tell_officials(subject=f"The partnership with {relation.other_name} in Surety", text=text, url=url)
