"""What a part of the portal says of its clocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Side(StrEnum):
    """Towards whom a duty is: as upstream party, as downstream party, or nobody's but the tenant's own."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that is due. `why` names the rule or clause that made it; `url` is the path of its page.

    `key` names it for good, over every change of its time and words. With `whole_day` it is due at the end of the UTC
    day of `at`. `brief` is what leaves in a feed where the title says more than should; `shown_by` the other tenant
    whose row it was read from.
    """

    at: datetime
    title: str
    why: str
    url: str
    done: bool
    key: str = ""
    side: Side = Side.OWN
    whole_day: bool = False
    brief: str = ""
    shown_by: UUID | None = None

    @property
    def name(self) -> str:
        """What it is known by: its key, or its page and words."""
        return self.key or f"{self.url} {self.title}"
