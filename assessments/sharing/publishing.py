"""Writes what grants show, in the worker: after an evaluation, and when a grant begins."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import Q
from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.tenancy.scope import current_database, current_tenant_id
from assessments.partnerships.models import Partnership
from assessments.sharing.compose import Composer, Content
from assessments.sharing.levels import Level
from assessments.sharing.material import gather
from assessments.sharing.models import SharedPosture, SharedPosturePoint, SharingGrant
from assessments.timers.services import set_timer

PUBLISH = "sharing.publish"
"""The kind of timer that publishes: its row is the tenant, or a grant that begins later."""
_BATCH, _CONTENTS = 1000, 100
_SOON = timedelta(milliseconds=1)

Scope = tuple[tuple[str, ...], Level]


@dataclass(frozen=True, slots=True)
class Published:
    """How many grants stand, how many contents they share, and how many rows were written anew."""

    grants: int
    contents: int
    changed: int
    points: int


def plan_publishing(*, rings: bool) -> None:
    """Has the open tenant's grants published, if it has any; with `rings` now, else when the sweeper looks."""
    if SharingGrant.objects.filter(withdrawn_at=None).exists():
        due = timezone.now() if rings else timezone.now() + _SOON
        set_timer(PUBLISH, current_tenant_id(), due)


def run_publishing(_row_id: UUID) -> datetime | None:
    """The timer's handler."""
    publish_grants()
    return None


def publish_grants() -> Published:
    """Brings the rows of every grant that holds up to date; each distinct scope and level is composed once.

    Grants of partnerships that have ended are withdrawn.
    """
    now = timezone.now()
    grants = _standing(now)
    if not grants:
        return Published(0, 0, 0, 0)
    composer = Composer(gather(max(level for _citations, level in grants.values())), now)
    contents = {scope: composer.compose(*scope) for scope in set(grants.values())}
    changed, points = _write({pk: contents[scope] for pk, scope in grants.items()}, now)
    if changed:
        record(
            Act.SHARING_PUBLISH, object_type="page", object_id="sharing", grants=len(grants), changed=changed
        )
    return Published(len(grants), len(contents), changed, points)


def _standing(now: datetime) -> dict[UUID, Scope]:
    """The scope of each grant that holds now."""
    open_now = Q(shown_until=None) | Q(shown_until__gt=now)
    rows = SharingGrant.objects.filter(open_now, withdrawn_at=None, shown_from__lte=now)
    found = {pk: (of, (tuple(citations), Level(level))) for pk, of, citations, level in rows.values_list(
        "pk", "partnership_id", "citations", "level")}  # fmt: skip
    partners = set(Partnership.received.values_list("pk", flat=True))
    ended = [pk for pk, (of, _scope) in found.items() if of not in partners]
    withdraw_grants(ended, now)
    return {pk: scope for pk, (of, scope) in found.items() if of in partners}


def withdraw_grants(grant_ids: Iterable[UUID], now: datetime) -> None:
    """Ends grants and all that was shown by them, in the open tenant's transaction."""
    ids = list(grant_ids)
    if ids:
        SharingGrant.objects.filter(pk__in=ids, withdrawn_at=None).update(withdrawn_at=now)
        for model in (SharedPosture, SharedPosturePoint):
            model.objects.filter(grant_id__in=ids, withdrawn_at=None).update(withdrawn_at=now)


def _write(wanted: dict[UUID, Content], now: datetime) -> tuple[int, int]:
    """Writes what differs; returns how many rows changed and how many points were added.

    The rows are locked first, so that a revocation comes wholly before, and its rows are left out, or wholly after.
    """
    rows = _locked(wanted)
    changed = {row.pk for row in rows if row.digest != wanted[row.grant_id].digest}
    begun = {row.pk for row in rows if row.published_at < row.shown_from}
    points = [row for row in rows if row.pk in begun or _counts_differ(row, wanted[row.grant_id])]
    SharedPosturePoint.objects.bulk_create(
        (new_point(row, wanted[row.grant_id], now) for row in points), batch_size=_BATCH
    )
    timed = {row.pk for row in rows if row.level >= Level.COUNTS} | begun
    _update((row for row in rows if row.pk in changed), wanted, now, whole=True)
    _update((row for row in rows if row.pk in timed - changed), wanted, now, whole=False)
    return len(changed), len(points)


def _locked(wanted: Iterable[UUID]) -> list[SharedPosture]:
    big = ("statuses", "findings", "evidence", "collected")
    rows = SharedPosture.objects.filter(grant_id__in=list(wanted), withdrawn_at=None)
    return list(rows.defer(*big).order_by("pk").select_for_update())


def _counts_differ(row: SharedPosture, content: Content) -> bool:
    return any(getattr(row, name) != number for name, number in content.counts().items())


def _update(
    rows: Iterable[SharedPosture], wanted: dict[UUID, Content], now: datetime, *, whole: bool
) -> None:
    """Some statements for all rows; the text of what several of them show goes to the database once."""
    groups: dict[int, list[SharedPosture]] = defaultdict(list)
    for row in rows:
        groups[id(wanted[row.grant_id])].append(row)
    said = []
    for same in groups.values():
        content = wanted[same[0].grant_id]
        values = {**content.times(), **(content.body() if whole else {}), "published_at": now}
        said.append({**values, "row_ids": [row.pk for row in same]})
    for start in range(0, len(said), _CONTENTS):
        _write_contents(said[start : start + _CONTENTS])


def _write_contents(said: list[dict[str, Any]]) -> None:
    """Writes contents, each a mapping of the same columns, into the rows that its `row_ids` name."""
    columns = [name for name in said[0] if name != "row_ids"]
    using = connections[current_database()]
    types = [SharedPosture._meta.get_field(name).db_type(using) for name in columns]
    given = ", ".join(f"{name} {kind}" for name, kind in zip(columns, types, strict=True))
    sql = _UPDATE.format(values=", ".join(f"{name} = new.{name}" for name in columns), given=given)
    ids = [pk for each in said for pk in each["row_ids"]]
    with using.cursor() as cursor:
        # The planner can't know how many rows the text names; loops within loops would go through all of them for each.
        cursor.execute("SELECT set_config('enable_nestloop', 'off', true)")
        cursor.execute(sql, [json.dumps(said, default=str), current_tenant_id(), ids])
        cursor.execute("SELECT set_config('enable_nestloop', 'on', true)")


_UPDATE = f"""
UPDATE {SharedPosture._meta.db_table} AS posture SET {{values}}
FROM jsonb_to_recordset(%s::jsonb) AS new (row_ids uuid[], {{given}})
    CROSS JOIN LATERAL unnest(new.row_ids) AS target (id)
WHERE posture.tenant_id = %s AND posture.id = ANY(%s) AND posture.id = target.id
"""  # noqa: S608 (the model's own names)


def new_point(row: SharedPosture, content: Content, at: datetime) -> SharedPosturePoint:
    """A point of the row's history, unsaved."""
    return SharedPosturePoint(
        viewer_id=row.viewer_id, shown_from=row.shown_from, shown_until=row.shown_until, grant_id=row.grant_id,
        partnership_id=row.partnership_id, at=at, **content.counts(),
    )  # fmt: skip
