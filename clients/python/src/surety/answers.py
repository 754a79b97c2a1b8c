"""What the portal answers, as frozen values. Members that this version doesn't know stay in `said`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from surety.errors import AnswerUnreadable

T = TypeVar("T")
Json = dict[str, Any]


class SubmissionState(StrEnum):
    """How far a submission is. All but RECEIVED are final."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    QUARANTINED = "quarantined"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the portal signed when it had the document. `digest` is SHA-256 in hex, `size` is in bytes.

    `receipt` is the signed form (a compact JWS); `replayed` says that the portal had this very push before.
    """

    id: str
    state: str
    sequence: int
    tenant: str
    digest: str
    size: int
    received_at: datetime
    receipt: str
    replayed: bool = False

    @classmethod
    def read(cls, said: Mapping[str, Any], *, replayed: bool = False) -> Receipt:
        """Raises AnswerUnreadable."""
        try:
            return cls(
                id=_text(said["id"]),
                state=_text(said["state"]),
                sequence=_number(said["sequence"]),
                tenant=_text(said["tenant"]),
                digest=_text(said["digest"]),
                size=_number(said["size"]),
                received_at=_time(said["received_at"]),
                receipt=_text(said["receipt"]),
                replayed=replayed,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise AnswerUnreadable(f"The portal's receipt lacks something: {error}.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Outcomes that a document told of, by what they say; and what they did to findings and statuses.

    `opened` are new findings, `gone` those that a complete document had no more. Of those that said something else,
    `appeared` fail and didn't, `fixed` pass and failed.
    """

    outcomes: int = 0
    checks: int = 0
    passed: int = 0
    failed: int = 0
    unknown: int = 0
    not_applicable: int = 0
    opened: int = 0
    changed: int = 0
    gone: int = 0
    appeared: int = 0
    fixed: int = 0
    statuses_changed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """What may identify a patient (45 CFR 164.514(b)(2)): its kind, where it stands, and its form, masked."""

    kind: str
    place: str
    form: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A document that was received, and what came of it.

    `problem` says why it was refused, and where; `found` why it was held back. `said` is the whole answer.
    """

    id: str
    state: SubmissionState
    format: str
    producer: str
    media_type: str
    name: str
    problem: str
    found: tuple[Identifier, ...]
    counts: Counts
    citations: tuple[str, ...]
    said: Mapping[str, Any] = field(repr=False)

    @property
    def is_decided(self) -> bool:
        """Whether the portal is done with it."""
        return self.state is not SubmissionState.RECEIVED

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Submission:
        """Raises AnswerUnreadable."""
        try:
            return cls(
                id=_text(said["id"]),
                state=SubmissionState(said["state"]),
                **{name: str(said.get(name) or "") for name in _PLAIN},
                found=tuple(_identifier(each) for each in said.get("found") or ()),
                counts=_counts(said.get("counts") or {}),
                citations=tuple(_text(citation) for citation in said.get("citations") or ()),
                said=said,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise AnswerUnreadable(f"The portal's submission lacks something: {error}.") from None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list; `next` is the cursor of the part after it, None on the last."""

    items: tuple[T, ...]
    next: str | None


_PLAIN = ("format", "producer", "media_type", "name", "problem")


def _identifier(said: Mapping[str, Any]) -> Identifier:
    return Identifier(**{name: str(said.get(name) or "") for name in Identifier.__slots__})


def _counts(said: Mapping[str, Any]) -> Counts:
    return Counts(**{name: _number(said.get(name) or 0) for name in Counts.__slots__})


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no whole number")
    return value


def _time(value: object) -> datetime:
    time = datetime.fromisoformat(_text(value))
    if time.tzinfo is None:
        raise ValueError(f"{value!r} has no zone")
    return time
