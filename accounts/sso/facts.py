"""What an identity provider asserted, the same for both protocols, once it was verified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.errors import Forbidden, PortalError

SKEW = timedelta(seconds=60)
"""How far a provider's clock may be from ours."""
MOST_GROUPS = 1000


class RefusedAssertion(Forbidden):
    """The provider's answer can't be believed, or lets nobody in. The message says why."""

    slug = "sign-on-refused"


class FlowOver(PortalError):
    """The round trip was finished, took too long, or belongs to another browser."""

    status = 409
    slug = "sign-on-over"


@dataclass(frozen=True, slots=True)
class Asserted:
    """Who the provider says somebody is. `methods` are amr and acr values, or AuthnContextClassRef."""

    subject: str
    email: str
    name: str = ""
    groups: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    authenticated_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """For a JSON column."""
        at = self.authenticated_at
        return {**asdict(self), "authenticated_at": at.isoformat() if at else None}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Asserted:
        at = said["authenticated_at"]
        return cls(
            subject=said["subject"],
            email=said["email"],
            name=said["name"],
            groups=tuple(said["groups"]),
            methods=tuple(said["methods"]),
            authenticated_at=datetime.fromisoformat(at) if at else None,
        )


def words(said: object) -> tuple[str, ...]:
    """A claim or attribute as words: one, or a list of them; what is no text is left out."""
    if isinstance(said, str):
        return (said,) if said else ()
    if isinstance(said, Iterable) and not isinstance(said, bytes | Mapping):
        return tuple(one for one in said if isinstance(one, str) and one)[:MOST_GROUPS]
    return ()


def moment(seconds: object) -> datetime | None:
    """A NumericDate (RFC 7519); None for what is none."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 2**33:
        return None
    return datetime.fromtimestamp(seconds, UTC)
