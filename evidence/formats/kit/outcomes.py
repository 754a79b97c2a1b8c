"""What a submitted document says, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from evidence.formats.kit.errors import BadDocument

MAX_ID = 2048
MAX_TEXT = 4000


class Result(StrEnum):
    """What a source's check says of one resource; the words of our own checks' outcomes."""

    PASS = "PASS"  # noqa: S105 (a result, not a password)
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    NOT_APPLICABLE = "NOT_APPLICABLE"


class Severity(StrEnum):
    """How much a failing result matters, in the words of our own checks; informational counts as low."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Basis(StrEnum):
    """Where an outcome's citations come from."""

    DOCUMENT = "document"
    CROSSWALK = "crosswalk"


@dataclass(frozen=True, slots=True)
class Check:
    """The source's check. `aliases` are further names of it, looked up in the crosswalk."""

    id: str
    title: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resource:
    """What an outcome is about: an ARN, a host, a file, a package URL. `account_id`, `region`: "" if not told."""

    id: str
    kind: str = ""
    name: str = ""
    account_id: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A source's word on one check and one resource. `resource` is None where the document names none.

    `at` is when the source saw it (aware UTC). `suppressed`: the source itself mutes or waives the finding; the
    result stays what was seen. `place` finds the outcome in the document again.
    """

    check: Check
    result: Result
    resource: Resource | None = None
    severity: Severity | None = None
    at: datetime | None = None
    citations: tuple[str, ...] = ()
    basis: Basis = Basis.DOCUMENT
    message: str = ""
    suppressed: bool = False
    place: str = ""

    def __post_init__(self) -> None:
        if not self.check.id:
            raise BadDocument("the check has no id", place=self.place)
        if len(self.check.id) > MAX_ID or (self.resource and len(self.resource.id) > MAX_ID):
            raise BadDocument(f"an id is longer than {MAX_ID} characters", place=self.place)
        if len(self.message) > MAX_TEXT:
            object.__setattr__(self, "message", f"{self.message[:MAX_TEXT]}...")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Who made a document, when, and which period it tells of. Times are aware UTC, None where not told.

    `notes` are sentences for people ("412 components"). `verified` is whether digests in the document were checked
    and agree; None where it has none that can be checked.
    """

    format: str = ""
    title: str = ""
    producer: str = ""
    producer_version: str = ""
    version: str = ""
    produced_at: datetime | None = None
    period_from: datetime | None = None
    period_to: datetime | None = None
    media_type: str = ""
    verified: bool | None = None
    notes: tuple[str, ...] = ()
