"""Who acts: the actor of the entries that are recorded now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from accounts.audit.events import ActorKind


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, from where, and for whom where that is another. `session` is a digest of the session's key.

    `proven` is who a machine without a secret proved to be; it stands in the entries' details.
    """

    kind: ActorKind = ActorKind.SYSTEM
    id: str = "system"
    name: str = "system"
    address: str = ""
    session: str = ""
    request_id: str = ""
    on_behalf_of: str = ""
    proven: str = ""


SYSTEM = Actor()
_actor: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)


def current_actor() -> Actor:
    """Who acts now: the system, until the middleware or a task says otherwise."""
    return _actor.get()


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Names the actor of the entries recorded inside."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)
