"""What a part of the portal says of its clocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that is due. `why` names the rule or clause that made it; `url` is the path of its page."""

    at: datetime
    title: str
    why: str
    url: str
    done: bool
