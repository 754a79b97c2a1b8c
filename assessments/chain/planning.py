"""What each upstream party is to be told, computed from consents, own links, and what one is told oneself. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from assessments.chain.models import LEVELS
from assessments.chain.pseudonyms import pseudonym_for, subject_of_tenant
from assessments.chain.words import Telling


@dataclass(frozen=True, slots=True)
class Told:
    """One subcontractor as it is told. `path` are the subjects that lead to it, its own last."""

    path: tuple[bytes, ...]
    service: str
    agreement: str
    verified_at: datetime | None
    broken: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Consented:
    """A subcontractor of which one upstream party is told: the link to it, and what it tells of its own."""

    viewer_id: UUID
    partnership_id: UUID
    telling: Telling
    own: Told
    below: Sequence[Told]


@dataclass(frozen=True, slots=True)
class Line:
    """What a row says to its viewer, by pseudonyms of the viewer's."""

    viewer_id: UUID
    partnership_id: UUID
    path: tuple[str, ...]
    subject: bytes
    service: str
    agreement: str
    verified_at: datetime | None
    broken: tuple[str, ...]
    name: str

    @property
    def key(self) -> tuple[UUID, tuple[str, ...]]:
        """Which row it is."""
        return self.partnership_id, self.path

    @property
    def values(self) -> dict[str, object]:
        """The columns that may change."""
        return {
            "service": self.service, "agreement_state": self.agreement, "verified_at": self.verified_at,
            "broken": list(self.broken), "name": self.name,
        }  # fmt: skip


def plan(tenant_id: UUID, consented: Iterable[Consented]) -> dict[tuple[UUID, tuple[str, ...]], Line]:
    """All that the tenant tells, by the row's key."""
    lines = (line for each in consented for line in _lines(tenant_id, each))
    return {line.key: line for line in lines}


def _lines(tenant_id: UUID, consented: Consented) -> Iterator[Line]:
    if consented.telling is Telling.NOTHING:
        return
    # A circle ends where it would come back to who tells or to who is told, with all that hangs below.
    ends = {subject_of_tenant(tenant_id), subject_of_tenant(consented.viewer_id)}
    names: Mapping[bool, bool] = {
        True: consented.telling.names_it,
        False: consented.telling is Telling.NAMED_BELOW,
    }
    for told in (consented.own, *_lowered(consented)):
        if len(told.path) <= LEVELS and not ends.intersection(told.path):
            yield _line(consented, told, named=names[told is consented.own])


def _lowered(consented: Consented) -> Iterator[Told]:
    head = consented.own.path
    for told in consented.below:
        yield Told(
            (*head, *told.path), told.service, told.agreement, told.verified_at, told.broken, told.name
        )


def _line(consented: Consented, told: Told, *, named: bool) -> Line:
    return Line(
        viewer_id=consented.viewer_id, partnership_id=consented.partnership_id,
        path=tuple(pseudonym_for(consented.viewer_id, subject) for subject in told.path), subject=told.path[-1],
        service=told.service, agreement=told.agreement, verified_at=told.verified_at, broken=told.broken,
        name=told.name if named else "",
    )  # fmt: skip
