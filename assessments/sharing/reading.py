"""What is shared, as its reader sees it: one function for the reader's page, the preview, and "view as them"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.audit.shared import tell_sharer
from accounts.errors import InvalidInput, NotFound
from assessments.partnerships.models import Partnership
from assessments.rule.model import SECURITY_RULE, Safeguard
from assessments.sharing.levels import Level
from assessments.sharing.models import SharedPosture, SharedPosturePoint, SharingGrant
from assessments.status import Status

PAGE, POINTS = 25, 30


@dataclass(frozen=True, slots=True)
class ShownSafeguard:
    """One safeguard of a shared posture. `said` is as assessments.sharing.compose writes it."""

    safeguard: Safeguard
    status: Status
    said: dict[str, Any]
    collected_at: datetime | None

    @property
    def since(self) -> datetime | None:
        """Since when it is as it is; None where that isn't shown or nothing was derived yet."""
        return _time(self.said.get("since"))


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """One check that fails, with the resources where they are named."""

    said: dict[str, Any]

    @property
    def since(self) -> datetime | None:
        """Since when it fails somewhere."""
        return _time(self.said["since"])

    @property
    def unnamed(self) -> int:
        """Resources beyond those named."""
        return int(self.said["count"]) - len(self.said.get("resources", ()))


@dataclass(frozen=True, slots=True)
class ShownEvidence:
    """One snapshot by name."""

    said: dict[str, Any]

    @property
    def collected_at(self) -> datetime | None:
        """When AWS said it last."""
        return _time(self.said["collected_at"])


Row = ShownSafeguard | ShownFinding | ShownEvidence


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page: its slug stands in the address, `?part=findings`."""

    slug: str
    title: str
    count: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One page of what a SharedPosture shows. `next` is the key of the next page, "" on the last."""

    posture: SharedPosture
    parts: tuple[Part, ...]
    part: str
    rows: Sequence[Row]
    first: bool
    next: str = ""
    points: tuple[SharedPosturePoint, ...] = field(default=())

    @property
    def level(self) -> Level:
        """How much is shown."""
        return Level(self.posture.level)

    @property
    def total(self) -> int:
        """The safeguards in scope."""
        return len(self.posture.statuses)

    @property
    def newest_points(self) -> list[SharedPosturePoint]:
        """The last changes of the counts, newest first."""
        return list(reversed(self.points[-POINTS:]))

    @property
    def with_counts(self) -> bool:
        """Whether reasons, counts and freshness are shown."""
        return self.level >= Level.COUNTS


def show(
    posture: SharedPosture, *, part: str = "", after: str = "", whole: bool = False,
    points: Sequence[SharedPosturePoint] = (),
) -> Shown:  # fmt: skip
    """One page of a shared posture, or a whole part, from its row alone. Raises InvalidInput for no such page."""
    parts = _parts(posture)
    part = part or parts[0].slug
    if part not in {each.slug for each in parts}:
        raise InvalidInput("This posture has no such part. Start at its first page.", field="part")
    keyed = _keyed(posture, part)
    start = _start(list(keyed), after)
    keys = list(keyed)[start : None if whole else start + PAGE]
    more = start + len(keys) < len(keyed)
    rows = [keyed[key] for key in keys]
    return Shown(posture, parts, part, rows, not after, keys[-1] if more else "", tuple(points))


def _parts(posture: SharedPosture) -> tuple[Part, ...]:
    parts = [Part("safeguards", "Safeguards", len(posture.statuses))]
    if posture.level >= Level.FINDINGS:
        parts.append(Part("findings", "Findings", len(posture.findings)))
    if posture.level >= Level.EVIDENCE:
        parts.append(Part("evidence", "Evidence", len(posture.evidence)))
    return tuple(parts)


def _keyed(posture: SharedPosture, part: str) -> dict[str, Row]:
    """The rows of a part by what names each in the key of a page."""
    if part == "findings":
        return {said["check"]: ShownFinding(said) for said in posture.findings}
    if part == "evidence":
        return {
            ".".join((said["collector"], said["account"], said["region"])): ShownEvidence(said)
            for said in posture.evidence
        }
    return {said["citation"]: _safeguard(said, posture) for said in posture.statuses}


def _safeguard(said: dict[str, Any], posture: SharedPosture) -> ShownSafeguard:
    citation = said["citation"]
    collected_at = _time(posture.collected.get(citation))
    return ShownSafeguard(SECURITY_RULE[citation], Status(said["status"]), said, collected_at)


def _start(keys: list[str], after: str) -> int:
    if not after:
        return 0
    if after not in keys:
        raise InvalidInput("This is no page of what is shared. Start at its first page.", field="after")
    return keys.index(after) + 1


def _time(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None


def open_shared(grant_id: UUID) -> SharedPosture:
    """What a grant shows to the open tenant; the reading stands in both parties' logs. Raises NotFound.

    A grant counts only as long as the partnership stands, and from that partnership's other party alone.
    """
    found = _shown_by(SharingGrant.received.filter(pk=grant_id).first())
    if found is None:
        raise NotFound("There is no such shared posture.")
    return _told(found)


def find_shared(partnership: Partnership) -> SharedPosture | None:
    """What the other party of the open tenant's partnership shows to it now; read and logged as by open_shared."""
    grants = SharingGrant.received.filter(partnership_id=partnership.pk, tenant_id=partnership.viewer_id)
    found = _shown_by(grants.order_by("-version").first())
    return _told(found) if found else None


def _shown_by(grant: SharingGrant | None) -> SharedPosture | None:
    if grant is None:
        return None
    stands = Partnership.objects.filter(
        pk=grant.partnership_id, viewer_id=grant.tenant_id, withdrawn_at=None
    ).exists()
    downstream: UUID = grant.tenant_id  # type: ignore[assignment] # a UUID
    mine = SharedPosture.received.filter(grant_id=grant.pk, tenant_id=downstream)
    found: SharedPosture | None = mine.first() if stands else None
    return found


def _told(posture: SharedPosture) -> SharedPosture:
    sharer: UUID = posture.tenant_id  # type: ignore[assignment] # a UUID
    tell_sharer(
        sharer, Act.SHARED_POSTURE_READ, reader=posture.upstream_name, object_type="sharing_grant",
        object_id=posture.grant_id, level=posture.level,
    )  # fmt: skip
    record(
        Act.SHARED_POSTURE_READ, object_type="sharing_grant", object_id=posture.grant_id,
        partner=posture.downstream_name,
    )  # fmt: skip
    return posture


def points_shown(posture: SharedPosture) -> list[SharedPosturePoint]:
    """The history of what a grant shows to the open tenant, oldest first."""
    downstream: UUID = posture.tenant_id  # type: ignore[assignment] # a UUID
    rows = SharedPosturePoint.received.filter(grant_id=posture.grant_id, tenant_id=downstream)
    return list(rows.order_by("at"))


def own_points(grant_id: UUID) -> list[SharedPosturePoint]:
    """The same as the party that shows it has it."""
    return list(SharedPosturePoint.objects.filter(grant_id=grant_id).order_by("at"))
