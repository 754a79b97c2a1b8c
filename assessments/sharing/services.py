"""Grants: previewed, made, revoked by the party that shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.shared import tell_sharer
from accounts.errors import InvalidInput, NotFound
from accounts.models import Person
from accounts.tenancy.models import new_id
from accounts.webhooks.emitting import emit, emit_to
from accounts.webhooks.events import EventType
from assessments.partnerships.models import Partnership
from assessments.partnerships.reading import working_partnerships
from assessments.sharing.compose import Content, close_scope, compose
from assessments.sharing.levels import Level
from assessments.sharing.material import gather
from assessments.sharing.models import SharedPosture, SharingGrant
from assessments.sharing.publishing import PUBLISH, new_point, plan_publishing, withdraw_grants
from assessments.timers.services import set_timer


@dataclass(frozen=True, slots=True)
class Terms:
    """What is granted, and when. `begins_at` None is at once, `ends_at` None until it is revoked."""

    level: Level
    citations: tuple[str, ...]
    begins_at: datetime | None = None
    ends_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """For a signed form and the log."""
        return {
            "level": int(self.level), "citations": list(self.citations),
            "begins_at": self.begins_at.isoformat() if self.begins_at else None,
            "ends_at": self.ends_at.isoformat() if self.ends_at else None,
        }  # fmt: skip

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Terms:
        """The terms that `as_json` gave."""
        begins, ends = (
            datetime.fromisoformat(said[each]) if said[each] else None for each in ("begins_at", "ends_at")
        )
        return cls(Level(said["level"]), tuple(said["citations"]), begins, ends)


def find_upstream(partnership_id: UUID) -> Partnership:
    """The partnership in which the open tenant is the downstream party, unless it has left. Raises NotFound."""
    found: Partnership | None = working_partnerships().filter(pk=partnership_id).first()
    if found is None:
        raise NotFound("There is no such partnership.")
    return found


def find_grant(grant_id: UUID) -> SharingGrant:
    """A grant that the open tenant made. Raises NotFound."""
    found: SharingGrant | None = SharingGrant.objects.select_related("granted_by").filter(pk=grant_id).first()
    if found is None:
        raise NotFound("There is no such grant.")
    return found


def list_grants(partnership_id: UUID) -> list[SharingGrant]:
    """What the open tenant granted in a partnership, the newest first."""
    rows = SharingGrant.objects.filter(partnership_id=partnership_id).select_related("granted_by")
    return list(rows.order_by("-version"))


def preview_grant(*, partnership: Partnership, terms: Terms) -> SharedPosture:
    """The row that a grant of these terms would show now, unsaved. Raises InvalidInput."""
    grant, content = _draft(partnership, terms, timezone.now())
    return _posture(grant, content, timezone.now())


def make_grant(*, partnership: Partnership, terms: Terms, by: Person) -> SharingGrant:
    """Grants, and revokes what was granted in the partnership before. Raises InvalidInput, NotFound where it was left.

    What it shows is written with it; from then on the worker keeps it current.
    """
    now = timezone.now()
    grant, content = _draft(partnership, terms, now)
    _take_turn(partnership.pk)
    find_upstream(partnership.pk)
    before = SharingGrant.objects.select_for_update().filter(partnership_id=partnership.pk, withdrawn_at=None)
    withdraw_grants([row.pk for row in before], now)
    versions = SharingGrant.objects.filter(partnership_id=partnership.pk)
    grant.version = (versions.aggregate(last=Max("version"))["last"] or 0) + 1
    grant.granted_by = by
    grant.save()
    posture = _posture(grant, content, now)
    posture.save()
    _plan(grant, posture, content, now)
    _say(Act.SHARING_GRANT, grant, **terms.as_json())
    return grant


def _take_turn(partnership_id: UUID) -> None:
    """Grants in one partnership are made, and ended with it, one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"grant {partnership_id}"])


def _plan(grant: SharingGrant, posture: SharedPosture, content: Content, now: datetime) -> None:
    """Begins the history, or lets the worker do so when the grant begins."""
    if grant.shown_from <= now:
        new_point(posture, content, now).save()
        # An evaluation may be finishing in another transaction, which doesn't see this grant yet.
        plan_publishing(rings=False)
    else:
        set_timer(PUBLISH, grant.pk, grant.shown_from)


def revoke_grant(*, grant_id: UUID) -> SharingGrant:
    """Ends a grant from the other side's next request on. Raises NotFound where none stands by that id."""
    rows = SharingGrant.objects.select_for_update(of=("self",)).filter(pk=grant_id, withdrawn_at=None)
    grant: SharingGrant | None = rows.first()
    if grant is None:
        raise NotFound("There is no such grant.")
    grant.withdrawn_at = timezone.now()
    withdraw_grants([grant.pk], grant.withdrawn_at)
    _say(Act.SHARING_REVOKE, grant)
    return grant


def revoke_grants(*, partnership_id: UUID) -> None:
    """Ends all grants of a partnership, as where it has ended. There may be none."""
    _take_turn(partnership_id)
    for grant in SharingGrant.objects.filter(partnership_id=partnership_id, withdrawn_at=None):
        revoke_grant(grant_id=grant.pk)


def _say(act: Act, grant: SharingGrant, **details: Any) -> None:
    """In both parties' logs."""
    said = {**details, "version": grant.version}
    record(act, object_type="sharing_grant", object_id=grant.pk, partner=grant.upstream_name, **said)
    upstream: UUID = grant.viewer_id
    _emit(act, grant, upstream)
    tell_sharer(
        upstream, act, reader=grant.downstream_name, object_type="sharing_grant", object_id=grant.pk, **said
    )


def _emit(act: Act, grant: SharingGrant, upstream: UUID) -> None:
    """To both parties' webhooks."""
    event = EventType.GRANT_REVOKED
    said: dict[str, Any] = {"partnership": grant.partnership_id}
    if act is Act.SHARING_GRANT:
        event = EventType.GRANT_MADE
        said |= {"level": int(grant.level), "begins_at": grant.shown_from, "ends_at": grant.shown_until}
    emit(event, grant.pk, page=("covered-entity", grant.partnership_id), side="downstream", **said)
    emit_to(upstream, event, grant.pk, page=("shared-posture", grant.pk), side="upstream", **said)


def _draft(partnership: Partnership, terms: Terms, now: datetime) -> tuple[SharingGrant, Content]:
    citations = close_scope(terms.citations)
    begins_at = max(terms.begins_at or now, now)
    if not citations:
        raise InvalidInput("Choose at least one safeguard.", field="citations")
    if terms.ends_at is not None and terms.ends_at <= begins_at:
        raise InvalidInput("The last day is before the first, or over.", field="ends_on")
    upstream: UUID = partnership.tenant_id  # type: ignore[assignment] # a UUID
    grant = SharingGrant(
        id=new_id(), viewer_id=upstream, partnership_id=partnership.pk, citations=list(citations),
        level=terms.level, version=0, upstream_name=partnership.upstream_name,
        downstream_name=partnership.downstream_name, shown_from=begins_at, shown_until=terms.ends_at, granted_at=now,
    )  # fmt: skip
    return grant, compose(gather(terms.level), citations, terms.level, now)


def _posture(grant: SharingGrant, content: Content, now: datetime) -> SharedPosture:
    return SharedPosture(
        viewer_id=grant.viewer_id, grant_id=grant.pk, partnership_id=grant.partnership_id, level=grant.level,
        upstream_name=grant.upstream_name, downstream_name=grant.downstream_name, shown_from=grant.shown_from,
        shown_until=grant.shown_until, published_at=now, **content.times(), **content.body(),
    )  # fmt: skip
